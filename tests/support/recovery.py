"""Backups of a server of the tests, and commands that are run and say something."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from config.launcher.placement import unprivileged_user
from config.launcher.programs import postgres_programs
from config.launcher.supervisor import ROOT
from config.recovery.private_server import PrivateServer, private_server
from config.recovery.programs import User
from tests.support.launcher import eventually

GONE = """
    SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active
"""
USER = unprivileged_user(Path("/nowhere"))


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """A new directory, where also the user that PostgreSQL runs as can do what it likes."""
    directory = Path(mkdtemp(prefix="recovery-", dir="/tmp"))
    try:
        give(directory)
        yield directory
    finally:
        shutil.rmtree(directory)


def give(directory: Path) -> None:
    """To the user that PostgreSQL runs as, if we are root."""
    if USER:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, *USER)


@contextmanager
def copying(url: str = "") -> Iterator[None]:
    """The server at `url` can be backed up, or the tests' own."""
    url = url or os.environ["DATABASE_OWNER_URL"]
    with psycopg.connect(url) as owner:
        debian = Path(f"/usr/lib/postgresql/{owner.info.server_version // 10_000}/bin")
    # Of the version of the server, which is the embedded one unless `.ci/on-postgres` runs the tests.
    programs = debian if debian.is_dir() else postgres_programs(USER)
    with override_settings(POSTGRES_PROGRAMS=str(programs), DATABASE_BACKUP_URL=url):
        yield


def linked(source: Path, target: Path) -> Path:
    """A copy that takes no room: change no file of it but by `replaced`."""
    return Path(shutil.copytree(source, target, copy_function=os.link))


def replaced(path: Path, content: bytes) -> None:
    """Another file of that name."""
    path.unlink()
    path.write_bytes(content)


def command(name: str, *words: object) -> str:
    """What a command says."""
    said = StringIO()
    call_command(name, *map(str, words), stdout=said, stderr=said)
    return said.getvalue()


def refusal(name: str, *words: object) -> str:
    """Why a command does not go on; it must not."""
    with pytest.raises(CommandError) as refused:
        command(name, *words)
    assert refused.value.returncode == 1
    return str(refused.value)


@contextmanager
def receiving(directory: Path, slot: str) -> Iterator[None]:
    """The log of the server at `DATABASE_BACKUP_URL` comes into a directory, until the block ends."""
    url, programs = settings.DATABASE_BACKUP_URL, settings.POSTGRES_PROGRAMS
    environment = os.environ | {"DATABASE_BACKUP_URL": url, "POSTGRES_PROGRAMS": programs}
    words = [sys.executable, "manage.py", "receive_wal", str(directory), "--slot", slot]
    with subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as receiver:
        try:
            eventually(lambda: list(directory.iterdir()), 90)
            yield
        finally:
            receiver.terminate()
            receiver.wait()
            drop_slot(url, slot)


def drop_slot(url: str, slot: str) -> None:
    """Once the server has noticed that nobody receives any more, if it still runs."""
    with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as owner:
        eventually(lambda: owner.execute(GONE, [slot]).rowcount)


@contextmanager
def started(data: Path, database: str) -> Iterator[PrivateServer]:
    """A server on restored data, as whoever starts it finds it."""
    user = User(*USER) if USER else None
    recovery = {"restore_command": ""}
    with (
        private_server(data, user=user, database=database, recovery=recovery) as server,
        as_owner(server),
    ):
        yield server


def as_owner(server: PrivateServer) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection of the database's owner, once the server takes any."""
    owner = str(psycopg.conninfo.conninfo_to_dict(settings.DATABASE_BACKUP_URL)["user"])
    connections: list[psycopg.Connection[tuple[object, ...]]] = []

    def connects() -> bool:
        with suppress(psycopg.OperationalError):
            connections.append(server.connect(owner))
        return bool(connections)

    eventually(connects)
    return connections[0]
