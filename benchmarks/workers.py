"""The work of a withdrawal on a database that Citus divides over several servers, all on this machine: CPU,
log and transactions of each server for each call. Servers that share two cores show no speed.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from benchmarks import cpu
from benchmarks.command import say, step
from benchmarks.measured import Work
from benchmarks.servers import HOST, Address, free_port, run, serving
from benchmarks.traffic import Login
from config.launcher.supervisor import PROGRAMS
from tests.support.citus import APP, EXTENSION, OWNER, cluster, connect, join, programs

MOST = 3


class Reading(NamedTuple):
    """What a server has done so far: seconds of CPU, bytes of its log, transactions."""

    cpu: float
    log: int
    transactions: int


class PerCall(NamedTuple):
    """The same for each call, CPU in microseconds."""

    cpu_us: float
    log_bytes: float
    transactions: float


def measure(seconds: float) -> dict[str, Any]:
    """One database, then a cluster of one, two and three servers with players; nothing where Citus is not."""
    if programs() is None:
        say("skipped: no Citus")
        return {"skipped": "no Citus", "errors": 0}
    found: dict[str, dict[str, PerCall]] = {}
    errors = 0
    with cluster(MOST + 1) as ports:
        with step("Making a database"):
            login = seed(ports[0])
        environment = platform(ports[0])
        for number in range(MOST + 1):
            if number:
                with step(f"Dividing it over {number} servers"):
                    divide(ports[: number + 1])
                environment |= {"DATABASE_DISTRIBUTED": "true"}
            name = f"{number} workers" if number else "one database"
            found[name], failed = work(ports[: number + 1], environment, login, seconds)
            errors += failed
    show(found)
    return {
        "per_call": {
            name: {server: of._asdict() for server, of in each.items()} for name, each in found.items()
        },
        "errors": errors,
    }


def divide(ports: Sequence[int]) -> None:
    """Adds the last of these servers, and moves its share of the players there."""
    if len(ports) == 2:
        join(list(ports))
    else:
        with connect(ports[-1]) as owner:
            owner.execute(EXTENSION)
        with connect(ports[0]) as owner:
            owner.execute("SELECT citus_add_node(%s, %s)", [HOST, ports[-1]])
            owner.execute("SELECT rebalance_table_shards(shard_transfer_mode => 'block_writes')")
    run("manage.py", "distribute", "--yes", environment=platform(ports[0], OWNER))


def platform(port: int, role: str = APP) -> dict[str, str]:
    """What the platform's settings read for a database there."""
    url = f"postgres://{role}@{HOST}:{port}/wallet"
    return {**os.environ, "DATABASE_URL": url, "DEMO": "0", "DATABASE_STATEMENT_TIMEOUT": "0"}


def seed(port: int) -> Login:
    run("manage.py", "migrate", "--no-input", environment=platform(port, OWNER))
    seeded = json.loads(run("-m", "benchmarks.seed", environment=platform(port)))
    return Login(seeded["username"], seeded["password"])


def work(
    ports: Sequence[int], environment: Mapping[str, str], login: Login, seconds: float
) -> tuple[dict[str, PerCall], int]:
    """What a withdrawal costs each server, by its name, and how many failed. The first seconds, in which
    sessions are remembered and marked, are not counted.
    """
    with web_server(environment) as where:
        warm = Work("warm up").load(where, login).run(seconds)
        first = [read(port) for port in ports]
        result = Work("withdrawals").load(where, login).run(seconds)
        last = [read(port) for port in ports]
    calls = max(1, result.all_answers)
    names = ["coordinator", *(f"worker {number}" for number in range(1, len(ports)))]
    spent = {
        name: PerCall(
            (after.cpu - before.cpu) / calls * 1e6,
            (after.log - before.log) / calls,
            (after.transactions - before.transactions) / calls,
        )
        for name, before, after in zip(names, first, last, strict=True)
    }
    for example in [*warm.examples, *result.examples]:
        say(f"    error: {example}")
    return spent, warm.errors + result.errors


@contextmanager
def web_server(environment: Mapping[str, str]) -> Iterator[Address]:
    port = free_port()
    told = {**environment, "HOST": HOST, "PORT": str(port)}
    with serving("workers", port, PROGRAMS["gunicorn"], told) as where:
        yield where


def read(port: int) -> Reading:
    """Now; what backends have counted is told a second later at most."""
    with connect(port) as connection:
        connection.execute("SELECT pg_sleep(1.5)")
        row = connection.execute(
            "SELECT pg_current_wal_insert_lsn() - '0/0', xact_commit "
            "FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        assert row is not None
        postmaster = cpu.postmaster_of(connection.info.backend_pid)
        seconds = cpu.family_seconds(postmaster) if postmaster else 0.0
    return Reading(seconds, int(str(row[0])), int(str(row[1])))


def show(found: Mapping[str, Mapping[str, PerCall]]) -> None:
    """A line for each server, and the sum of each cluster."""
    say(f"\n{'for each withdrawal':<32}{'CPU, µs':>10}{'log, bytes':>12}{'transactions':>14}")
    for name, servers in found.items():
        total = PerCall(*map(sum, zip(*servers.values(), strict=True)))
        for server, of in [*servers.items(), ("all", total)]:
            say(f"{name + ', ' + server:<32}{of.cpu_us:>10.0f}{of.log_bytes:>12.0f}{of.transactions:>14.2f}")
