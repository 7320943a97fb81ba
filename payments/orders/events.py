"""An order's history: one row for each thing that happens to it."""

from datetime import datetime
from typing import NamedTuple

from lib.ids import new_id
from payments import prepared_sql
from payments.models import Callback, Order, OrderEvent

NOTE_LENGTH = 255


class Actor(NamedTuple):
    """Who acts on an order, as the journal names them: `source` is a `Transaction.Source`."""

    name: str
    source: str
    at: datetime
    callback: Callback | None = None


def new_event(
    order: Order,
    what: str,
    by: Actor,
    *,
    old_state: str,
    new_state: str,
    amount: int | None = None,
    note: str = "",
) -> OrderEvent:
    """A row of an order's history, not yet written. `amount` in minor units of the order's currency."""
    return OrderEvent(
        id=new_id(),
        order=order,
        at=by.at,
        what=what,
        old_state=old_state,
        new_state=new_state,
        amount=amount,
        actor=by.name,
        note=note[:NOTE_LENGTH],
        callback=by.callback,
    )


def record_event(
    order: Order, what: str, by: Actor, *, old_state: str = "", amount: int | None = None, note: str = ""
) -> None:
    """Writes down what happened; the order is in its new state already."""
    event = new_event(order, what, by, old_state=old_state, new_state=order.state, amount=amount, note=note)
    prepared_sql.insert(event)
