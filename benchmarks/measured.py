"""Rounds of work over HTTP and of pgbench: rates, times and CPU per request; medians count."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmarks import cpu
from benchmarks.command import say
from benchmarks.databases import connect
from benchmarks.ledger import Raw
from benchmarks.load import Exchange, Load, Result
from benchmarks.servers import Address, pid_of
from benchmarks.traffic import Login, withdrawals

CONNECTIONS = 16
WARM_UP_SECONDS = 2.0


class Work(NamedTuple):
    """A kind of work: what is sent, over how many connections, how many of them wait for an answer at a time
    (all, if not said), and how long it is measured, as a share of a whole round.
    """

    name: str
    calls: Callable[[Login], Iterator[Exchange]] = withdrawals
    connections: int = CONNECTIONS
    under_way: int | None = None
    share: float = 1.0

    def load(self, where: Address, login: Login) -> Load:
        return Load(where, self.connections, lambda: self.calls(login), under_way=self.under_way)


class Round(NamedTuple):
    """One round's figures; CPU in microseconds per request, `others` a share of all cores."""

    rate: float
    p50_ms: float
    p99_ms: float
    web_us: float
    postgresql_us: float
    generator_us: float
    others: float

    @property
    def cpu_us(self) -> float:
        """All that a request costs."""
        return self.web_us + self.postgresql_us + self.generator_us

    def __str__(self) -> str:
        return (
            f"{self.rate:8.0f} /s   p50 {self.p50_ms:6.1f}  p99 {self.p99_ms:6.1f} ms   "
            f"CPU µs each: web {self.web_us:4.0f}  PostgreSQL {self.postgresql_us:4.0f}  "
            f"generator {self.generator_us:3.0f}   others {self.others:4.0%}"
        )


@dataclass
class Measured:
    """The rounds of each kind of work, by its name."""

    rounds: dict[str, list[Round]] = field(default_factory=dict)
    errors: int = 0
    postmaster: int | None = None
    warm: set[Address] = field(default_factory=set)

    def watch(self, database: str) -> None:
        """From now on with the CPU of the server that has this database, if it is on this machine."""
        with connect(database) as connection:
            self.postmaster = cpu.postmaster_of(connection.info.backend_pid)

    def run(self, work: Work, where: Address, login: Login, seconds: float, *, warm_up: float = 0.5) -> None:
        """One round, shown as it ends."""
        if where not in self.warm:
            # Over connections of their own: the measured ones find all workers of a new server ready.
            self.warm.add(where)
            self.count_errors(work.load(where, login).run(WARM_UP_SECONDS))
        first = cpu.read(pid_of(where), self.postmaster)
        result = work.load(where, login).run(seconds * work.share, warm_up=warm_up)
        used = cpu.usage(first, cpu.read(pid_of(where), self.postmaster))
        self.add(work.name, round_of(result, used))
        self.count_errors(result)

    def run_pgbench(self, name: str, measure: Callable[[], Raw]) -> None:
        """One round of pgbench, which tells no p50 and p99: its mean stands for both."""
        first = cpu.read(None, self.postmaster)
        raw = measure()
        used = cpu.usage(first, cpu.read(None, self.postmaster))
        self.add(name, figures_of(raw.tps, raw.latency_ms, raw.latency_ms, raw.transactions, used))

    def add(self, name: str, a_round: Round) -> None:
        self.rounds.setdefault(name, []).append(a_round)
        say(f"  {name:<30}{a_round}")

    def count_errors(self, result: Result) -> None:
        self.errors += result.errors
        if result.errors:
            say(f"    {result.errors} errors")
        for example in result.examples:
            say(f"    error: {example}")

    def median(self, name: str) -> Round:
        """Each figure's own median."""
        return Round(*map(statistics.median, zip(*self.rounds[name], strict=True)))

    def rate(self, name: str) -> float:
        """The median of the rounds, in requests per second."""
        return self.median(name).rate

    def figures(self) -> dict[str, Any]:
        return {name: self.median(name)._asdict() for name in self.rounds}

    def show(self) -> None:
        """The table of the medians."""
        say("\nMedians; CPU in µs for each request; others' share of all cores meanwhile")
        say(
            f"{'':<30}{'/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'web':>7}{'PostgreSQL':>12}{'load':>7}{'others':>8}"
        )
        for name in self.rounds:
            of = self.median(name)
            say(
                f"{name:<30}{of.rate:>8.0f}{of.p50_ms:>9.1f}{of.p99_ms:>9.1f}{of.web_us:>7.0f}"
                f"{of.postgresql_us:>12.0f}{of.generator_us:>7.0f}{of.others:>8.0%}"
            )
        say(f"\nerrors: {self.errors}\n")


def round_of(result: Result, used: cpu.Usage) -> Round:
    """What one run showed. CPU was used by the answers of its warm-up, too."""
    return figures_of(result.rate, result.latency_ms(0.5), result.latency_ms(0.99), result.all_answers, used)


def figures_of(rate: float, p50_ms: float, p99_ms: float, answers: int, used: cpu.Usage) -> Round:
    web, postgresql, generator = (
        seconds * 1e6 / max(1, answers) for seconds in (used.web, used.postgresql, used.generator)
    )
    return Round(rate, p50_ms, p99_ms, web, postgresql, generator, used.others)
