"""What a container does for each command."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from config.launcher.supervisor import ROOT

ENTRYPOINT = ROOT / "deploy" / "container" / "entrypoint"
# Stands for Python: says which process it is, what it was told, and whom it works as.
SAYS = (
    '#!/bin/sh\necho "$$ $*"\necho "${DATABASE_URL-} ${DATABASE_URL_FILE-} ${DATABASE_STATEMENT_TIMEOUT-}"\n'
)
OWNER = {"DATABASE_OWNER_URL": "owner", "DATABASE_URL": "app", "DATABASE_URL_FILE": ""}
OWNER_FILE = {"DATABASE_OWNER_URL_FILE": "/owner", "DATABASE_URL": "app"}


def enter(home: Path, *words: str, **environment: str) -> tuple[subprocess.Popen[str], list[str]]:
    """The process of the entry point, and the lines that Python said in it."""
    program = home / "python"
    program.write_text(SAYS)
    program.chmod(0o755)
    process = subprocess.Popen(
        [ENTRYPOINT, *words],
        env={"PATH": f"{home}:{os.environ['PATH']}"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said, _ = process.communicate(timeout=10)
    return process, said.splitlines()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("web", "-m gunicorn -c config/gunicorn.py config.wsgi:application"),
        ("worker", "worker -Q settle,deliver,refund,check -n settle-deliver-refund-check@%h -c 6"),
        ("worker deliver,refund 4", "worker -Q deliver,refund -n deliver-refund@%h -c 4"),
        ("beat", "beat -s /tmp/beat-schedule --pidfile="),
        ("migrate", "manage.py migrate --no-input"),
        ("migrate --plan", "manage.py migrate --no-input --plan"),
        ("manage audit_ledger --quick", "manage.py audit_ledger --quick"),
    ],
)
def test_entrypoint__becomes_the_command(words: str, told: str, tmp_path: Path) -> None:
    process, said = enter(tmp_path, *words.split())
    pid, _, arguments = said[0].partition(" ")
    # It is the same process, so signals reach it.
    assert (process.returncode, int(pid)) == (0, process.pid)
    assert told in arguments


@pytest.mark.parametrize("words", [(), ("serve",), ("manage",), ("Web",)])
def test_entrypoint__an_unknown_command_is_told_what_there_is(words: tuple[str, ...], tmp_path: Path) -> None:
    process, said = enter(tmp_path, *words)
    assert (process.returncode, said) == (64, [])


@pytest.mark.parametrize(
    ("words", "environment", "connects"),
    [
        ("migrate", OWNER, "owner  0"),
        ("migrate", OWNER_FILE, " /owner 0"),
        ("manage createsuperuser", OWNER, "owner  "),
        ("manage createsuperuser", OWNER_FILE, " /owner "),
        ("manage check", {"DATABASE_URL": "app"}, "app  "),
        ("web", OWNER, "app  "),
        ("worker", OWNER_FILE, "app  "),
        ("beat", OWNER, "app  "),
    ],
)
def test_entrypoint__only_migrations_and_acts_by_hand_are_the_owners(
    words: str, environment: dict[str, str], connects: str, tmp_path: Path
) -> None:
    _, said = enter(tmp_path, *words.split(), **environment)
    assert said[1] == connects


def test_entrypoint__documents_and_usage_name_its_commands(tmp_path: Path) -> None:
    text = ENTRYPOINT.read_text()
    commands = set(re.findall(r"^(\w+)\)$", text, re.MULTILINE))
    (usage,) = re.findall(r"<<END\n(.*?)\nEND", text, re.DOTALL)
    assert set(re.findall(r"^(?:Usage: | {7})(\w+)", usage, re.MULTILINE)) == commands
    section = (
        (ROOT / "docs" / "operations.md").read_text().partition("## In containers\n")[2].partition("\n## ")[0]
    )
    assert set(re.findall(r"^\| `(\w+)", section, re.MULTILINE)) == commands
