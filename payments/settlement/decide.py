"""Decides what an event about an order means (contract 4.2).

A snapshot and an event make a step, without a database.
"""

import re
from decimal import Decimal

from lib.backoffice.languages import stored
from payments.models import Order, Payment, Refund
from payments.providers.protocol import EchoedOrder, Event, EventType
from payments.settlement.returns import after_told_dispute, after_told_refund, after_total, is_of
from payments.settlement.snapshot import OrderSnapshot
from payments.settlement.steps import (
    TOO_EARLY,
    TOO_MUCH,
    Complete,
    Contradict,
    Fail,
    Nothing,
    Pay,
    Remember,
    Return,
    Reverse,
    Step,
)
from wallet.money import InvalidAmount, to_minor

State = Order.State
INTEGER = re.compile(r"-?[0-9]{1,19}")
NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
# The kind of return that an event tells of.
KINDS = {
    EventType.REFUNDED: Refund.Kind.REFUND,
    EventType.REFUND_REVERSED: Refund.Kind.REFUND,
    EventType.CHARGED_BACK: Refund.Kind.CHARGEBACK,
    EventType.CHARGE_BACK_REVERSED: Refund.Kind.CHARGEBACK,
}
DIFFERS, DIFFER = stored("{names} differs from the order"), stored("{names} differ from the order")
OTHER_CURRENCY = stored("the currency is {currency}, the order's is {own}")
DISPUTES = (EventType.CHARGED_BACK, EventType.CHARGE_BACK_REVERSED)


def decide(snapshot: OrderSnapshot, event: Event) -> Step:
    """The step that follows from a genuine event about an order that it names."""
    if event.type is None:
        return Nothing(event.said or stored("nothing that is acted on"))
    problem = event.problem or contradiction(snapshot, event)
    if problem:
        return Contradict(problem)
    if event.type == EventType.SUCCEEDED:
        return after_success(snapshot, event)
    if event.type == EventType.FAILED:
        return after_failure(snapshot, event)
    if event.total is not None:
        return after_total(snapshot, event)
    if event.told_at is not None:
        return (
            after_told_dispute(snapshot, event)
            if event.type in DISPUTES
            else after_told_refund(snapshot, event)
        )
    if event.type == EventType.CHARGE_BACK_REVERSED:
        return after_reversal(snapshot, event)
    return after_return(snapshot, event, KINDS[event.type])


def contradiction(snapshot: OrderSnapshot, event: Event) -> str:
    """In a few words, how the event differs from the order; empty if it does not (rule 3)."""
    order = snapshot.order
    if not snapshot.started:
        return stored("the order was not started with this provider")
    if event.echoed is not None and (wrong := differing_fields(snapshot, event.echoed)):
        words = DIFFERS if len(wrong) == 1 else DIFFER
        return words.format(names=", ".join(wrong))
    if event.currency and event.currency != order.currency_id:
        return OTHER_CURRENCY.format(currency=event.currency, own=order.currency_id)
    if event.type in (EventType.SUCCEEDED, EventType.FAILED):
        if matching(snapshot, event) is None:
            return stored("it names another payment than the one that was started")
        if event.type == EventType.SUCCEEDED and event.amount is not None and event.amount != order.price:
            return stored("the amount is not the order's price")
    return ""


def differing_fields(snapshot: OrderSnapshot, echoed: EchoedOrder) -> list[str]:
    """The fields of an order-notify callback that are not the order's, by value."""
    order = snapshot.order
    fits = {
        "uid": echoed.uid == order.player.uid,
        "serverId": INTEGER.fullmatch(echoed.server_id) is not None
        and int(echoed.server_id) == order.server_id,
        "productId": echoed.product_code == order.product_code,
        "productPrice": is_price(echoed.price, order.price, snapshot.decimals),
        "extParams": echoed.ext_params == order.ext_params,
    }
    return [name for name, is_right in fits.items() if not is_right]


def is_price(text: str, price: int, decimals: int) -> bool:
    """Whether a number in major units, as a callback writes it, is `price` minor units."""
    if not NUMBER.fullmatch(text):
        return False
    try:
        return to_minor(Decimal(text), decimals) == price
    except InvalidAmount:
        return False


# --- Payments -------------------------------------------------------------------------------------------


def matching(snapshot: OrderSnapshot, event: Event) -> Payment | None:
    """The started payment that the event is about.

    One that has the reference that starting gave, or that was given none.
    """
    named = {event.start_reference, event.reference} - {""}
    ours = [payment for payment in snapshot.started if not payment.is_duplicate or payment.start_reference]
    exact = [payment for payment in ours if payment.start_reference in named]
    open_ones = [payment for payment in ours if not payment.start_reference]
    # One that this reference was told of before, then one that has not failed.
    by_likeness = sorted(
        open_ones,
        key=lambda payment: (
            not event.reference or payment.reference != event.reference,
            payment.state == Payment.State.FAILED,
        ),
    )
    return next(iter(exact or by_likeness), None)


def after_success(snapshot: OrderSnapshot, event: Event) -> Step:
    """After *failed* and *expired* too, and if the order is paid already: the money did arrive (rule 5)."""
    payment = matching(snapshot, event)
    if payment is None:
        raise AssertionError("a success without a payment contradicts")
    return Pay(None if payment.state == Payment.State.PAID else payment, event.reference)


