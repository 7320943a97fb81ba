"""deploy/pgbouncer.ini as it is shipped, on a free port in front of a database of a benchmark or a test."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from psycopg.conninfo import conninfo_to_dict

from benchmarks.servers import free_port
from config.launcher.placement import unprivileged_user
from config.launcher.processes import CannotStart, Child, start, stop
from config.launcher.supervisor import ROOT

PATIENCE_SECONDS = 20
KEEPS_PREPARED = (1, 21)


class Pooler(NamedTuple):
    """Where a server finds its database behind the pooler, and what it is told of it."""

    url: str
    kind: str

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url, "DATABASE_POOLER": self.kind}


def installed() -> str | None:
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def version_of(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"PgBouncer (\d+\.\d+)", said)
    return found[1] if found else ""


def kind_of(program: str) -> str:
    """The setting for the version that is installed."""
    number = tuple(map(int, version_of(program).split(".")))
    return "prepares" if number >= KEEPS_PREPARED else "plain"


def shipped(database_url: str, port: int, home: Path, kind: str) -> str:
    """The file, for this database on this port."""
    told = conninfo_to_dict(database_url)
    server, name = f"host={told['host']} port={told.get('port', 5432)}", str(told["dbname"])
    text = (ROOT / "deploy" / "pgbouncer.ini").read_text()
    text = text.replace("host=db.example.com port=5432 dbname=wallet", f"{server} dbname={name}")
    text = text.replace("\nwallet", f"\n{name}").replace("6432", str(port))
    text = text.replace("/etc/pgbouncer/users.txt", str(home / "users.txt"))
    if kind == "plain":
        text = text.replace("max_prepared_statements = 200\n", "")
    return text


@contextmanager
def pooled(database_url: str, home: Path, edit: tuple[str, str] = ("", "")) -> Iterator[Pooler]:
    """A pooler before that database; `edit` replaces something in its file."""
    program = installed()
    if program is None:
        raise CannotStart("PgBouncer is not installed (.ci/pgbouncer).")
    port, kind, told = free_port(), kind_of(program), conninfo_to_dict(database_url)
    login = f"{told['user']}:{told['password']}"
    # It does not run as root.
    user = unprivileged_user(home)
    with TemporaryDirectory() as name:
        place = Path(name)
        settings, users = place / "pgbouncer.ini", place / "users.txt"
        users.write_text(f'"{told["user"]}" "{told["password"]}"\n')
        settings.write_text(shipped(database_url, port, place, kind).replace(*edit))
        if user:
            for path in (place, settings, users):
                os.chown(path, user.uid, user.gid)
        with (home / "log").open("wb") as log:
            child = start(
                "pgbouncer", [program, str(settings)], environment={}, user=user, log=log, directory=place
            )
            try:
                wait_for(port, child, home / "log")
                yield Pooler(f"postgres://{login}@127.0.0.1:{port}/{told['dbname']}", kind)
            finally:
                stop(child)


def wait_for(port: int, child: Child, log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if child.ended or time.monotonic() > end:
                raise CannotStart(f"PgBouncer did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
