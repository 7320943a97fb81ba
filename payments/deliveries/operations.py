"""Telling a game to deliver (contract 4.3).

Rows that say what is due, the message, and what follows from its answer.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from lib.backoffice.languages import _, stored
from lib.clock import now
from lib.ids import new_id
from lib.telemetry.spans import present_traceparent
from payments import prepared_sql
from payments.deliveries.schedule import pause_after
from payments.models import Delivery, DeliveryAttempt, Order, Shop
from payments.orders.events import Actor, record_event
from payments.orders.state import present_state, stops_delivery
from wallet.alerts import clear_alert, raise_alert
from wallet.job_runs import wait_for_turn
from wallet.models import Alert
from wallet.models.leased import fair_share, lease_due

State = Delivery.State
# Longer than all tries of a batch can take: a lost worker's are sent again after it.
LEASE = timedelta(minutes=2)
# Of one game under way at once: one that is slow leaves the others their places.
MOST_OF_A_GAME = 4
# How long after its time is over a try may still not be written down.
GIVEN_UP_WITHIN = timedelta(seconds=5)
GONE = 410
TRIES = stored("after {number} tries")
GONE_BACK = _("Nothing can be sent: the money of this order has gone back.")
NO_ADDRESS = _("Nothing can be sent: the game has no order URL.")


class NotPossible(Exception):
    """What an operator wanted cannot be done; its text says why."""


def begin_delivery(order: Order, at: datetime) -> Delivery:
    """Writes down that the game has to be told, in the atomic block of the payment.

    The caller nudges after the commit.
    """
    delivery = Delivery(
        id=new_id(),
        order=order,
        game_id=order.game_id,
        created_at=at,
        next_attempt_at=at,
        traceparent=present_traceparent(),
    )
    prepared_sql.insert(delivery)
    return delivery


def stop_delivery(order: Order) -> None:
    """The money went back: no further tries, not even those that an operator wished for."""
    Delivery.objects.filter(order=order, state__in=(State.PENDING, State.EXHAUSTED)).update(
        state=State.RETURNED, next_attempt_at=None
    )
    Delivery.objects.filter(order=order).exclude(next_attempt_at=None).update(next_attempt_at=None)


def resume_delivery(order: Order, at: datetime) -> bool:
    """The money is there again: goes on where that stopped it. Returns whether there is a delivery at all."""
    stopped = Delivery.objects.filter(order=order, state=State.RETURNED)
    # The game may have taken it after all, by a try that was under way.
    stopped.exclude(delivered_at=None).update(state=State.DELIVERED)
    stopped.update(state=State.PENDING, next_attempt_at=at, attempts=0)
    return Delivery.objects.filter(order=order).exists()


def send_again(delivery: Delivery, *, actor: str, reason: str) -> None:
    """An operator has a delivery sent at once, whatever came of it so far. Raises `NotPossible`.

    The schedule begins anew.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(pk=delivery.order_id)
        row = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if row.state == State.RETURNED or stops_delivery(order):
            raise NotPossible(GONE_BACK)
        if not Shop.objects.filter(game_id=row.game_id).exclude(order_url="").exists():
            raise NotPossible(NO_ADDRESS)
        at = now()
        row.next_attempt_at, row.attempts, row.leased_until = at, 0, None
        if row.state != State.DELIVERED:
            row.state = State.PENDING
        row.save(update_fields=["state", "next_attempt_at", "attempts", "leased_until"])
        record_event(
            order, "delivery_sent_again", Actor(actor, "operator", at), old_state=order.state, note=reason
        )


def pause_deliveries(shop: Shop) -> bool:
    """Sends a game nothing until it is resumed. Returns whether that is new."""
    return bool(Shop.objects.filter(pk=shop.pk, paused_at=None).update(paused_at=now()))


def resume_deliveries(shop: Shop) -> bool:
    """Goes on where the pause began. Returns whether that is new."""
    return bool(
        Shop.objects.filter(pk=shop.pk).exclude(paused_at=None).update(paused_at=None, failing_since=None)
    )


def failing_games() -> set[UUID]:
    """The games that lately did not take what they were told."""
    return set(Shop.objects.filter(failing_since__isnull=False).values_list("game_id", flat=True))


def open_tries(at: datetime) -> Counter[UUID]:
    """How many tries of each game are under way at a moment, in all processes.

    A lost worker's are none any more once they would have been given up.
    """
    longest = timedelta(seconds=settings.OUTGOING_TOTAL_SECONDS) + GIVEN_UP_WITHIN
    rows = Delivery.objects.filter(next_attempt_at__lte=at, leased_until__gt=at + LEASE - longest)
    return Counter(dict(rows.values_list("game_id").annotate(count=Count("pk")).order_by()))


def is_any_due(at: datetime) -> bool:
    """Whether a delivery could be begun at once, of a game that works."""
    full = fair_share(open_tries(at), MOST_OF_A_GAME)[0]
    left_out = failing_games() | full
    games = Shop.objects.filter(paused_at=None).exclude(order_url="").exclude(game_id__in=left_out)
    free = Q(leased_until=None) | Q(leased_until__lte=at)
    due = Delivery.objects.filter(free, next_attempt_at__lte=at, game_id__in=games.values("game_id"))
    return due.exists()