def accepted(snapshot: OrderSnapshot, event: Event) -> Pay | Contradict:
    """The step of a success that contradicts the order, and that operators accept as its payment.

    What it names is what came in. A payment that was started is this one only if it is of that amount.
    """
    order, amount = snapshot.order, amount_named(snapshot, event)
    if event.type != EventType.SUCCEEDED:
        return Contradict(stored("it tells of no payment"))
    if event.currency and event.currency != order.currency_id:
        return Contradict(OTHER_CURRENCY.format(currency=event.currency, own=order.currency_id))
    if not amount:
        return Contradict(stored("it names no amount"))
    if snapshot.first is not None:
        return Contradict(stored("the order is paid already"))
    payment = matching(snapshot, event)
    is_same = payment is not None and payment.amount == amount
    problem = event.problem or contradiction(snapshot, event)
    words = stored("accepted by operators: {problem}") if problem else stored("accepted by operators")
    return Pay(payment if is_same else None, event.reference, amount, words.format(problem=problem))


def amount_named(snapshot: OrderSnapshot, event: Event) -> int | None:
    """The amount that a success names, in minor units; of order-notify the price."""
    if event.echoed is None or not NUMBER.fullmatch(event.echoed.price):
        return event.amount
    try:
        return to_minor(Decimal(event.echoed.price), snapshot.decimals)
    except InvalidAmount:
        return None


def after_failure(snapshot: OrderSnapshot, event: Event) -> Step:
    if any(payment.reference == event.reference for payment in snapshot.paid):
        return Contradict(stored("this very payment has succeeded"))
    if snapshot.first is not None:
        return Nothing("another payment has paid the order")
    payment, order = matching(snapshot, event), snapshot.order
    is_another_try = (
        order.state == State.FAILED and payment is not None and payment.state == Payment.State.STARTED
    )
    if order.state != State.CREATED and not is_another_try:
        return Nothing(f"the order is {order.get_state_display()} already")
    return Fail(payment, event.reference)


# --- Money that goes back -------------------------------------------------------------------------------


def after_return(snapshot: OrderSnapshot, event: Event, kind: str) -> Step:
    """A refund or a chargeback that is told once, by its own reference."""
    known = known_return(snapshot, event, kind)
    if known is not None:
        return after_known_return(known, event)
    if snapshot.is_of_another_order:
        return Contradict(stored("it is of another order"))
    amount = event.amount
    if not amount or amount < 0:
        return Nothing("nothing has gone back that is not known")
    requested = [refund for refund in snapshot.refunds if is_requested(refund, snapshot, event, kind)]
    ours = next((refund for refund in requested if is_end_of(refund, event, amount)), None)
    return Complete(ours, event.reference) if ours else after_new_return(snapshot, event, kind, amount)


def after_new_return(snapshot: OrderSnapshot, event: Event, kind: str, amount: int) -> Step:
    """Money that has gone back, and that nobody here knew of."""
    named = event.payment_reference
    payment = next((paid for paid in snapshot.paid if paid.reference == named), None) if named else None
    if payment is None and (named or not snapshot.paid):
        early = [refund.amount for refund in snapshot.remembered if refund.payment_reference == named]
        if sum(early) + amount > snapshot.order.price:
            return Contradict(TOO_EARLY)
        return Remember(kind, amount, event.reference, named)
    # Without a name only the sum of all payments counts; it is booked against a duplicate if there is one.
    payment = payment or max(
        snapshot.paid, key=lambda paid: (paid.returned < paid.amount, paid.is_duplicate, paid.pk)
    )
    left = snapshot.left_of(payment) if named else snapshot.left()
    return Return(kind, amount, event.reference, payment, named) if amount <= left else Contradict(TOO_MUCH)


def known_return(snapshot: OrderSnapshot, event: Event, kind: str) -> Refund | None:
    """The refund that we initiated, that the provider has named to us and now tells of.

    Its answer can be quicker.
    """
    same = [refund for refund in snapshot.refunds if event.reference and refund.reference == event.reference]
    return next((refund for refund in same if refund.kind == kind and snapshot.is_ours(refund)), None)


def after_known_return(refund: Refund, event: Event) -> Step:
    if event.amount is not None and event.amount != refund.amount:
        return Contradict(stored("the refund was of another amount"))
    if refund.state in (*Refund.OPEN, Refund.State.REFUSED):
        # Refused and done after all: the money has gone.
        return Complete(refund, event.reference)
    return Nothing("it is booked already")


def is_requested(refund: Refund, snapshot: OrderSnapshot, event: Event, kind: str) -> bool:
    """Whether we requested a refund of this provider, of that payment, and nobody has answered yet."""
    is_open = refund.state in Refund.OPEN and refund.kind == kind and refund.times_asked > 0
    return is_open and snapshot.is_ours(refund) and is_of(refund, event)


def is_end_of(refund: Refund, event: Event, amount: int) -> bool:
    """Whether an event tells the end of a refund that we requested."""
    return refund.amount == amount and (not refund.reference or refund.reference == event.reference)


def after_reversal(snapshot: OrderSnapshot, event: Event) -> Step:
    disputes = [
        refund
        for refund in snapshot.refunds
        if refund.kind == Refund.Kind.CHARGEBACK and snapshot.is_ours(refund)
    ]
    known = next((refund for refund in disputes if refund.reference == event.reference), None)
    if known is None:
        return Contradict(stored("no such chargeback is known"))
    if known.state == Refund.State.REVERSED:
        return Nothing("it was reversed already")
    if event.amount is not None and event.amount != known.amount:
        return Contradict(stored("the chargeback was of another amount"))
    return Reverse(known)
