"""Three PostgreSQL servers on this machine with Citus in them, where it is installed: one that is asked, two
that hold what players have.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from benchmarks.servers import free_port
from config.launcher.placement import unprivileged_user
from config.launcher.programs import environment

USER = unprivileged_user(Path("/nowhere"))
SETTINGS = {
    "shared_preload_libraries": "citus",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "max_prepared_transactions": "200",
    "wal_level": "logical",
    "fsync": "off",
    # It would tell its makers of the cluster.
    "citus.enable_statistics_collection": "off",
    "citus.shard_count": "8",
}
OWNER, APP = "wallet_owner", "wallet_app"
# In a migrated database functions are nobody's by default.
EXTENSION = "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON ROUTINES TO PUBLIC; CREATE EXTENSION citus"


def programs() -> Path | None:
    """PostgreSQL's programs of a version that has Citus."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/lib/citus.so"))
    return found[-1].parents[1] / "bin" if found else None


@contextmanager
def cluster() -> Iterator[list[int]]:
    """The ports of three servers, of which the first knows nothing of the others yet."""
    home = Path(mkdtemp(prefix="citus-", dir="/tmp"))
    ports = [free_port() for _ in range(3)]
    try:
        if USER:
            os.chown(home, *USER)
        with ExitStack() as running:
            for port in ports:
                running.enter_context(server(home, port))
            for port in ports:
                with connect(port, "postgres") as administrator:
                    administrator.execute(f"CREATE ROLE {APP} LOGIN")
                    administrator.execute("CREATE DATABASE wallet")
            yield ports
    finally:
        shutil.rmtree(home)


@contextmanager
def server(home: Path, port: int) -> Iterator[None]:
    data, bin = home / str(port), programs()
    run(f"{bin}/initdb", "-D", data, "-U", OWNER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    words = SETTINGS | {"port": str(port), "unix_socket_directories": str(home)}
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in words.items())
    run(f"{bin}/pg_ctl", "-D", data, "-l", home / f"{port}.log", "-w", "start")
    try:
        yield
    finally:
        run(f"{bin}/pg_ctl", "-D", data, "-m", "immediate", "stop")


def run(*words: object) -> None:
    subprocess.run(
        [str(word) for word in words],
        user=USER.uid if USER else None,
        group=USER.gid if USER else None,
        extra_groups=[] if USER else None,
        # Not of root's home, which PostgreSQL's user may not read.
        env=environment(),
        cwd="/",
        stdout=subprocess.DEVNULL,
        check=True,
    )


def connect(port: int, database: str = "wallet") -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(host="127.0.0.1", port=port, user=OWNER, dbname=database, autocommit=True)


def join(ports: list[int]) -> None:
    """Makes one cluster of them, whose first server holds nothing of players."""
    for port in ports:
        with connect(port) as owner:
            owner.execute(EXTENSION)
    first, *others = ports
    with connect(first) as owner:
        owner.execute("SELECT citus_set_coordinator_host('127.0.0.1', %s)", [first])
        for port in others:
            owner.execute("SELECT citus_add_node('127.0.0.1', %s)", [port])
        owner.execute("SELECT citus_set_node_property('127.0.0.1', %s, 'shouldhaveshards', false)", [first])
