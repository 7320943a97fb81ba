"""A game's file as its ledger would write it, with seeded differences of every kind: what is put in has to be
found, and nothing else.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

HEADER = "transaction,kind,player,amount,currency,status,time"
COLUMNS = {
    "id": "transaction",
    "type": "kind",
    "player": "player",
    "amount": "amount",
    "currency": "currency",
    "state": "status",
    "at": "time",
}
KINDS = (
    *("missing_here", "missing_there", "amount", "currency", "state", "duplicate", "time", "unreadable"),
)
WORDS = {"withdrawal": "BET", "deposit": "WIN"}
OTHER_CURRENCY, DECIMALS = "EUR", 2


class Known(NamedTuple):
    """A confirmed transaction as it is here; the amount is in minor units of two decimals."""

    key: str
    type: str
    player: str
    amount: int
    currency: str
    at: datetime


@dataclass
class Seeded:
    """Which transactions become which kind, and what has to be found: kind and id, or kind and line."""

    chosen: dict[int, str]
    expected: set[tuple[str, str]] = field(default_factory=set)
    line: int = 1


def seed(total: int, each: int, number: int) -> Seeded:
    """`each` of every kind, at random places but the edges."""
    places = random.Random(number).sample(range(1, total - 1), each * len(KINDS))
    return Seeded({place: KINDS[index % len(KINDS)] for index, place in enumerate(places)})


def lines(known: Iterable[Known], seeded: Seeded) -> Iterator[str]:
    """The file, a line at a time, and `expected` as it goes."""
    yield HEADER
    for place, one in enumerate(known):
        for line in changed(one, seeded.chosen.get(place, ""), seeded):
            seeded.line += 1
            yield line


def changed(one: Known, kind: str, seeded: Seeded) -> list[str]:
    if kind == "unreadable":
        seeded.expected |= {(kind, str(seeded.line + 1)), ("missing_there", one.key)}
        return [written(one).replace(f"{one.amount // 100}.", "twelve.", 1)]
    if kind == "missing_here":
        lost = one._replace(key=f"{one.key}-lost", amount=one.amount + 7)
        seeded.expected.add((kind, lost.key))
        return [written(one), written(lost)]
    if kind:
        seeded.expected.add((kind, one.key))
    match kind:
        case "missing_there":
            return []
        case "amount":
            return [written(one._replace(amount=one.amount + 1))]
        case "currency":
            return [written(one._replace(currency=OTHER_CURRENCY))]
        case "state":
            return [written(one, "CANCELLED")]
        case "duplicate":
            return [written(one), written(one)]
        case "time":
            return [written(one._replace(at=one.at - timedelta(hours=2)))]
    return [written(one)]


def written(one: Known, status: str = "OK") -> str:
    amount = f"{one.amount // 10**DECIMALS}.{one.amount % 10**DECIMALS:02d}"
    time = one.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{one.key},{WORDS[one.type]},{one.player},{amount},{one.currency},{status},{time}"
