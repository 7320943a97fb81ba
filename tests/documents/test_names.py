"""Whatever the documents name is there: files, settings, commands with their options, targets of make."""

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
# What was is told there.
OF_THE_PAST = {"CHANGELOG.md"}
BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"\w+")
SETTING = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
NAME = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)*")
PATH = re.compile(r"[\w.-]+/[\w./*-]*|[\w-]+\.(py|sql|md|txt|yml|yaml|json|html|conf|toml|lock|sh)")
COMMAND = re.compile(r"manage\.py (\w+)([^`\n|#]*)")
OPTION = re.compile(r"(?<!\S)\[?(--[a-z][a-z-]*)")
# "make sure" is no command.
TARGET = re.compile(r"`make ([a-z][a-z-]*)")

# What only a machine, a game or another program has.
ELSEWHERE = {
    "acks_late",
    "application/json",
    "demo.json",
    "deploy/.env",
    "deploy/settings.env",
    "deploy/tls/",
    "gunicorn_h1c",
    "manifest.json",
    "pg_dump",
    "pg_hba.conf",
    "postgresql.conf",
    "OTEL_SERVICE_NAME",
    "SCHED_IDLE",
    # Of adding-a-provider.md, whose test makes them.
    "judge_acme",
    "payments/providers/acme.py",
    "payments/providers/signatures/acme.py",
    "tests/payments/providers/test_acme.py",
    # Beginnings and ends of names, and places in them.
    "_count",
    "PART/locale/de/LC_MESSAGES/django.po",
    "WALLET_KIT_GAME_PASSWORD",
    "WALLET_KIT_OTHER_GAME",
}
PACKAGES = {"lib", "players", "wallet", "payments", "demo", "config", "simulation"}
# What is made, and can be made again.
MADE = {"var", ".venv", ".git", "__pycache__", "mutants", ".mypy_cache", ".pytest_cache", ".hypothesis"}


@cache
def files() -> frozenset[str]:
    """All files of the repository and the directories that hold them."""
    found: set[str] = set()
    for place, inside, names in os.walk(ROOT):
        inside[:] = [name for name in inside if name not in MADE]
        found.update((Path(place) / name).relative_to(ROOT).as_posix() for name in (*inside, *names))
    return frozenset(found)


@cache
def words() -> frozenset[str]:
    """All words of all files but the documents and this one."""
    found: set[str] = set()
    for name in files():
        path = ROOT / name
        if path.is_file() and path not in (*DOCUMENTS, Path(__file__)):
            found.update(WORD.findall(path.read_text(errors="ignore")))
    return frozenset(found)


@pytest.fixture(scope="module")
def parameters(owner: "psycopg.Connection[Any]") -> set[str]:
    """What PostgreSQL can be told."""
    return {row[0] for row in owner.execute("SELECT name FROM pg_settings")}


def is_there(path: str) -> bool:
    """Whether a path from the root, or the end of one, leads somewhere."""
    if path.startswith(("/", "var/")):
        return True
    name = path.rstrip("/")
    return any(fnmatchcase(file, name) or fnmatchcase(file, f"*/{name}") for file in files())


def missing(text: str, parameters: set[str]) -> Iterator[str]:
    """What a document names in its sentences, and nobody has."""
    for name in QUOTED.findall(BLOCK.sub("", text)):
        if name in ELSEWHERE:
            continue
        is_ours = "_" in name or name.partition(".")[0] in PACKAGES
        is_name = SETTING.fullmatch(name) or (is_ours and NAME.fullmatch(name))
        if PATH.fullmatch(name):
            found = is_there(name)
        else:
            found = not is_name or name in parameters or words().issuperset(name.split("."))
        if not found:
            yield name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_document__names_what_is_there(document: Path, parameters: set[str]) -> None:
    if document.name not in OF_THE_PAST:
        assert list(missing(document.read_text(), parameters)) == []


@pytest.mark.parametrize("name", ["lib/no_such.py", "no_such.sql", "NO_SUCH_SETTING", "lib.no_such_name"])
def test_name__that_is_nowhere_is_found(name: str, parameters: set[str]) -> None:
    assert list(missing(f"See `{name}`, and `lib/clock.py`.\n```\n`{name}`\n```\n", parameters)) == [name]


def test_exceptions__are_all_named() -> None:
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    assert [name for name in ELSEWHERE if f"`{name}" not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_document__names_commands_and_options_that_are_there(document: Path) -> None:
    if document.name in OF_THE_PAST:
        return
    known = get_commands()
    for command, rest in COMMAND.findall(document.read_text()):
        assert command in known, command
        parser = load_command_class(known[command], command).create_parser("manage.py", command)
        assert set(OPTION.findall(rest)) <= set(parser._option_string_actions), command


def test_documents__name_targets_of_make_that_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        if document.name not in OF_THE_PAST:
            assert set(TARGET.findall(document.read_text())) <= targets, document.name