def lease(
    at: datetime,
    worker: str,
    *,
    left_out: Collection[UUID] = (),
    only: UUID | None = None,
    game: UUID | None = None,
    limit: int = 16,
) -> list[DeliveryAttempt]:
    """Takes deliveries that are due, and writes down an attempt for each.

    They are of one `game` or of all but those `left_out`, and of none so many that more than `MOST_OF_A_GAME`
    would be under way. One process leases at a time, so that this holds for all of them together.
    """
    with transaction.atomic():
        wait_for_turn("deliveries.lease")
        full, share = fair_share(open_tries(at), MOST_OF_A_GAME)
        sendable = Shop.objects.filter(paused_at=None).exclude(order_url="")
        sendable = sendable.exclude(game_id__in={*left_out, *full})
        urls = dict(
            (sendable if game is None else sendable.filter(game_id=game)).values_list("game_id", "order_url")
        )
        rows = Delivery.objects.filter(game_id__in=list(urls))
        wanted = rows if only is None else rows.filter(pk=only)
        taken = lease_due(wanted, at, lease=LEASE, limit=min(limit, share))
        attempts = [
            DeliveryAttempt(id=new_id(), delivery=row, url=urls[row.game_id], worker=worker, began_at=at)
            for row in taken
        ]
        return DeliveryAttempt.objects.bulk_create(attempts)


def record_answer(
    one: DeliveryAttempt, *, status: int | None, problem: str, body: str, took_ms: int | None
) -> str:
    """Writes down what came of a try, and does what follows.

    Returns the delivery's state; nothing where it was recorded before.
    """
    at = now()
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(delivery=one.delivery_id)
        delivery = Delivery.objects.select_for_update().get(pk=one.delivery_id)
        is_new = DeliveryAttempt.objects.filter(pk=one.pk, ended_at=None).update(
            ended_at=at, status=status, problem=problem[:120], body=body, took_ms=took_ms
        )
        if not is_new:
            return ""
        is_delivered = status is not None and 200 <= status < 300
        if status != GONE:
            # A game that answers 410 works: it is one order that it does not want.
            Shop.objects.filter(game_id=delivery.game_id, failing_since__isnull=not is_delivered).update(
                failing_since=None if is_delivered else at
            )
        if is_delivered:
            delivered(order, delivery, at)
        else:
            failed(order, delivery, status, at)
        if delivery.leased_until == one.began_at + LEASE:
            # Not that of a later try, which began when this one's had run out.
            delivery.leased_until = None
        delivery.save(update_fields=["state", "next_attempt_at", "leased_until", "attempts", "delivered_at"])
        return delivery.state


def delivered(order: Order, delivery: Delivery, at: datetime) -> None:
    """The game has taken it: once, however often it is told."""
    delivery.attempts += 1
    delivery.next_attempt_at = None
    if delivery.state != State.RETURNED:
        delivery.state = State.DELIVERED
    delivery.delivered_at = delivery.delivered_at or at
    clear_alert(Alert.Kind.DELIVERY_GIVEN_UP, str(order.pk), reason="The game has taken it after all.")
    if order.delivered_at is None:
        old_state, order.delivered_at = order.state, at
        order.state = present_state(order)
        order.save(update_fields=["state", "delivered_at"])
        record_event(order, "delivered", Actor("sweep", "sweep", at), old_state=old_state)


def failed(order: Order, delivery: Delivery, status: int | None, at: datetime) -> None:
    """Tried again after a pause.

    Unless the game has said that it never will (410), or the pauses are used up.
    """
    delivery.attempts += 1
    if delivery.next_attempt_at is None:
        # It has come to its end meanwhile: by another try, by a return, or by the game's own word.
        return
    if status == GONE:
        delivery.next_attempt_at, delivery.state = (
            None,
            delivery.state if delivery.state == State.DELIVERED else State.GONE,
        )
        record_event(
            order,
            "delivery_gone",
            Actor("sweep", "sweep", at),
            old_state=order.state,
            note=stored("the game answered 410"),
        )
        raise_alert(
            Alert.Kind.DELIVERY_GIVEN_UP,
            str(order.pk),
            f"The game {order.game} answered 410 to the delivery of order {order.cp_order_id}.",
        )
    elif (pause := pause_after(delivery.attempts)) is None:
        delivery.next_attempt_at, delivery.state = (
            None,
            delivery.state if delivery.state == State.DELIVERED else State.EXHAUSTED,
        )
        record_event(
            order,
            "delivery_given_up",
            Actor("sweep", "sweep", at),
            old_state=order.state,
            note=TRIES.format(number=delivery.attempts),
        )
        text = f"The game {order.game} has not taken order {order.cp_order_id} in {delivery.attempts} tries."
        raise_alert(Alert.Kind.DELIVERY_GIVEN_UP, str(order.pk), text)
    else:
        delivery.next_attempt_at = at + pause
