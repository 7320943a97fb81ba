"""deploy/manage: a command of manage.py with the settings of the units, and secrets that stay in files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from config.environment import SECRETS
from config.launcher.supervisor import ROOT

# Stands for Python: says what it was told, where it is, and in which environment.
SAYS = '#!/bin/sh\necho "$*"\npwd\nenv\n'
SECRET = "a secret that nobody may see"
FILES = ("secret_key", "encryption_keys", "database_url", "database_owner_url")
SETTINGS = """# A line that says nothing
ALLOWED_HOSTS=wallet.example.com

ALERT_EMAILS=a@example.com, $b@example.com"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A machine with the script, its settings and secrets."""
    for name in ("deploy", ".venv/bin", "etc/secrets"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "manage", tmp_path / "deploy")
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(SAYS)
    python.chmod(0o755)
    (tmp_path / "etc" / "settings.env").write_text(SETTINGS)
    for name in FILES:
        (tmp_path / "etc" / "secrets" / name).write_text(SECRET)
    return tmp_path


def manage(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [home / "deploy" / "manage", *words],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "QUANTUM_WALLET_SETTINGS": str(home / "etc")},
        capture_output=True,
        text=True,
        check=False,
    )


def environment(said: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in said.splitlines()[2:])
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize(
    ("words", "url"),
    [(("audit_ledger", "--quick"), "database_url"), (("--owner", "migrate"), "database_owner_url")],
)
def test_manage__has_the_settings_and_names_the_files_of_secrets(
    words: tuple[str, ...], url: str, home: Path
) -> None:
    done = manage(home, *words)
    told, place = done.stdout.splitlines()[:2]
    assert told == " ".join(("manage.py", *(word for word in words if word != "--owner")))
    assert place == str(home)
    given = environment(done.stdout)
    assert given["ALLOWED_HOSTS"] == "wallet.example.com"
    assert given["ALERT_EMAILS"] == "a@example.com, $b@example.com"
    named = {name: value for name, value in given.items() if name.endswith("_FILE")}
    assert named == {
        f"{name.upper()}_FILE": f"{home}/etc/secrets/{name}" for name in ("secret_key", "encryption_keys")
    } | {"DATABASE_URL_FILE": f"{home}/etc/secrets/{url}"}
    assert {name.removesuffix("_FILE") for name in named} <= set(SECRETS)
    assert SECRET not in done.stdout


def test_manage__without_a_command_says_how(home: Path) -> None:
    done = manage(home, "--owner")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "Usage: deploy/manage [--owner] COMMAND ...\n"


@pytest.mark.parametrize("missing", ["settings.env", "secrets/database_url"])
def test_manage__without_settings_begins_nothing(missing: str, home: Path) -> None:
    (home / "etc" / missing).unlink()
    done = manage(home, "check")
    assert (done.returncode, done.stdout) == (77, "")
    assert f"{home}/etc/{missing} cannot be read" in done.stderr
