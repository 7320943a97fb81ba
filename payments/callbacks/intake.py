"""Acts on genuine callbacks: stored, acted on and paid in one atomic block, once and for ever (contract 4.2)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F

from lib.ids import new_id
from payments import prepared_sql
from payments.deliveries.operations import begin_delivery
from payments.models import Callback, Order, Payment, Refund
from payments.orders.events import Actor, record_event
from payments.providers.protocol import Event, EventType, ProviderConfig, RawCallback
from payments.settlement import returns
from payments.settlement.decide import (
    KINDS,
    Complete,
    Contradict,
    Fail,
    Nothing,
    OrderSnapshot,
    Pay,
    PayAgain,
    Remember,
    Return,
    Reverse,
    Step,
    next_step,
    present_state,
    stops_delivery,
)
from payments.settlement.postings import Movements
from wallet.currencies import decimals_of
from wallet.ledger import LOST_RACES

Outcome = Callback.Outcome
# Two callbacks at once that name each other's ids: the loser of the race looks again, and finds what the winner did.
MOST_TRIES = 3
# As the unique indexes have it.
TAKEN = "outcome IN ('acted', 'nothing', 'second_payment')"
SAME_THING = f"provider_id = %s AND type = %s AND reference = %s AND {TAKEN} AND reference <> ''"
SAME_RETURN = "provider_id = %s AND kind = %s AND reference = %s AND reference <> ''"
# What came before and could not be acted on is off the operators' list when it is.
RESOLVED = """
    UPDATE payments_callback SET resolved_at = %s, resolved_by = 'platform', reason = 'it came again, and was taken'
    WHERE provider_id = %s AND message_id = %s AND meaning = %s AND outcome IN ('contradicts', 'no_order') AND resolved_at IS NULL
"""
LOST = (IntegrityError, OperationalError, *LOST_RACES)
PROBLEM_LENGTH = 255
# What of a callback's headers is kept: what its signature needs, and no credentials that somebody may have sent along.
KEPT_HEADERS = (
    "content-type",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "stripe-signature",
    "user-agent",
)


class IntakeResult(NamedTuple):
    """What came of a callback (a `Callback.Outcome`), and in a few words why it was not acted on."""

    outcome: str
    problem: str = ""
    # What has become due by it.
    delivery_id: UUID | None = None


def take_callback(config: ProviderConfig, event: Event, raw: RawCallback) -> IntakeResult:
    """Stores a genuine callback and acts on it, or counts it where it came before. When this returns it is committed."""
    for attempt in range(1, MOST_TRIES + 1):
        try:
            with transaction.atomic():
                return take(config, event, raw)
        except LOST as problem:
            if attempt == MOST_TRIES or not is_lost_race(problem):
                raise
    raise AssertionError("unreachable")


def is_lost_race(problem: Exception) -> bool:
    """Whether the same again may succeed: a deadlock, or an id that somebody else used in the same instant."""
    return isinstance(problem, (IntegrityError, *LOST_RACES)) or isinstance(problem.__cause__, LOST_RACES)


def take(config: ProviderConfig, event: Event, raw: RawCallback) -> IntakeResult:
    # The order first: whatever else acts on it waits here.
    order = lock_order(event, config)
    at, known, standing = look(order, config, event)
    meaning = meaning_of(event, raw.body)
    if known is not None and bytes(known.meaning) == meaning:
        if known.message_id == event.message_id:
            Callback.objects.filter(pk=known.pk).update(times_seen=F("times_seen") + 1, last_seen_at=at)
        else:
            # The same under another id: that id is used up too. The reference stays the first one's.
            same = IntakeResult(Outcome.NOTHING, f"the same as {known.message_id}")
            store(config, replace(event, reference=""), raw, order, meaning, at, same)
        return IntakeResult(known.outcome)
    if known is not None:
        return refuse(
            config,
            event,
            raw,
            order,
            at,
            IntakeResult(Outcome.CONTRADICTS, "its id was used before with other content"),
        )
    if order is None and event.type is not None:
        outcome = (
            IntakeResult(Outcome.CONTRADICTS, event.problem)
            if event.problem
            else IntakeResult(Outcome.NO_ORDER, "there is no such order")
        )
        return refuse(config, event, raw, None, at, outcome)
    step: Step = (
        Nothing("nothing that is acted on")
        if event.type is None and not event.problem
        else Contradict(event.problem)
    )
    if standing is not None:
        step = next_step(standing, event)
    if isinstance(step, Contradict):
        return refuse(config, event, raw, order, at, IntakeResult(Outcome.CONTRADICTS, step.problem))
    outcome = IntakeResult(
        Outcome.SECOND_PAYMENT
        if isinstance(step, PayAgain)
        else Outcome.NOTHING
        if isinstance(step, Nothing)
        else Outcome.ACTED
    )
    with prepared_sql.together():
        callback = store(config, event, raw, order, meaning, at, outcome)
        prepared_sql.execute(RESOLVED, (at, config.id, event.message_id, gist_of(event, raw.body)))
    if order is None:
        return outcome
    return outcome._replace(delivery_id=act(order, step, event, config, callback, at))


def lock_order(event: Event, config: ProviderConfig) -> Order | None:
    """The order that an event names, by our id or by the provider's id of one of its payments."""
    order_id = event.order_id
    if order_id is None and event.payment_reference:
        named = Payment.objects.filter(provider_id=config.id, reference=event.payment_reference)
        order_id = named.values_list("order_id", flat=True).first()
    return (
        next(iter(prepared_sql.fetch(Order, "id = %s FOR NO KEY UPDATE", order_id)), None)
        if order_id
        else None
    )


