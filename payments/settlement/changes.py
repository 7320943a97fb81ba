"""A plan as data, and the order once it is written.

Rows with new values, postings, history, and what follows for the delivery.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any
from uuid import UUID

from django.db.models import Model

from payments.models import Order, OrderEvent, Payment, Refund, RefundTotal
from payments.orders.events import Actor
from payments.settlement.snapshot import OrderSnapshot
from wallet.ledger import Posting


class Delivery(Enum):
    """The consequence for telling the game (contract 4.3)."""

    AS_BEFORE = auto()
    BEGIN = auto()
    GO_ON = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class Change:
    """Fields of a row that get new values; a new row is not yet written."""

    row: Model
    fields: Mapping[str, Any]
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert to raise. In its text, each {amount} stands for the next of `money`: minor units, currency."""

    kind: str
    subject: str
    text: str
    money: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True)
class Plan:
    """All that one step changes.

    `credit` holds the postings that a wallet's bound can refuse, `money` the others.
    """

    order: Order
    by: Actor
    changes: Sequence[Change] = ()
    money: Sequence[Posting] = ()
    credit: Sequence[Posting] = ()
    reason: str = ""
    events: Sequence[OrderEvent] = ()
    delivery: Delivery = Delivery.AS_BEFORE
    notices: Sequence[Notice] = ()
    # The transaction that holds what was set aside for a refund, how it ends, and why.
    set_aside: tuple[UUID, str, str] | None = None
    # More than the price is kept now: a person has to refund it.
    is_duplicate: bool = False
    # More than the price was kept before, and now it is not.
    is_even_again: bool = False
    uncredited: "Callable[[], Plan] | None" = field(default=None, repr=False, compare=False)

    def without_credit(self) -> "Plan":
        """The plan if the wallet's bound refuses its part.

        The provider's money is booked, the credit stays, an alert says so.
        """
        if self.uncredited is None:
            raise AssertionError("without a credit there is no bound to meet")
        return self.uncredited()


def applied(snapshot: OrderSnapshot, changes: Sequence[Change]) -> OrderSnapshot:
    """The snapshot once the changes are written; the one before stays as it was."""
    rows = {id(change.row): changed(change) for change in changes}
    new = [rows[id(change.row)] for change in changes if change.is_new]
    payments = [rows.get(id(row), row) for row in snapshot.payments]
    refunds = [rows.get(id(row), row) for row in snapshot.refunds]
    totals = [rows.get(id(row), row) for row in snapshot.totals]
    return replace(
        snapshot,
        order=rows.get(id(snapshot.order), snapshot.order),
        payments=[*payments, *(row for row in new if isinstance(row, Payment))],
        refunds=[*refunds, *(row for row in new if isinstance(row, Refund))],
        totals=[*totals, *(row for row in new if isinstance(row, RefundTotal))],
    )


def changed(change: Change) -> Any:
    """A copy of the row with its new values."""
    row = copy(change.row)
    for name, value in change.fields.items():
        setattr(row, name, value)
    return row
