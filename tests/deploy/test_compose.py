"""The compose file, and the secrets that are made for it."""

import os
import re
import shutil
import subprocess
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.environment import SECRETS
from config.launcher.supervisor import ROOT
from config.queues import QUEUES
from tests.support.nginx import certificate, installed

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "quantum-wallet"}
# What compose itself fills in, with what it says if that is missing.
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::\?([^}]*))?\}")


def make_env(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a copy of the script, which writes beside itself."""
    script = home / "make-env"
    if not script.exists():
        shutil.copy(DEPLOY / "make-env", script)
    return subprocess.run([script, *words], capture_output=True, text=True, check=False)


def made(home: Path) -> dict[str, str]:
    lines = (home / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


# --- What it consists of ---


def test_compose__has_every_part_of_the_platform() -> None:
    commands = {name: service["command"] for name, service in OURS.items()}
    assert {command[0] for command in commands.values()} == {"web", "worker", "beat", "migrate"}
    worked = [
        queue for command in commands.values() if command[0] == "worker" for queue in command[1].split(",")
    ]
    assert sorted(worked) == sorted(QUEUES)


def test_compose__only_nginx_is_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx"}
    assert not any("network_mode" in service for service in SERVICES.values())
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == SERVICES["valkey"]["networks"] == ["inside"]


def test_compose__the_web_server_trusts_the_address_of_nginx_alone() -> None:
    address = SERVICES["nginx"]["networks"]["inside"]["ipv4_address"]
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"] == address
    # They meet in one network only, or requests would come from another address.
    assert set(SERVICES["nginx"]["networks"]) & set(SERVICES["web"]["networks"]) == {"inside"}


def test_compose__addresses_that_are_relied_on_are_given_to_nobody_else() -> None:
    """An engine gives the lowest free address to whoever starts first, a fixed one or not."""
    (config,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    network, for_others = IPv4Network(config["subnet"]), IPv4Network(config["ip_range"])
    assert for_others.subnet_of(network)
    fixed = {IPv4Address(SERVICES[name]["networks"]["inside"]["ipv4_address"]) for name in ("nginx", "web")}
    assert len(fixed) == 2
    assert all(address in network and address not in for_others for address in fixed)


def test_compose__the_image_is_built_once_and_asked_of_no_registry() -> None:
    assert [name for name in OURS if "build" in OURS[name]] == ["migrate"]
    assert {service["pull_policy"] for service in OURS.values()} == {"never"}


@pytest.mark.parametrize("name", SERVICES)
def test_compose__each_service_can_do_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    if name in OURS:
        assert "cap_add" not in service


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - OURS.keys()))
def test_compose__images_of_others_are_of_a_certain_version(name: str) -> None:
    assert re.search(r":\d+\.\d+(\.\d+)?-", SERVICES[name]["image"])


def test_compose__nothing_starts_before_what_it_needs() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in OURS.keys() - {"migrate"}:
        assert OURS[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "valkey": {"condition": "service_healthy"},
        }
    assert SERVICES["nginx"]["depends_on"] == {"web": {"condition": "service_healthy"}}
    # The web server's is the image's own.
    assert all("healthcheck" in SERVICES[name] for name in SERVICES.keys() - {"web"})


def test_compose__only_the_migration_is_given_the_owner() -> None:
    assert {name for name in OURS if "wallet_owner" in str(OURS[name]["environment"])} == {"migrate"}
    assert {name for name in OURS if "CHECKPOINT_KEY" in OURS[name]["environment"]} == {
        name for name in OURS if name.startswith("worker")
    }


def test_compose__what_it_sets_are_settings() -> None:
    known = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    given = {name for service in OURS.values() for name in service["environment"]}
    assert given <= known | {"DATABASE_OWNER_URL"}
    assert {name for name in given if name in SECRETS} == {
        *("SECRET_KEY", "CREDENTIAL_KEY", "ENCRYPTION_KEYS", "CHECKPOINT_KEY", "DATABASE_URL", "REDIS_URL"),
    }


def test_compose__files_that_it_mounts_are_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    files = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert len(files) == 3
    assert all((DEPLOY / file).is_file() for file in files)
    assert os.access(DEPLOY / "compose" / "make-roles.sh", os.X_OK)


# --- The secrets ---


def test_make_env__makes_every_variable_that_compose_wants(tmp_path: Path) -> None:
    assert make_env(tmp_path, "wallet.example.com").returncode == 0
    found = VARIABLE.findall((DEPLOY / "compose.yaml").read_text())
    assert {name for name, _ in found} == made(tmp_path).keys()
    assert {sentence for _, sentence in found} == {"is missing, make it with deploy/make-env"}


def test_make_env__secrets_are_long_and_unlike(tmp_path: Path) -> None:
    make_env(tmp_path, "wallet.example.com")
    secrets = {name: value for name, value in made(tmp_path).items() if re.search("KEY|PASSWORD", name)}
    assert len(secrets) == len(set(secrets.values())) == 8
    assert {len(value) for name, value in secrets.items() if name != "CHECKPOINT_KEY"} == {64}


def test_make_env__only_its_owner_can_read_it(tmp_path: Path) -> None:
    make_env(tmp_path, "wallet.example.com")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tls" / "privkey.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "make-env", "tls"]


def test_make_env__what_is_there_stays(tmp_path: Path) -> None:
    make_env(tmp_path, "wallet.example.com")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    again = make_env(tmp_path, "other.example.com")
    assert again.returncode == 0
    assert again.stdout.count("stays as it is") == 2
    assert {path: path.read_bytes() for path in files} == before


def test_make_env__postgres_can_read_its_script_in_a_checkout_of_ones_own(tmp_path: Path) -> None:
    script = tmp_path / "compose" / "make-roles.sh"
    script.parent.mkdir()
    script.touch(0o700)
    make_env(tmp_path, "wallet.example.com")
    assert script.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("words", [(), ("Wallet.example.com",), ("a;b",), ("-rf",), ("a", "b")])
def test_make_env__what_is_no_host_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    refused = make_env(tmp_path, *words)
    assert refused.returncode == 64
    assert refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["make-env"]


# --- The proxy ---


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_compose__nginx_reads_a_key_that_belongs_to_whoever_made_it(tmp_path: Path) -> None:
    make_env(tmp_path, "wallet.example.com")
    for path in (tmp_path / "tls", *(tmp_path / "tls").iterdir()):
        os.chown(path, 1000, 1000)
    kept = ",".join(f"+{name.lower()}" for name in SERVICES["nginx"]["cap_add"])
    as_nginx = ["setpriv", f"--bounding-set=-all,{kept}", "cat", str(tmp_path / "tls" / "privkey.pem")]
    read = subprocess.run(as_nginx, capture_output=True, text=True, check=False)
    assert "PRIVATE KEY" in read.stdout, read.stderr


def test_compose__nginx_takes_the_site_that_is_made_of_the_shipped_one(tmp_path: Path) -> None:
    program = installed()
    if program is None and os.environ.get("CI") != "true":
        pytest.skip("nginx is not installed (.ci/nginx)")
    certificate(tmp_path)
    making, _, running = SERVICES["nginx"]["command"][0].partition("\nexec ")
    assert running == "nginx -g 'daemon off;'\n"
    for place, here in (("/tmp/", f"{tmp_path}/"), ("/etc/nginx/quantum-wallet.conf", DEPLOY / "nginx.conf")):
        making = making.replace(place, str(here))
    # Compose turns two dollar signs into one.
    subprocess.run(["sh", "-euc", making.replace("$$", "$")], env={"WALLET_HOST": "wallet.test"}, check=True)
    site = (tmp_path / "site.conf").read_text()
    assert site.count("server_name wallet.test;") == 2
    assert "server web:8000;" in site
    assert "example.com" not in re.sub("#.*", "", site)
    # Neither the name nor the files of the container are here.
    (tmp_path / "site.conf").write_text(
        site.replace("web:8000", "127.0.0.1:8000").replace("/etc/ssl/wallet/", f"{tmp_path}/")
    )
    main = (DEPLOY / "compose" / "nginx.conf").read_text().replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(main)
    checked = subprocess.run(
        [str(program), "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