def look(
    order: Order | None, config: ProviderConfig, event: Event
) -> tuple[datetime, Callback | None, OrderSnapshot | None]:
    """The time, the callback that has taken effect with this event's id or about the same thing (rule 4), and how the order stands, all under its lock."""
    kind = KINDS.get(event.type) if event.type and event.reference else None
    with prepared_sql.together():
        clock = prepared_sql.send("SELECT wallet_now()", ())
        # Two questions, each of which has its unique index.
        same_message = prepared_sql.Question(
            Callback, f"provider_id = %s AND message_id = %s AND {TAKEN}", config.id, event.message_id
        )
        same_thing = prepared_sql.Question(
            Callback, SAME_THING, config.id, str(event.type or ""), event.reference
        )
        same_return = prepared_sql.Question(Refund, SAME_RETURN, config.id, str(kind or ""), event.reference)
        payments, refunds = (
            prepared_sql.Question(model, "order_id = %s ORDER BY id", order.pk if order else None)
            for model in (Payment, Refund)
        )
    [(at,)] = clock.fetchall()
    # Its own message before another one about the same thing.
    known = next(iter([*same_message.rows(), *(same_thing.rows() if event.type is not None else ())]), None)
    if order is None:
        return at, known, None
    is_of_another_order = any(refund.order_id != order.pk for refund in same_return.rows())
    standing = OrderSnapshot(
        order,
        decimals_known(order.currency_id),
        config.id,
        payments.rows(),
        refunds.rows(),
        is_of_another_order,
    )
    return at, known, standing


def decimals_known(currency: str) -> int:
    decimals = decimals_of(currency)
    if decimals is None:
        raise AssertionError("currencies are never deleted")
    return decimals


def meaning_of(event: Event, body: bytes) -> bytes:
    """What an event says, without its spelling and without the id of its message; what makes no sense says just its bytes."""
    said = asdict(event) | {"message_id": "", "body": body.hex() if event.problem else ""}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).digest()


def gist_of(event: Event, body: bytes) -> bytes:
    """What of it is signed. Whoever repeats a genuine callback with ever new words that nobody signed fills no list with them."""
    return meaning_of(
        replace(event, claims=replace(event.claims, ext_params="")) if event.claims else event, body
    )


def store(
    config: ProviderConfig,
    event: Event,
    raw: RawCallback,
    order: Order | None,
    meaning: bytes,
    at: datetime,
    taken: IntakeResult,
) -> Callback:
    callback = Callback(**columns(config, event, raw, order, meaning, at, taken))
    prepared_sql.insert(callback)
    return callback


def refuse(
    config: ProviderConfig,
    event: Event,
    raw: RawCallback,
    order: Order | None,
    at: datetime,
    taken: IntakeResult,
) -> IntakeResult:
    """Stores what cannot be acted on, for operators; the same again is only counted, or a provider that repeats itself would undo what they resolved."""
    meaning = gist_of(event, raw.body)
    seen = {"times_seen": F("times_seen") + 1, "last_seen_at": at}
    before = Callback.objects.filter(
        provider_id=config.id,
        message_id=event.message_id,
        meaning=meaning,
        outcome__in=(Outcome.CONTRADICTS, Outcome.NO_ORDER),
    )
    if not before.update(**seen, outcome=taken.outcome, problem=taken.problem[:PROBLEM_LENGTH]):
        store(config, event, raw, order, meaning, at, taken)
    return taken


def columns(
    config: ProviderConfig,
    event: Event,
    raw: RawCallback,
    order: Order | None,
    meaning: bytes,
    at: datetime,
    taken: IntakeResult,
) -> dict[str, object]:
    return {
        "id": new_id(),
        "provider_id": config.id,
        "order": order,
        "message_id": event.message_id,
        "type": str(event.type or ""),
        "reference": event.reference,
        "meaning": meaning,
        "headers": {
            name: raw.headers[name].replace("\x00", "") for name in KEPT_HEADERS if name in raw.headers
        },
        "body": raw.body,
        "address": raw.address,
        "outcome": taken.outcome,
        "problem": taken.problem[:PROBLEM_LENGTH],
        "received_at": at,
        "last_seen_at": at,
    }


