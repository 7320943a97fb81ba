"""What load a server bears, and whether the ledger has what callers were told."""

from typing import NamedTuple

from benchmarks.command import say
from benchmarks.databases import CannotMeasure, connect
from benchmarks.load import Load
from benchmarks.open_load import OpenLoad, Outcome
from benchmarks.servers import Address
from benchmarks.traffic import Login, pairs

CONNECTIONS = 64
MOST_P99_MS = 250.0
# Of the rate that callers reach who wait for each answer, the share that is offered to see if it is borne.
SHARES = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.4)
# A transaction is two calls: it is opened, and settled.
CALLS = 2


def bearable(where: Address, login: Login, seconds: float) -> float:
    """The most calls per second, in steps, that are all answered with success, with a p99 of 250 ms at most,
    whether callers wait for answers or not. Raises CannotMeasure.
    """
    reached = Load(where, CONNECTIONS, lambda: pairs(login)).run(seconds, warm_up=2.0)
    if reached.errors:
        raise CannotMeasure(f"{reached.errors} errors: {reached.examples}")
    say(f"  callers who wait for each answer, {CONNECTIONS} at a time: {reached.rate:.0f} calls per second")
    for share in SHARES:
        offered = reached.rate * share
        seen = OpenLoad(where, login, offered / CALLS, seconds).run()
        p99 = seen.all_answered.ms(0.99)
        say(
            f"  {offered:6.0f} per second offered: p99 {p99:.0f} ms, {seen.refused} refused, "
            f"{seen.errors} errors"
        )
        if seen.errors:
            raise CannotMeasure(f"{seen.errors} errors: {seen.examples}")
        if not seen.refused and p99 <= MOST_P99_MS:
            return offered
    raise CannotMeasure("Not even the smallest load was borne: the machine has too much other work.")


class Kept(NamedTuple):
    """What the ledger has of a run, beside what its callers were told."""

    opened: int
    told_opened: int
    settled: int
    told_settled: int
    # Transactions that were refused with 503, and are there.
    refused_and_there: int

    @property
    def is_right(self) -> bool:
        told = (self.told_opened, self.told_settled, 0)
        return (self.opened, self.settled, self.refused_and_there) == told


def kept(database: str, load: OpenLoad) -> Kept:
    """Compares the ledger with the answers of a run."""
    seen: Outcome = load.outcome
    with connect(database, owner=True) as connection:
        counted = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE state = 'confirmed'), "
            "count(*) FILTER (WHERE mm_transaction_id = ANY(%s)) "
            "FROM wallet_transaction WHERE mm_transaction_id LIKE %s",
            [[id_.decode() for id_ in seen.refused_ids], load.prefix.decode() + "-%"],
        ).fetchone()
    assert counted is not None
    opened, settled, refused = counted
    return Kept(opened, seen.openings.answered.count, settled, seen.settlings.answered.count, refused)
