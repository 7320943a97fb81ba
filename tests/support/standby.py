"""A hot standby of the tests' own server, which can be behind, cancel, hang, end and become a primary."""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from config.recovery.private_server import PrivateServer, private_server
from config.recovery.programs import User, program, run
from lib.standby import ALIAS, STANDBY
from tests.support.launcher import eventually
from tests.support.recovery import USER, as_owner, copying, reachable_directory

POSITION = "SELECT pg_current_wal_lsn()::text"
HAS_COME = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"


@dataclass(frozen=True)
class OwnStandby:
    """`owner` is connected to it as a superuser, `primary` to the server that it follows."""

    server: PrivateServer
    owner: "psycopg.Connection[Any]"
    primary: "psycopg.Connection[Any]"

    def write(self) -> None:
        """Something is committed at the primary, and with it all that was before: tests do not flush else."""
        self.primary.execute("SELECT pg_logical_emit_message(true, 'tests', 'written')")

    def follow(self) -> None:
        """Returns when it has all that was committed until now."""
        self.write()
        row = self.primary.execute(POSITION).fetchone()
        assert row
        eventually(lambda: self.owner.execute(HAS_COME, [row[0]]).fetchone() == (True,), 90)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """It replays nothing meanwhile."""
        self.owner.execute("SELECT pg_wal_replay_pause()")
        eventually(
            lambda: self.owner.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",)
        )
        try:
            yield
        finally:
            self.owner.execute("SELECT pg_wal_replay_resume()")

    @contextmanager
    def used(self, **options: str) -> Iterator[None]:
        """DATABASE_REPORTS_URL names it meanwhile."""
        with named(str(self.server.home), **options):
            yield


@contextmanager
def named(place: str, port: str = "5432", **options: str) -> Iterator[None]:
    """DATABASE_REPORTS_URL names a server at this place meanwhile, whatever it is."""
    ours, before = connection.settings_dict, connections.settings.get(ALIAS)
    given = {name: ours["OPTIONS"][name] for name in ("options", "connect_timeout")}
    given_now = ours | {
        "ENGINE": "lib.standby_backend",
        "HOST": place,
        "PORT": port,
        "OPTIONS": given | {"connect_timeout": 2, "target_session_attrs": "standby"} | options,
    }
    replace(given_now)
    try:
        yield
    finally:
        replace(before)


def replace(given: dict[str, Any] | None) -> None:
    """From now on the standby is this one, or there is none."""
    if ALIAS in connections.settings:
        connections[ALIAS].close()
        del connections[ALIAS], connections.settings[ALIAS]
    if given:
        connections.settings[ALIAS] = given
    STANDBY.forget()


@contextmanager
def noting_readers(monkeypatch: pytest.MonkeyPatch, place: Path) -> Iterator[list[str]]:
    """There is a standby meanwhile, which is away; each time that it is asked is noted."""
    noted: list[str] = []

    def ask(*ignored: Any) -> None:
        noted.append("".join(traceback.format_stack(limit=12)))
        raise OperationalError("the standby was asked")

    with named(str(place)):
        for name in ("connect", "cursor"):
            monkeypatch.setattr(connections[ALIAS], name, ask)
        yield noted


@contextmanager
def running_standby() -> Iterator[OwnStandby]:
    """A standby of the tests' own server until the block ends."""
    url = os.environ["DATABASE_OWNER_URL"]
    with copying(), reachable_directory() as place, psycopg.connect(url, autocommit=True) as primary:
        data = copied(url, place)
        recovery = {
            "restore_command": "",
            "primary_conninfo": psycopg.conninfo.make_conninfo(url),
            # As the tests' server: it follows as fast.
            "fsync": "off",
            "max_wal_size": "2GB",
            "shared_buffers": "256MB",
            "hot_standby_feedback": "off",
            "max_standby_streaming_delay": "0",
        }
        user = User(*USER) if USER else None
        database = connection.settings_dict["NAME"]
        with (
            private_server(data, user=user, database=database, recovery=recovery) as server,
            as_owner(server) as owner,
        ):
            primary.execute("SET synchronous_commit = on")
            standby = OwnStandby(server, owner, primary)
            standby.follow()
            yield standby


def copied(url: str, place: Path) -> Path:
    """A copy of the server, which begins as a standby."""
    data = place / "data"
    words = ["--dbname", url, "--pgdata", str(data), "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
    user = User(*USER) if USER else None
    run([program("pg_basebackup"), *words, "--write-recovery-conf"], user=user)
    return data