# --- What follows, done ---------------------------------------------------------------------------------


def act(
    order: Order, step: Step, event: Event, config: ProviderConfig, callback: Callback, at: datetime
) -> UUID | None:
    """Does what follows from an event, under the order's lock. Returns the delivery that is due by it."""
    by = Actor(f"provider:{config.slug}", "provider", at, callback)
    if isinstance(step, Pay):
        return pay(order, step.payment, step.remembered, event, by)
    if isinstance(step, PayAgain):
        pay_again(order, step, event, config, by)
    elif isinstance(step, Fail):
        fail(order, step, event, by)
    elif isinstance(step, Remember):
        returns.remember(order, step, event, config, by)
    elif isinstance(step, Return):
        returns.give_back(order, step, event, config, by)
    elif isinstance(step, Complete):
        returns.complete(order, step.refund, event.reference, by)
    elif isinstance(step, Reverse):
        returns.reverse(order, step.refund, by)
    else:
        record_event(order, str(event.type), by, note=getattr(step, "note", ""), old_state=order.state)
    return None


def pay(order: Order, payment: Payment, remembered: Sequence[Refund], event: Event, by: Actor) -> UUID | None:
    """The order is paid: the wallet is credited, and the game is to be told, unless all of it has gone back before (rule 5)."""
    old_state = order.state
    moves = Movements(order, by, f"paid through {by.name.partition(':')[2]}")
    payment.state, payment.reference, payment.paid_at = Payment.State.PAID, event.reference, by.at
    payment.transaction = moves.pay(order.price)
    order.paid_at, order.state = by.at, Order.State.PAID
    is_whole = sum(refund.amount for refund in remembered) < order.price
    if order.credit and is_whole:
        order.credit_transaction = moves.credit(order.credit)
    elif order.credit:
        order.clawed_back = order.credit
    returns.apply_remembered(order, payment, remembered, moves, by)
    is_credited = moves.post()
    if not is_credited:
        order.clawed_back = order.credit or 0
    elif not order.is_delivered_by_game and is_whole:
        order.delivered_at = by.at
    order.state = present_state(order)
    with prepared_sql.together():
        prepared_sql.update(payment, "state", "reference", "paid_at", "transaction")
        prepared_sql.update(
            order,
            "state",
            "paid_at",
            "delivered_at",
            "credit_transaction",
            "clawed_back",
            "refunded",
            "charged_back",
        )
        record_event(order, str(EventType.SUCCEEDED), by, amount=order.price, old_state=old_state)
        record_applied(order, remembered, by)
        if not order.is_delivered_by_game or stops_delivery(order):
            return None
        return begin_delivery(order, by.at).pk


def record_applied(order: Order, remembered: Sequence[Refund], by: Actor) -> None:
    """Writes down what was remembered and is booked now."""
    for refund in remembered:
        record_event(
            order,
            f"{refund.kind}_applied",
            by,
            amount=refund.amount,
            old_state=order.state,
            note="it came before the payment",
        )


def pay_again(order: Order, step: PayAgain, event: Event, config: ProviderConfig, by: Actor) -> None:
    """Money that came twice: it is booked, credits nothing, and waits to be refunded (rule 5)."""
    moves = Movements(order, by, f"paid a second time through {config.slug}")
    payment = step.payment or Payment.objects.create(
        id=new_id(), order=order, provider_id=config.id, amount=order.price, started_at=by.at
    )
    payment.state, payment.is_second, payment.reference, payment.paid_at = (
        Payment.State.PAID,
        True,
        event.reference,
        by.at,
    )
    payment.transaction = moves.pay_second(order.price)
    returns.apply_to_second(payment, step.remembered, moves, by)
    moves.post()
    # Not the reference that starting gave: its answer may be written down just now.
    payment.save(update_fields=["state", "is_second", "reference", "paid_at", "transaction", "returned"])
    record_event(order, "second_payment", by, amount=order.price, old_state=order.state, note=step.note)
    record_applied(order, step.remembered, by)


def fail(order: Order, step: Fail, event: Event, by: Actor) -> None:
    old_state, order.state = order.state, Order.State.FAILED
    order.save(update_fields=["state"])
    if step.payment is not None:
        Payment.objects.filter(pk=step.payment.pk).update(
            state=Payment.State.FAILED, reference=event.reference
        )
    record_event(order, str(EventType.FAILED), by, old_state=old_state)
