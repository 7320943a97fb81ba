"""What all reports have in common: columns, rows that come in batches, totals, and rows that are at fault."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from players.models import Game
from wallet.reports.period import Period

# Rows of which files and totals are made, at once.
BATCH = 200
# The sums of a page are those of so many rows, if that takes no longer; a file has all.
MOST_SUMMED, SUMMING_SECONDS = 10_000, 4.0
# As long as a page looks for rows where there are few.
PAGE_SECONDS = 2.0


class Look(Enum):
    """How a value of a column is shown. AMOUNT: minor units of the row's currency, an int. ID: a `Thing` of
    which a page shows only the end of the id.
    """

    TEXT = "text"
    CURRENCY = "currency"
    NUMBER = "number"
    AMOUNT = "amount"
    TIME = "time"
    ID = "id"


class Column(NamedTuple):
    """A column; amounts and numbers are summed up if `is_summed`."""

    label: Any
    look: Look = Look.TEXT
    is_summed: bool = False


class Thing(NamedTuple):
    """A value that has a page of its own: a wallet, a player, a game or a transaction; without a kind, a name
    that has none.
    """

    text: Any
    kind: str
    id: Any


def written(text: str) -> Thing:
    """What a person has written, or what is in no language: shown as it is, in whatever script."""
    return Thing(text, "", None)


class Row(NamedTuple):
    """A row: a value for each column, and the currency of its amounts, empty if it has none.

    `fault` says in a sentence what is wrong with it; empty if nothing is.
    """

    values: tuple[Any, ...]
    currency: str = ""
    fault: Any = ""


class Batch(NamedTuple):
    """Some rows, and the place behind the last of them, which is empty at the end."""

    rows: list[Row]
    following: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is made of: the period, and what it is narrowed to, if it is."""

    period: Period
    currency: str = ""
    game: Game | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report. `read` has up to so many rows behind a place, the first ones if that is empty; it raises
    `ValueError` for what is no place.

    `question` is what it answers, `rule` who asks it (a standard and its clause), `note` how its figures are
    counted. `scopes` are choices of which rows there are; the first one, if none is chosen.
    """

    name: str
    title: Any
    question: Any
    rule: str
    note: Any
    columns: tuple[Column, ...]
    permissions: tuple[str, ...]
    read: Callable[[Asked, str, int], Batch]
    by_game: bool = False
    scopes: tuple[tuple[str, Any], ...] = ()
    # What is said if no row is at fault, and of how many that are, if rows can be.
    in_order: Any = ""
    at_fault: Callable[[int], Any] | None = None


@dataclass(slots=True)
class Totals:
    """What some rows come to: how many there are and are at fault, and the sums by currency and column.

    `is_whole` if these are all rows of the report.
    """

    rows: int = 0
    faults: int = 0
    sums: dict[str, dict[int, int]] = field(default_factory=dict)
    is_whole: bool = True

    def add(self, report: Report, row: Row) -> None:
        self.rows += 1
        self.faults += bool(row.fault)
        summed = [number for number, column in enumerate(report.columns) if column.is_summed]
        if summed:
            sums = self.sums.setdefault(row.currency, dict.fromkeys(summed, 0))
            for number in summed:
                sums[number] += row.values[number] or 0


def rows_of(report: Report, asked: Asked, size: int = BATCH) -> Iterator[Row]:
    """All rows, read while they are used."""
    place = ""
    while True:
        batch = report.read(asked, place, size)
        yield from batch.rows
        if not batch.following:
            return
        place = batch.following


def read_page(report: Report, asked: Asked, place: str, size: int) -> Batch:
    """So many rows behind a place, or those found in a while. Raises `ValueError` for what is no place."""
    rows: list[Row] = []
    since = time.monotonic()
    while True:
        batch = report.read(asked, place, size - len(rows))
        rows += batch.rows
        place = batch.following
        if not place or len(rows) >= size or time.monotonic() - since > PAGE_SECONDS:
            return Batch(rows, place)


def sum_up(report: Report, asked: Asked) -> Totals:
    """The totals of the first rows, and of all where there are not too many."""
    totals, place, since = Totals(), "", time.monotonic()
    while True:
        batch = report.read(asked, place, BATCH)
        for row in batch.rows:
            totals.add(report, row)
        if not batch.following:
            return totals
        if totals.rows >= MOST_SUMMED or time.monotonic() - since > SUMMING_SECONDS:
            totals.is_whole = False
            return totals
        place = batch.following
