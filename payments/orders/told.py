"""What others are told of orders (wallet/events)."""

from collections.abc import Sequence

from payments.models import OrderEvent
from wallet.currencies import show
from wallet.events.kinds import whom
from wallet.events.message import EventMessage
from wallet.models import Event


def read_order_events(events: Sequence[Event]) -> dict[int, EventMessage]:
    """Everything that happened to orders."""
    rows = OrderEvent.objects.select_related("order__game").in_bulk([event.subject_id for event in events])
    return {event.position: order_message(event, rows[event.subject_id]) for event in events}


def order_message(told: Event, row: OrderEvent) -> EventMessage:
    order = row.order
    return EventMessage(
        id=str(row.pk),
        type=f"order.{row.what}",
        **whom(told),
        amount=None if row.amount is None else show(row.amount, order.currency_id),
        game=order.game.slug,
        orderId=str(order.pk),
        cpOrderId=order.cp_order_id,
        oldState=row.old_state or None,
        state=row.new_state,
    )
