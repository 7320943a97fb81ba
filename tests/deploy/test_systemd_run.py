"""The units under a real systemd, in a system made of the image: hardened as they are, they do their work."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.launcher.supervisor import ROOT
from tests.deploy import podman
from tests.deploy.test_container import ask, new_database
from tests.support.tcp_door import tcp_door
from tests.support.web_server import free_port

SERVED = ("web", "beat", "worker@settle", "worker@check")
SYSTEM = """
FROM localhost/{image}
USER 0
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends systemd
RUN ln -s /opt/venv /srv/quantum-wallet/.venv
"""
BOOT = ROOT / "tests" / "deploy" / "boot.sh"
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--cgroup")


class System:
    """A systemd that runs, and whom one can ask."""

    def __init__(self, url: str, pid: str) -> None:
        self.url, self.pid = url, pid

    def ctl(self, *words: str) -> str:
        entered = ("nsenter", f"--target={self.pid}", "--root", "--wd", *NAMESPACES)
        done = subprocess.run([*entered, "systemctl", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def made_system(home: Path) -> Path:
    """A Debian with systemd, the platform and its units."""
    (home / "Containerfile").write_text(SYSTEM.format(image=podman.IMAGE))
    name = f"{podman.IMAGE}-systemd"
    podman.podman("build", "--isolation=chroot", "--pull=never", "--network=host", f"--tag={name}", str(home))
    podman.podman("create", f"--name={name}", name)
    podman.podman("export", f"--output={home / 'system.tar'}", name)
    podman.podman("rm", name)
    root = home / "system"
    root.mkdir()
    subprocess.run(["tar", "-xf", home / "system.tar", "-C", root], check=True)
    shutil.copytree(ROOT / "deploy" / "systemd", root / "etc" / "systemd" / "system", dirs_exist_ok=True)
    return root


def write_settings(root: Path, settings: dict[str, str], secrets: dict[str, str]) -> None:
    place = root / "etc" / "quantum-wallet"
    (place / "secrets").mkdir(parents=True, mode=0o700)
    (place / "settings.env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    for name, value in secrets.items():
        (place / "secrets" / name).write_text(f"{value}\n")
        (place / "secrets" / name).chmod(0o600)


@pytest.fixture(scope="module")
def system(database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    if reason := podman.missing():
        pytest.skip(reason)
    podman.build()
    home, port = tmp_path_factory.mktemp("system"), free_port()
    root = made_system(home)
    with ExitStack() as stack:
        owner_url, url = stack.enter_context(new_database(os.environ["DATABASE_OWNER_URL"]))
        broker = stack.enter_context(tcp_door(Path(urlsplit(os.environ["REDIS_URL"]).path)))
        keys = {name: f"a {name} that only this system has" for name in ("secret_key", "credential_key")}
        keys |= {"encryption_keys": "an encryption key that only this system has"}
        keys |= {"checkpoint_key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
        plain = {"ALLOWED_HOSTS": "localhost", "PORT": str(port), "WEB_WORKERS": "2"}
        plain["REDIS_URL"] = f"redis://127.0.0.1:{broker}/6"
        plain["DATABASE_APP_ROLE"] = urlsplit(url).username or ""
        write_settings(root, plain, keys | {"database_url": url, "database_owner_url": owner_url})
        command = ["unshare", *NAMESPACES, "--fork", "--kill-child", str(BOOT), str(root)]
        # A pipe: systemd gives what it stands on to the users of its services.
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        )
        stack.callback(process.kill)
        yield System(f"http://127.0.0.1:{port}", first_child(process.pid))


def first_child(pid: int) -> str:
    """The process that systemd is, a moment after it began."""
    deadline = time.monotonic() + 10
    while not (found := Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(3)
    return found[0]


@pytest.mark.long
def test_units__do_their_work_and_end_in_order(system: System) -> None:
    units = [f"quantum-wallet-{name}" for name in SERVED]
    system.ctl("start", "quantum-wallet-migrate")
    system.ctl("start", *units)
    assert ask(system.url, "/readyz", 60).status == 200
    assert ask(system.url, "/healthz/workers", 90).body["status"] == "ok"
    system.ctl("reload", "quantum-wallet-web")
    time.sleep(5)
    assert ask(system.url, "/healthz", 10).status == 200
    system.ctl("stop", *units)
    ended = system.ctl("show", "--property=Result", "--value", *units, "quantum-wallet-migrate")
    assert ended.split() == ["success"] * 5
