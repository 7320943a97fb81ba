"""Sends many deliveries again, as operators do after a game was down (contract 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from lib.clock import now
from lib.ids import id_at
from payments.models import Delivery, Order, OrderEvent, Shop
from payments.orders.events import Actor, new_event

GONE_BACK = (Order.State.REFUNDED, Order.State.CHARGED_BACK)
# At a time; whoever needs more asks again.
MOST = 1000
# Ids are made by the clock of a process, times are the database's.
CLOCKS_APART = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Range:
    """Deliveries in one of `states` that were begun from `since` until before `until`.

    They are of one game, or of all that have an order URL.
    """

    states: tuple[str, ...]
    since: datetime
    until: datetime
    game_id: UUID | None = None


def find_range(wanted: Range, most: int = MOST) -> list[UUID]:
    """The oldest `most` deliveries of a range. What has gone back is never among them."""
    games = Shop.objects.exclude(order_url="").values_list("game_id", flat=True)
    rows = Delivery.objects.filter(
        state__in=set(wanted.states) - {Delivery.State.RETURNED},
        created_at__gte=wanted.since,
        created_at__lt=wanted.until,
    )
    # The index knows states and ids, no times.
    rows = rows.filter(pk__gte=id_at(wanted.since - CLOCKS_APART), pk__lt=id_at(wanted.until + CLOCKS_APART))
    # One that the game refused or has taken keeps its state when the money goes back.
    rows = rows.exclude(order__state__in=GONE_BACK)
    rows = rows.filter(game_id__in=list(games.filter(game_id=wanted.game_id) if wanted.game_id else games))
    return list(rows.order_by("pk").values_list("pk", flat=True)[:most])


def send_batch_again(ids: Sequence[UUID], states: Sequence[str], *, actor: str, reason: str) -> set[UUID]:
    """Has a few deliveries sent at once, each with its schedule begun anew, in one atomic block.

    Their orders are locked first, in the order of their ids, as everybody locks them. Returns those that are
    sent; the caller nudges afterwards.
    """
    with transaction.atomic():
        orders = {
            order.pk: order
            for order in Order.objects.filter(delivery__in=ids).order_by("pk").select_for_update(of=("self",))
        }
        sendable = [order.pk for order in orders.values() if order.state not in GONE_BACK]
        rows = list(
            Delivery.objects.filter(pk__in=ids, order_id__in=sendable, state__in=states)
            .order_by("pk")
            .select_for_update()
        )
        by = Actor(actor[:80], "operator", now())
        for row in rows:
            row.next_attempt_at, row.attempts, row.leased_until = by.at, 0, None
            if row.state != Delivery.State.DELIVERED:
                row.state = Delivery.State.PENDING
        Delivery.objects.bulk_update(rows, ["state", "next_attempt_at", "attempts", "leased_until"])
        OrderEvent.objects.bulk_create(sent_again(orders[row.order_id], by, reason) for row in rows)
    return {row.pk for row in rows}


def sent_again(order: Order, by: Actor, reason: str) -> OrderEvent:
    state = order.state
    return new_event(order, "delivery_sent_again", by, old_state=state, new_state=state, note=reason)
