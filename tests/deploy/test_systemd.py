"""The units for systemd: what systemd itself says of them, and what they have to agree with."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.environment import SECRETS
from config.launcher.supervisor import ROOT
from config.queues import QUEUES

UNITS = ROOT / "deploy" / "systemd"
SERVICES = ("web", "worker@settle", "beat", "migrate", "receive-wal", "backup")
# Of 100, by `systemd-analyze security`, which has 96 for a unit without hardening; today 14.
EXPOSURE = 16
LOADED = re.compile(r"^LoadCredential=(\w+):/etc/quantum-wallet/secrets/(\w+)$", re.MULTILINE)
NAMED = re.compile(r"^Environment=(\w+)_FILE=%d/(\w+)$", re.MULTILINE)

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and os.environ.get("CI") != "true",
    reason="systemd-analyze is not installed (.ci/systemd)",
)


def analyse(home: Path, *words: str, others: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of a copy of the units, beside those of this machine."""
    shutil.copytree(UNITS, home / "units")
    python = home / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    for unit in (home / "units").glob("*.service"):
        unit.write_text(unit.read_text().replace("/srv/quantum-wallet/", f"{home}/"))
    return subprocess.run(
        ["systemd-analyze", *words, *(f"quantum-wallet-{name}.service" for name in SERVICES), *others],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{home}/units:", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_systemd
def test_units__systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    options = ("verify", "--man=no", "--recursive-errors=no")
    verified = analyse(tmp_path, *options, others=("quantum-wallet-backup.timer",))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


@needs_systemd
def test_units__are_hardened(tmp_path: Path) -> None:
    judged = analyse(tmp_path, "security", "--offline=true", f"--threshold={EXPOSURE}")
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_units__load_a_secret_for_each_setting_that_names_its_file() -> None:
    common = (UNITS / "quantum-wallet-.service.d" / "common.conf").read_text()
    for unit in UNITS.glob("*.service"):
        text = common + unit.read_text()
        loaded = dict(
            re.findall(r"^LoadCredential=(\w+):/etc/quantum-wallet/secrets/(\w+)$", text, re.MULTILINE)
        )
        named = dict(re.findall(r"^Environment=(\w+)_FILE=%d/(\w+)$", text, re.MULTILINE))
        assert set(named.values()) == set(loaded) == set(loaded.values())
        assert set(named) <= set(SECRETS)
        assert {"SECRET_KEY", "CREDENTIAL_KEY", "ENCRYPTION_KEYS", "DATABASE_URL"} <= set(named)


def test_units__only_the_migration_is_given_the_owner() -> None:
    given = {unit.name for unit in UNITS.rglob("*.*") if unit.is_file() and "owner_url" in unit.read_text()}
    assert given == {"quantum-wallet-migrate.service"}


def test_backup_units__alone_are_given_the_role_that_copies() -> None:
    given = {unit.name for unit in UNITS.rglob("*.*") if unit.is_file() and "backup_url" in unit.read_text()}
    assert given == {"quantum-wallet-receive-wal.service", "quantum-wallet-backup.service"}


def test_backup_units__agree_on_their_directories() -> None:
    words = {
        name: re.findall(r"manage\.py (\w+) (?:.*?)(/var/lib/quantum-wallet/\w+)", text)
        for name in ("receive-wal", "backup")
        if (text := (UNITS / f"quantum-wallet-{name}.service").read_text())
    }
    assert words == {
        "receive-wal": [("receive_wal", "/var/lib/quantum-wallet/wal")],
        "backup": [
            ("backup", "/var/lib/quantum-wallet/backups"),
            ("prune_backups", "/var/lib/quantum-wallet/backups"),
        ],
    }
    assert "--wal /var/lib/quantum-wallet/wal --yes" in (UNITS / "quantum-wallet-backup.service").read_text()


def test_worker_unit__names_every_queue() -> None:
    first_line = (UNITS / "quantum-wallet-worker@.service").read_text().partition("\n")[0]
    assert set(re.findall(r"@(\w+)", first_line)) == set(QUEUES)
