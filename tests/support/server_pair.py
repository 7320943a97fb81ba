"""Two database servers: the one follows the other, until that dies and it takes over."""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg

from config.launcher import postgres
from config.launcher.instance import Instance
from config.launcher.processes import Child, stop
from config.launcher.programs import postgres_programs
from config.recovery.programs import User, program, run
from tests.faults.platform_processes import Platform, at_database, children_of, eventually
from tests.support.slow_line import SlowLine, slow_line

FOLLOWS = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
IN_RECOVERY = "SELECT pg_is_in_recovery()"


@dataclass
class Server:
    """One of the two, where its data and its socket are."""

    data: Path
    sockets: Path
    child: Child | None = None


@dataclass
class ServerPair:
    """`primary` takes writes, `standby` follows; with `is_synchronous` nothing is answered that it lacks, and
    with a `line` everything reaches it late.
    """

    instance: Instance
    owner_url: str
    is_synchronous: bool
    primary: Server
    standby: Server
    line: SlowLine | None = None
    children: list[Child] = field(default_factory=list)

    def address(self, url: str, *servers: Server) -> str:
        """The same URL, at these servers."""
        hosts = ",".join(str(server.sockets) for server in servers)
        return urlsplit(url)._replace(query=f"host={quote(hosts, safe='/,')}").geturl()

    def owner(self, server: Server) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.address(self.owner_url, server), autocommit=True)

    def follow(self) -> None:
        """A new standby, which has all that the primary has."""
        shutil.rmtree(self.standby.data, ignore_errors=True)
        postgres.end_what_is_left(self.standby.data, self.standby.sockets)
        words = ["--dbname", self.address(self.owner_url, self.primary), "--pgdata", str(self.standby.data)]
        user = self.instance.user
        run(
            [program("pg_basebackup"), *words, "--checkpoint=fast", "--write-recovery-conf"],
            user=User(user.uid, user.gid) if user else None,
        )
        if self.line:
            self.take(self.line)
        self.standby.child = self.started(self.standby)
        with self.owner(self.primary) as primary:
            # Only now: the standby must not have it when it takes over, and nobody follows.
            names = "*" if self.is_synchronous else ""
            primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
            primary.execute("SELECT pg_reload_conf()")
            state = "sync" if self.is_synchronous else "async"
            eventually(lambda: primary.execute(FOLLOWS).fetchone() == (state,), "the standby follows")

    def take(self, line: SlowLine) -> None:
        """From now on the standby follows by this line."""
        line.target = self.primary.sockets / postgres.SOCKET
        words = psycopg.conninfo.make_conninfo(self.owner_url, host=str(line.place))
        with (self.standby.data / "postgresql.auto.conf").open("a") as settings:
            settings.write("primary_conninfo = '{}'\n".format(words.replace("'", "''")))

    def started(self, server: Server) -> Child:
        programs = postgres_programs(self.instance.user)
        child = postgres.start_server(programs, server.data, server.sockets, self.instance, durable=True)
        self.children.append(child)
        return child

    def fail_over(self) -> None:
        """The primary's machine is gone; the standby takes over, and is the primary."""
        assert self.primary.child
        lose(self.primary.child)
        with self.owner(self.standby) as standby:
            assert standby.execute("SELECT pg_promote(true, 60)").fetchone() == (True,)
            assert standby.execute(IN_RECOVERY).fetchone() == (False,)
        self.primary, self.standby = self.standby, self.primary


def lose(server: Child) -> None:
    """kill -9 of a server and of all its processes, which have groups of their own."""
    pids = [server.process.pid, *children_of(server)]
    # The first: nobody is begun anew.
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.process.wait(30)
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the server is gone")


@contextmanager
def running_pair(
    platform: Platform, *, is_synchronous: bool, late_seconds: float = 0
) -> Iterator[ServerPair]:
    """The platform's server, and another that follows it, so many seconds late. The platform's processes know
    both addresses, and this process's Django as well.
    """
    servers, instance = platform.servers, platform.servers.instance
    home = instance.directory(f"standby-{random.randrange(10**6)}", instance.user)
    first = Server(instance.home / "postgres" / "data", servers.postgres_sockets, servers.postgres)
    with ExitStack() as stack:
        sockets = stack.enter_context(instance.sockets(home, postgres.SOCKET, instance.user))
        second, line = Server(home / "data", sockets), None
        if late_seconds:
            place = instance.directory(f"line-{random.randrange(10**6)}", instance.user)
            line = stack.enter_context(slow_line(place, postgres.SOCKET, late_seconds))
        pair = ServerPair(instance, platform.owner_url, is_synchronous, first, second, line)
        url = pair.address(servers.addresses["DATABASE_URL"], first, second)
        platform.environment["DATABASE_URL"] = url
        try:
            pair.follow()
            with at_database(url):
                yield pair
        finally:
            for child in pair.children:
                stop(child)
