"""The embedded PostgreSQL: a real server, supervised by us and reached through a unix socket only."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.launcher.instance import Instance
from config.launcher.processes import (
    CannotStart,
    Child,
    Ending,
    birth,
    end_stranger,
    start,
    stop,
    wait_until,
    works_in,
)
from config.launcher.programs import environment, postgres_programs
from config.launcher.restarts import Part

DATABASE, OWNER, APP = "wallet", "wallet_owner", "wallet_app"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "400",
    "shared_buffers": "256MB",
    # The first change of a page after a checkpoint writes all of it to the log: rare checkpoints write less.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# Of the machine's memory, a quarter within these, in MB: what indexes are written at should be in it.
LEAST_BUFFERS, MOST_BUFFERS = 128, 1024
# For tests: survives the death of every process, but not of the machine.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# "Fast" shutdown writes everything down; "immediate" leaves it to the log, which loses nothing either.
ENDINGS = (Ending(signal.SIGINT, 60), Ending(signal.SIGQUIT, 10))
SOCKET = ".s.PGSQL.5432"
# Replaying the log after a crash takes its time.
START_SECONDS = 300.0


@contextmanager
def running_postgres(instance: Instance, *, durable: bool) -> Iterator[tuple[Part, dict[str, str]]]:
    """A PostgreSQL server on the instance's data, and the addresses of its database for the two roles."""
    programs = postgres_programs(instance.user)
    home = instance.directory("postgres", instance.user)
    data = home / "data"
    if not data.exists():
        initialise(programs, home, instance)
    with instance.sockets(home, SOCKET, instance.user) as sockets:

        def begin() -> Child:
            end_what_is_left(data, sockets)
            return start_server(programs, data, sockets, instance, durable=durable)

        part = Part("PostgreSQL", begin, is_needed=True)
        try:
            wait_for(part.child, instance, sockets)
            create_database(instance, sockets)
            yield (
                part,
                {
                    "DATABASE_URL": address(instance, sockets, APP),
                    "DATABASE_OWNER_URL": address(instance, sockets, OWNER),
                },
            )
        finally:
            part.stop()


def initialise(programs: Path, home: Path, instance: Instance) -> None:
    """Make the data directory; it gets its name when it is complete,
    so that an interrupted one is never trusted.
    """
    for left in home.glob("initdb-*"):
        shutil.rmtree(left)
    draft = Path(tempfile.mkdtemp(prefix="initdb-", dir=home))
    password = draft / "password"
    password.write_text(instance.secrets["owner_password"])
    if instance.user:
        for path in (draft, password):
            os.chown(path, *instance.user)
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    access = ("--auth=scram-sha-256", f"--username={OWNER}", f"--pwfile={password}")
    command = [str(programs / "initdb"), "-D", str(draft / "data"), *access, *locale]
    with instance.log("postgres") as log:
        child = start(
            "initdb", command, environment=environment(), user=instance.user, log=log, directory=Path("/")
        )
    try:
        if child.process.wait(START_SECONDS) != 0:
            raise instance.failure("PostgreSQL's data directory could not be made", "postgres")
    finally:
        stop(child)
    (draft / "data").rename(home / "data")
    shutil.rmtree(draft)


def end_what_is_left(data: Path, sockets: Path) -> None:
    """End a server that an earlier start left on this data, and remove what would only look like one."""
    pid_file = data / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, IndexError):
        pid = int(pid_file.read_text().split()[0])
        if works_in(pid, data):
            end_stranger(pid, lambda: works_in(pid, data), ENDINGS)
        elif birth(pid):  # the number went to another process, which PostgreSQL would take for a server
            pid_file.unlink()
    for name in (SOCKET, f"{SOCKET}.lock"):
        (sockets / name).unlink(missing_ok=True)


def start_server(programs: Path, data: Path, sockets: Path, instance: Instance, *, durable: bool) -> Child:
    kind = {"shared_buffers": f"{shared_buffers(machine_memory())}MB"} if durable else FAST
    settings = SETTINGS | kind | {"unix_socket_directories": str(sockets)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with instance.log("postgres") as log:
        return start(
            "PostgreSQL",
            [str(programs / "postgres"), "-D", str(data), *options],
            environment=environment(),
            user=instance.user,
            log=log,
            directory=Path("/"),
            endings=ENDINGS,
        )


def shared_buffers(memory: int) -> int:
    """How much PostgreSQL takes for pages on a machine with so many bytes, in MB."""
    return max(LEAST_BUFFERS, min(MOST_BUFFERS, memory // 4 // 2**20))


def machine_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def wait_for(child: Child, instance: Instance, sockets: Path) -> None:
    """Wait until the server answers."""

    def answers() -> bool:
        if child.process.poll() is not None:
            raise instance.failure("PostgreSQL ended while it was starting", "postgres")
        try:
            connect(instance, sockets, "postgres").close()
        except psycopg.OperationalError as problem:
            if "password authentication failed" in str(problem):
                raise CannotStart(
                    f"The password in {instance.home / 'secrets.json'} is not that of the data beside it."
                ) from None
            return False
        return True

    if not wait_until(answers, START_SECONDS):
        raise instance.failure("PostgreSQL did not answer in time", "postgres")


def connect(instance: Instance, sockets: Path, database: str) -> psycopg.Connection:
    password = instance.secrets["owner_password"]
    return psycopg.connect(
        host=str(sockets), port=5432, user=OWNER, password=password, dbname=database, autocommit=True
    )


def create_database(instance: Instance, sockets: Path) -> None:
    """The database, and the application's role, which can use what migrations grant it and make nothing."""
    with connect(instance, sockets, "postgres") as connection:
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [APP]).rowcount:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(APP)))
        role = "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}"
        connection.execute(
            sql.SQL(role).format(sql.Identifier(APP), sql.Literal(instance.secrets["app_password"]))
        )
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        rights = "REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO {1}"
        connection.execute(sql.SQL(rights).format(sql.Identifier(DATABASE), sql.Identifier(APP)))


def address(instance: Instance, sockets: Path, role: str) -> str:
    """A URL that libpq and django-environ both read:
    the path stands in the query, for a host's name loses its capitals.
    """
    password = instance.secrets["owner_password" if role == OWNER else "app_password"]
    return f"postgres://{role}:{password}@/{DATABASE}?host={quote(str(sockets))}"
