"""What a row and the ledger say of the same money: decided without a database."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from payments.models import Difference
from payments.reconciliation.columns import CONFIRMED, PENDING, VOID, Row

Kind = Difference.Kind


class Ours(NamedTuple):
    """A transaction, payment or refund as it is here. `state` is of columns.STATES, `word` our own for it.

    `keys` are the partner's ids of it. The amount is absent of what was rolled back before it was opened.
    """

    id: UUID
    keys: tuple[str, ...]
    order: UUID | None
    type: str
    amount: int | None
    currency: str
    state: str
    word: str
    opened_at: datetime
    settled_at: datetime | None
    player: str
    player_id: UUID


def candidates(row: Row, known: Iterable[Ours]) -> list[Ours]:
    """What the row can be of what its id finds."""
    return [one for one in known if one.type == row.type and row.player in ("", one.player)]


def best(row: Row, known: Sequence[Ours], taken: Collection[UUID]) -> Ours | None:
    """The one that is most like the row, of those that no earlier row is; None if there is none."""
    free = [one for one in known if one.id not in taken]
    return min(free, key=lambda one: unlikeness(row, one), default=None)


def unlikeness(row: Row, ours: Ours) -> tuple[bool, bool, bool, float, UUID]:
    return (
        row.currency != ours.currency,
        row.amount != ours.amount,
        row.state != ours.state,
        apart(row, ours).total_seconds(),
        ours.id,
    )


def apart(row: Row, ours: Ours) -> timedelta:
    """How far the row's time is from the time between opening and settling; partners name either."""
    if row.at is None:
        return timedelta()
    if row.at < ours.opened_at:
        return ours.opened_at - row.at
    # What is pending may have any time after it was opened.
    end = ours.settled_at or (row.at if ours.state == PENDING else ours.opened_at)
    return max(row.at - end, timedelta())


def kinds_of(row: Row, ours: Ours, tolerance: timedelta) -> list[Kind]:
    """In what they differ."""
    found = []
    if row.currency != ours.currency:
        found.append(Kind.CURRENCY)
    elif ours.amount is not None and row.amount != ours.amount:
        found.append(Kind.AMOUNT)
    if row.state != ours.state:
        found.append(Kind.STATE)
    if apart(row, ours) > tolerance:
        found.append(Kind.TIME)
    return found


def matters_here(row: Row) -> bool:
    """Whether a row that nobody knows here is missing: what came to nothing there is not."""
    return row.state != VOID


def has_to_be_there(ours: Ours, lists_all: bool) -> bool:
    """Whether a file of its time has to name it."""
    return ours.state == CONFIRMED or (lists_all and ours.amount is not None and ours.word != "declined")


def is_like(row: Row, ours: Ours, tolerance: timedelta) -> bool:
    """Whether a row is of the same amount, type, player and time, whatever its id."""
    return (
        (row.type, row.amount, row.currency) == (ours.type, ours.amount, ours.currency)
        and row.player in ("", ours.player)
        and row.at is not None
        and apart(row, ours) <= tolerance
    )
