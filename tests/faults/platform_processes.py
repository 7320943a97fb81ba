"""A platform of a test's own.

Servers that can be killed, a migrated database, and the processes that work on it.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environ
import psycopg
from django.core.management import call_command
from django.db import connection

from config.launcher.instance import opened
from config.launcher.processes import Child, Ending, start, stop
from config.launcher.supervisor import PROGRAMS, ROOT, worker
from config.queues import QUEUES
from payments.providers import registry
from players.access.credentials import CREDENTIALS
from tests.faults.servers import Servers, running_servers
from tests.support.callers import Callers, make_callers
from tests.support.launcher import GIVEN
from tests.support.own_database import fill
from tests.support.web_server import free_port
from wallet import currencies

# `make faults` does everything more often and longer.
LONG = os.environ.get("FAULTS") == "long"
# In seconds; more on a machine that many share.
PATIENCE = float(os.environ.get("FAULTS_PATIENCE") or 90)
SEED = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(10**6))
# Whatever ends such a process, it ends at once; what it leaves undone is what the tests are about.
ENDINGS = (Ending(signal.SIGKILL, 10),)
# Everything happens often, so that a test need not wait.
OFTEN = {
    "SETTLE_SECONDS": "0.4",
    "PULSE_SECONDS": "1",
    "RECENT_AUDIT_SECONDS": "5",
    "OUTGOING_ALLOWED_NETWORKS": "127.0.0.0/8",
    "OUTGOING_TOTAL_SECONDS": "10",
    # A busy machine is no overload.
    "WEB_WAIT_MS": "60000",
}
# One worker for everything, so that a test need not say which it kills.
COMMANDS = {"web": PROGRAMS["gunicorn"], "worker": worker(",".join(QUEUES), 5), "beat": PROGRAMS["beat"]}


def rounds(bounded: int, long: int) -> int:
    """How often a fault happens: as often as in every test run, or as `make faults` has it."""
    return long if LONG else bounded


def eventually(
    true: Callable[[], object],
    what: str,
    seconds: float = PATIENCE,
    instead: Callable[[], object] = lambda: "",
) -> None:
    """Returns when `true` is; fails when that takes too long, and tells what there is `instead`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what} {instead()}"
        time.sleep(0.05)


@dataclass
class Platform:
    """Servers, a database and a world of their own. This process's Django works on that database as well."""

    directory: Path
    servers: Servers
    environment: dict[str, str]
    owner_url: str
    callers: Callers
    stack: ExitStack = field(repr=False)
    # With what each has written.
    started: dict[int, tuple[Child, Path]] = field(default_factory=dict)

    def start(self, name: str, **environment: str) -> Child:
        """A `web`, a `worker` or a `beat`, as `make run` starts it."""
        log_path = self.log(name)
        home = log_path.parent
        words = [word.format(home=home) for word in COMMANDS[name]]
        given = self.environment | {"PROMETHEUS_MULTIPROC_DIR": str(home)} | environment
        with log_path.open("wb") as log:
            child = start(
                name, [sys.executable, *words], environment=given, endings=ENDINGS, log=log, directory=ROOT
            )
        self.stack.callback(stop, child)
        self.started[child.process.pid] = child, log_path
        return child

    def serve(self, port: int | None = None, /, **environment: str) -> tuple[Child, str]:
        """A web server, and its URL."""
        port = port or free_port()
        child = self.start("web", HOST="127.0.0.1", PORT=str(port), **environment)
        return child, f"http://127.0.0.1:{port}"

    def restart_postgres(self) -> None:
        """As `pg_ctl restart -m immediate`. This process's own connection is lost as well, and made anew."""
        self.servers.stop_postgres()
        self.begin_postgres()

    def begin_postgres(self) -> None:
        """After its end; this process's connection is made anew."""
        self.servers.begin_postgres()
        connection.close()

    def end_all(self) -> None:
        """Ends every process, so that the next test meets none of them."""
        for child, _ in self.started.values():
            stop(child)
        self.started.clear()

    def owner(self) -> "psycopg.Connection[Any]":
        """A new connection as the database's owner; every statement commits."""
        return psycopg.connect(self.owner_url, autocommit=True)

    def manage(
        self, *words: str, environment: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment or self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def assert_whole(self) -> None:
        """The audit, as an operator runs it, finds no difference."""
        audited = self.manage("audit_ledger", "--quiet")
        assert (audited.returncode, audited.stdout.endswith(": no difference\n")) == (0, True), (
            audited.stdout + audited.stderr
        )

    def migrate(self, **environment: str) -> None:
        """Migrates as the database's owner, where these settings differ."""
        given = self.environment | {"DATABASE_URL": self.owner_url} | environment
        migrated = self.manage("migrate", "--no-input", environment=given)
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr

    def log(self, name: str) -> Path:
        """Where a new process writes what it says, in a directory of its own."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory)) / "log"

    def said(self, child: Child) -> str:
        """What the process has said so far."""
        return self.started[child.process.pid][1].read_text(errors="replace")


def kill_group(child: Child) -> None:
    """kill -9 of a process and of all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait(10)


def children_of(child: Child) -> list[int]:
    """The processes that a child has started."""
    pid = child.process.pid
    with suppress(FileNotFoundError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@contextmanager
def at_database(url: str) -> Iterator[None]:
    """This process's Django works on another database until the block ends."""
    ours = connection.settings_dict
    before = dict(ours)
    theirs = environ.Env.db_url_config(url)
    forget()
    ours.update(
        theirs
        | {
            "OPTIONS": {name: value for name, value in ours["OPTIONS"].items() if name != "host"}
            | theirs.get("OPTIONS", {})
        }
    )
    try:
        yield
    finally:
        forget()
        ours.update(before)


def forget() -> None:
    """What this process remembers of a database, and its connection."""
    connection.close()
    CREDENTIALS.forget()
    registry.PROVIDERS.forget()
    currencies.forget()


@contextmanager
def running_platform(*, durable: bool) -> Iterator[Platform]:
    """A new platform without any process yet; all of it ends with the block.

    `durable` where the servers themselves are killed.
    """
    directory = Path(tempfile.mkdtemp(prefix="faults-", dir="/tmp"))
    directory.chmod(0o755)  # the unprivileged server must reach it
    try:
        with (
            opened(directory, "faults") as instance,
            running_servers(instance, durable=durable) as servers,
            ExitStack() as stack,
        ):
            owner_url = servers.addresses["DATABASE_OWNER_URL"]
            if not fill(owner_url):
                with at_database(owner_url):
                    call_command("migrate", verbosity=0)
            stack.enter_context(at_database(servers.addresses["DATABASE_URL"]))
            inherited = {
                name: value
                for name, value in os.environ.items()
                if name not in GIVEN or name.endswith(("_KEY", "_KEYS", "_HOSTS"))
            }
            given = (
                inherited
                | servers.addresses
                | OFTEN
                | {"CHECKPOINT_DIRECTORY": str(directory / "checkpoints"), "PYTHONFAULTHANDLER": "1"}
            )
            yield Platform(directory, servers, given, owner_url, make_callers(), stack)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
