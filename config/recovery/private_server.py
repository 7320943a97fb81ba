"""A restored server that only we reach: it recovers to a moment, only reads, and is opened or stopped."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from config.recovery.data_directory import control_values, hand_over
from config.recovery.programs import LAST_LINES, CannotRecover, User, base_environment, program, run
from payments.providers.registry import PROVIDERS
from wallet import currencies

# A server that only reads must have room for as much as the one whose log it reads.
ROOM = {
    "max_connections": "max_connections setting",
    "max_worker_processes": "max_worker_processes setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
}
# Nobody reaches it, it sends nothing anywhere, and waits for nobody. As words of the command these win over
# every file of the backed-up server.
PRIVATE = {
    "listen_addresses": "",
    "port": "5432",
    "ssl": "off",
    "archive_mode": "off",
    "hot_standby": "on",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "synchronous_standby_names": "",
    "shared_preload_libraries": "",
    "recovery_target_action": "pause",
    "recovery_target_inclusive": "on",
    "wal_retrieve_retry_interval": "100ms",
    "logging_collector": "off",
    "log_destination": "stderr",
    "lc_messages": "C",
    "timezone": "UTC",
}
HAS_NO_ROOM = "hot standby is not possible because of insufficient parameter settings"
POLL_SECONDS = 0.1
SOCKET = ".s.PGSQL.5432"
# What a connection is told before the data are consistent.
NOT_YET = ("the database system is", "refused")
STATE = "SELECT pg_get_wal_replay_pause_state(), pg_last_wal_replay_lsn()::text"
Told = Callable[[str], None]
TOLD_SECONDS = 10.0


@dataclass(frozen=True)
class PrivateServer:
    """It runs; `home` is its own directory, with its socket."""

    data: Path
    home: Path
    user: User | None
    process: "subprocess.Popen[bytes]"
    database: str

    def connect(self, role: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host=str(self.home), port=5432, user=role, dbname=self.database, autocommit=True
        )

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def control(self, *words: str) -> None:
        run(
            [program("pg_ctl"), *words, "--pgdata", str(self.data), "--wait", "--timeout=3600"],
            user=self.user,
        )

    def wait_for_target(self, tell: Told) -> None:
        """Returns when it has recovered to the moment, and reads only. Raises `CannotRecover`."""
        told = time.monotonic()
        while (state := self.replay_state())[0] != "paused":
            if self.process.poll() is not None:
                last = "\n".join(self.log().splitlines()[-LAST_LINES:])
                raise CannotRecover(f"The restored server has ended while it recovered:\n{last}")
            if time.monotonic() - told > TOLD_SECONDS:
                told = time.monotonic()
                tell(f"The log is replayed up to {state[1] or 'no consistent state yet'}.")
            time.sleep(POLL_SECONDS)
        if HAS_NO_ROOM in self.log():
            raise CannotRecover(
                "While the log was written, the server's settings were raised (max_connections or another): "
                "make a newer backup, or restore with PostgreSQL's own programs."
            )

    def replay_state(self) -> tuple[str, str]:
        """Whether it has paused, and where; nothing while it takes no connections. Raises `CannotRecover`."""
        if not (self.home / SOCKET).exists():
            return "", ""
        try:
            with self.connect(app_role()) as reader:
                row = reader.execute(STATE).fetchone()
        except psycopg.OperationalError as problem:
            if any(words in str(problem) for words in NOT_YET):
                return "", ""
            raise CannotRecover(f"The restored server does not answer as it should: {problem}") from None
        return row or ("", "")


def app_role() -> str:
    """Who the application connects as."""
    role: str = settings.DATABASES["default"]["USER"]
    return role


@contextmanager
def private_server(
    data: Path, *, user: User | None, database: str, recovery: Mapping[str, str]
) -> Iterator[PrivateServer]:
    """Starts the server on `data`, and ends it with the block."""
    home = Path(mkdtemp(prefix="restored-", dir="/tmp"))
    try:
        (home / "hba").write_text("local all all trust\n")
        (home / "conf").touch()
        (home / "log").touch()
        hand_over(home, user)
        process = start(data, home, user, recovery)
        server = PrivateServer(data, home, user, process, database)
        try:
            yield server
        finally:
            if process.poll() is None:
                server.control("stop", "--mode=fast")
            process.wait()
            # `pg_ctl restart` would start it with our words.
            (data / "postmaster.opts").unlink(missing_ok=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def start(
    data: Path, home: Path, user: User | None, recovery: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    stated = control_values(data)
    given = {
        **PRIVATE,
        **{name: stated[line] for name, line in ROOM.items()},
        "config_file": f"{home}/conf",
        "hba_file": f"{home}/hba",
        "ident_file": f"{home}/conf",
        "unix_socket_directories": str(home),
        **recovery,
    }
    words = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
    with (home / "log").open("ab") as log:
        return subprocess.Popen(
            [program("postgres"), "-D", str(data), *words],
            env=base_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,
        )


@contextmanager
def at_server(server: PrivateServer) -> Iterator[None]:
    """This process's Django reads that server meanwhile, as the application."""
    ours = connection.settings_dict
    before = dict(ours)
    forget()
    options = {
        name: value for name, value in ours["OPTIONS"].items() if name in ("options", "connect_timeout")
    }
    ours.update(HOST=str(server.home), PORT="5432", NAME=server.database, PASSWORD="", OPTIONS=options)
    try:
        yield
    finally:
        forget()
        ours.update(before)


def forget() -> None:
    """What this process knows of another database."""
    connection.close()
    PROVIDERS.forget()
    currencies.forget()
