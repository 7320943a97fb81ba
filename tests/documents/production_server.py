"""A PostgreSQL that is set up as docs/production.md says, by its own blocks, with an archive of its log."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.launcher.placement import unprivileged_user
from config.launcher.postgres import ENDINGS
from config.launcher.processes import User, start, stop, wait_until
from config.launcher.programs import environment, postgres_programs
from tests.support.web_server import free_port

ROLE = re.compile(r"(CREATE ROLE (\w+) .*)…")
# What the page says of the network, on a machine whose PostgreSQL has no TLS.
ACCESS = """
local all all trust
host all,replication all 127.0.0.1/32 scram-sha-256
"""


def password(of: str) -> str:
    """Each has its own, or nothing starts."""
    return f"a-password-of-{of}-alone"


@dataclass(frozen=True)
class ProductionServer:
    """Its data, `/srv` of the machine, the programs and the port; `user` runs it if we are root."""

    data: Path
    srv: Path
    programs: Path
    port: int
    user: User | None

    def url(self, role: str, database: str = "wallet") -> str:
        return f"postgres://{role}:{password(role)}@127.0.0.1:{self.port}/{database}"

    def execute(self, text: str, database: str = "postgres") -> None:
        """Runs each statement of a block, as the superuser, alone as some must be."""
        place = self.srv.parent
        with psycopg.connect(
            host=str(place), port=self.port, user="postgres", dbname=database, autocommit=True
        ) as connection:
            for statement in ROLE.sub(lambda row: row[1] + password(row[2]), text).split(";\n"):
                connection.execute(statement.encode())

    def run(self, *words: str, home: Path = Path("/")) -> None:
        """One of PostgreSQL's programs, as its user."""
        done = subprocess.run(
            [str(self.programs / words[0]), *words[1:]],
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout

    @contextmanager
    def running(self) -> Iterator[None]:
        """It ends with the block, or with this process."""
        words = [str(self.programs / "postgres"), "-D", str(self.data)]
        with (self.data.parent / "log").open("wb") as log:
            child = start(
                "PostgreSQL",
                words,
                environment=environment(),
                user=self.user,
                log=log,
                directory=Path("/"),
                endings=ENDINGS,
            )
        try:
            assert wait_until(self.answers, 60), (self.data.parent / "log").read_text()
            yield
        finally:
            stop(child)

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.execute("SELECT 1")
            return True
        return False


@contextmanager
def production_server(settings: str) -> Iterator[ProductionServer]:
    """The server with these settings, until the block ends."""
    home = Path(tempfile.mkdtemp(prefix="walk-"))
    user = unprivileged_user(home)
    server = ProductionServer(home / "data", home / "srv", postgres_programs(user), free_port(), user)
    try:
        (server.srv / "wal-archive").mkdir(parents=True)
        (server.srv / "backups").mkdir()
        for path in (home, *server.srv.iterdir()):
            os.chown(path, *(user or (os.geteuid(), os.getegid())))
        home.chmod(0o711)
        prepare(server, settings)
        with server.running():
            yield server
    finally:
        shutil.rmtree(home)


def prepare(server: ProductionServer, settings: str) -> None:
    """The data, with the settings of the page and what this machine needs besides."""
    server.run(
        "initdb", "--pgdata", str(server.data), "--username", "postgres", "--auth", "trust", "--no-sync"
    )
    assert "ssl = on\n" in settings
    lines = settings.replace("ssl = on\n", "").replace("/srv/", f"{server.srv}/")
    here = f"port = {server.port}\nunix_socket_directories = '{server.data.parent}'\n"
    with (server.data / "postgresql.conf").open("a") as file:
        # A machine that runs tests has less memory than the page's.
        file.write(lines.replace("shared_buffers = 4GB", "shared_buffers = 128MB") + here)
    (server.data / "pg_hba.conf").write_text(ACCESS)
