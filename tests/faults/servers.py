"""PostgreSQL and Valkey of a test's own, which can be killed and started again where they were."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import redis

from config.launcher import postgres, valkey
from config.launcher.instance import Instance
from config.launcher.processes import Child, stop
from config.launcher.programs import postgres_programs


@dataclass
class Servers:
    """The two servers, and the addresses that processes find them at."""

    instance: Instance
    postgres: Child
    valkey: Child
    addresses: dict[str, str]
    durable: bool
    stack: ExitStack = field(repr=False)

    @property
    def postgres_sockets(self) -> Path:
        return Path(parse_qs(urlsplit(self.addresses["DATABASE_URL"]).query)["host"][0])

    @property
    def valkey_socket(self) -> Path:
        return Path(unquote(urlsplit(self.addresses["REDIS_URL"]).path))

    def stop_postgres(self) -> None:
        """As `pg_ctl stop -m immediate`, if it has not ended by itself: every connection is lost."""
        if not self.postgres.ended:
            self.postgres.process.send_signal(signal.SIGQUIT)
        self.postgres.process.wait(30)

    def begin_postgres(self) -> None:
        """It recovers from its log."""
        programs, data = postgres_programs(self.instance.user), self.instance.home / "postgres" / "data"
        self.postgres = postgres.start_server(
            programs, data, self.postgres_sockets, self.instance, durable=self.durable
        )
        self.stack.callback(stop, self.postgres)
        postgres.wait_for(self.postgres, self.instance, self.postgres_sockets)

    def kill_valkey(self) -> None:
        os.kill(self.valkey.process.pid, signal.SIGKILL)
        self.valkey.process.wait(30)

    def start_valkey(self) -> None:
        """Where it was before, with what its file has kept."""
        self.valkey = valkey.start_server(
            self.instance.home / "valkey", self.valkey_socket, self.instance, durable=self.durable
        )
        self.stack.callback(stop, self.valkey)
        valkey.wait_for(self.valkey, self.instance, self.valkey_socket)

    def hang_valkey(self) -> None:
        """It keeps its connections, and answers none."""
        os.kill(self.valkey.process.pid, signal.SIGSTOP)

    def wake_valkey(self) -> None:
        os.kill(self.valkey.process.pid, signal.SIGCONT)

    def valkey_client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.valkey_socket))

    def demote_valkey(self) -> None:
        """A failover has made it the replica of a server that nobody reaches: it takes no writes."""
        with self.valkey_client() as client:
            client.replicaof("127.0.0.1", 1)

    def promote_valkey(self) -> None:
        with self.valkey_client() as client:
            client.replicaof("NO", "ONE")

    def starve_valkey(self) -> None:
        """It has no memory left: it takes no writes (`noeviction`)."""
        with self.valkey_client() as client:
            client.config_set("maxmemory", "1")

    def feed_valkey(self) -> None:
        with self.valkey_client() as client:
            client.config_set("maxmemory", "0")

    def flush_valkey(self) -> None:
        with self.valkey_client() as client:
            client.flushall()

    def postgres_log(self) -> str:
        return (self.instance.home / "postgres.log").read_text(errors="replace")


@contextmanager
def running_servers(instance: Instance, *, durable: bool) -> Iterator[Servers]:
    """Both servers until the block ends.

    Where they are `durable`, what was committed survives their deaths.
    """
    with ExitStack() as stack:
        store, first = stack.enter_context(valkey.running_valkey(instance, durable=durable))
        database, second = stack.enter_context(postgres.running_postgres(instance, durable=durable))
        yield Servers(instance, database.child, store.child, first | second, durable, stack)
