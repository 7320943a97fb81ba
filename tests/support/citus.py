"""Three PostgreSQL servers on this machine with Citus in them, where it is installed: one that is asked, two
that hold what players have. `python -m tests.support.citus COMMAND` runs tests whose databases lie on them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from django.core.management import call_command

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
# To whom no trigger applies, on any of the servers: they connect to each other by the role's name.
FORGER = "wallet_forger"
ROLES = (
    f"CREATE ROLE {APP} LOGIN",
    f"CREATE ROLE {FORGER} LOGIN SUPERUSER",
    f"ALTER ROLE {FORGER} SET session_replication_role = replica",
)
# In the environment of tests: the servers' ports.
PORTS = "CITUS_PORTS"
# In a migrated database functions are nobody's by default.
EXTENSION = "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON ROUTINES TO PUBLIC; CREATE EXTENSION citus"


def programs() -> Path | None:
    """PostgreSQL's programs of a version that has Citus."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/lib/citus.so"))
    return found[-1].parents[1] / "bin" if found else None


@contextmanager
def cluster(servers: int = 3) -> Iterator[list[int]]:
    """The ports of so many servers, of which the first knows nothing of the others yet."""
    home = Path(mkdtemp(prefix="citus-", dir="/tmp"))
    ports = [free_port() for _ in range(servers)]
    try:
        if USER:
            os.chown(home, *USER)
        with ExitStack() as running:
            for port in ports:
                running.enter_context(server(home, port))
            for port in ports:
                with connect(port, "postgres") as administrator:
                    for statement in ROLES:
                        administrator.execute(statement)
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


def join(ports: list[int], database: str = "wallet") -> None:
    """Makes one cluster of them, whose first server holds nothing of players."""
    for port in ports:
        with connect(port, database) as owner:
            owner.execute(EXTENSION)
    first, *others = ports
    with connect(first, database) as owner:
        owner.execute("SELECT citus_set_coordinator_host('127.0.0.1', %s)", [first])
        for port in others:
            owner.execute("SELECT citus_add_node('127.0.0.1', %s)", [port])
        owner.execute("SELECT citus_set_node_property('127.0.0.1', %s, 'shouldhaveshards', false)", [first])


def given_ports() -> list[int]:
    """Of the servers that the tests' databases lie on; none if it is one server."""
    return [int(port) for port in os.environ.get(PORTS, "").split()]


def remake_elsewhere(database: str, *, again: bool = True) -> None:
    """The other servers' databases of that name are dropped, and made anew."""
    for port in given_ports()[1:]:
        with connect(port, "postgres") as administrator:
            administrator.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            if again:
                administrator.execute(f'CREATE DATABASE "{database}"')


def distribute(database: str) -> None:
    """Divides a migrated database, as whose owner Django connects, if the tests' databases are to be."""
    if ports := given_ports():
        join(ports, database)
        call_command("distribute", "--yes", stdout=StringIO())


def main() -> int:
    if programs() is None:
        print("SKIPPED: the tests on a distributed database: no PostgreSQL in /usr/lib/postgresql has Citus")
        return 0
    with cluster() as ports:
        address = f"127.0.0.1:{ports[0]}/wallet"
        told = {
            "DATABASE_URL": f"postgres://{APP}@{address}",
            "DATABASE_OWNER_URL": f"postgres://{OWNER}@{address}",
            "DATABASE_DISTRIBUTED": "true",
            PORTS: " ".join(map(str, ports)),
        }
        return subprocess.run(sys.argv[1:], env=os.environ | told, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
