"""Decides what an event about an order means (contract 4.2).

A snapshot and an event make a step, without a database.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from payments.models import Order, Payment, Refund
from payments.providers.protocol import EchoedOrder, Event, EventType
from payments.settlement.snapshot import OrderSnapshot
from wallet.money import InvalidAmount, to_minor

State = Order.State
INTEGER = re.compile(r"-?[0-9]{1,19}")
NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
# The kind of return that an event tells of.
KINDS = {EventType.REFUNDED: Refund.Kind.REFUND, EventType.CHARGED_BACK: Refund.Kind.CHARGEBACK}
TOO_EARLY = "more would go back than was to be paid"
TOO_MUCH = "more would go back than was paid"


@dataclass(frozen=True, slots=True)
class Pay:
    """Money has come in for the order.

    `payment` is the started one, or absent if none is left to be this one.
    """

    payment: Payment | None
    reference: str


@dataclass(frozen=True, slots=True)
class Fail:
    """A payment failed; the order has failed with it if it was still open."""

    payment: Payment | None
    reference: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Money went back before the payment was told of."""

    kind: str
    amount: int
    reference: str
    payment_reference: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """Money has gone back. `payment_reference` is empty if the provider named no payment."""

    kind: str
    amount: int
    reference: str
    payment: Payment
    payment_reference: str = ""


@dataclass(frozen=True, slots=True)
class Complete:
    """A refund that we initiated is done."""

    refund: Refund
    reference: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """A refund that we initiated is refused."""

    refund: Refund
    problem: str


@dataclass(frozen=True, slots=True)
class Reverse:
    """A chargeback is reversed: the money is there again."""

    refund: Refund


@dataclass(frozen=True, slots=True)
class Nothing:
    """It changes nothing, and that is right."""

    note: str


@dataclass(frozen=True, slots=True)
class Contradict:
    """It cannot be: 422, and a person looks at it."""

    problem: str


Step = Pay | Fail | Remember | Return | Complete | Refuse | Reverse | Nothing | Contradict


def decide(snapshot: OrderSnapshot, event: Event) -> Step:
    """The step that follows from a genuine event about an order that it names."""
    if event.type is None:
        return Nothing("nothing that is acted on")
    problem = event.problem or contradiction(snapshot, event)
    if problem:
        return Contradict(problem)
    if event.type == EventType.SUCCEEDED:
        return after_success(snapshot, event)
    if event.type == EventType.FAILED:
        return after_failure(snapshot, event)
    if event.type == EventType.CHARGE_BACK_REVERSED:
        return after_reversal(snapshot, event)
    return after_return(snapshot, event, KINDS[event.type])


def contradiction(snapshot: OrderSnapshot, event: Event) -> str:
    """In a few words, how the event differs from the order; empty if it does not (rule 3)."""
    order = snapshot.order
    if not snapshot.started:
        return "the order was not started with this provider"
    if event.echoed is not None and (wrong := differing_fields(snapshot, event.echoed)):
        return f"{', '.join(wrong)} differ{'s' if len(wrong) == 1 else ''} from the order"
    if event.currency and event.currency != order.currency_id:
        return f"the currency is {event.currency}, the order's is {order.currency_id}"
    if event.type in (EventType.SUCCEEDED, EventType.FAILED):
        if matching(snapshot, event) is None:
            return "it names another payment than the one that was started"
        if event.type == EventType.SUCCEEDED and event.amount is not None and event.amount != order.price:
            return "the amount is not the order's price"
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


def after_failure(snapshot: OrderSnapshot, event: Event) -> Step:
    if any(payment.reference == event.reference for payment in snapshot.paid):
        return Contradict("this very payment has succeeded")
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
    """A refund or a chargeback."""
    known = known_return(snapshot, event, kind) if event.total is None else None
    if known is not None:
        return after_known_return(known, event)
    if snapshot.is_of_another_order:
        return Contradict("it is of another order")
    amount = returned_now(snapshot, event)
    if amount is None or amount < 0:
        return Nothing("it was told of already")
    if amount == 0:
        return Nothing("nothing has gone back that is not known")
    requested = [refund for refund in snapshot.refunds if is_requested(refund, snapshot, event, kind)]
    ours = next((refund for refund in requested if is_end_of(refund, event, amount)), None)
    if ours:
        return Complete(ours, event.reference)
    if event.total is not None and any(refund.amount < amount for refund in requested):
        # The total may have ours in it or not:
        # that can be told when the provider has answered, and tells this again.
        return Contradict("a refund that we initiated is under way")
    return after_new_return(snapshot, event, kind, amount)


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
        return Contradict("the refund was of another amount")
    if refund.state in (*Refund.OPEN, Refund.State.REFUSED):
        # Refused and done after all: the money has gone.
        return Complete(refund, event.reference)
    return Nothing("it is booked already")


def returned_now(snapshot: OrderSnapshot, event: Event) -> int | None:
    """How much has gone back by this event, which may tell only how much has gone back in all."""
    if event.total is None:
        return event.amount
    done = (Refund.State.DONE, Refund.State.REMEMBERED)
    known = [
        refund.amount
        for refund in snapshot.refunds
        if refund.kind == Refund.Kind.REFUND
        and refund.state in done
        and snapshot.is_ours(refund)
        and is_of(refund, event)
    ]
    return event.total - sum(known)


def is_of(refund: Refund, event: Event) -> bool:
    """Whether a refund is of the payment that the event names, as far as both name one."""
    return not refund.payment_reference or event.payment_reference in ("", refund.payment_reference)


def is_requested(refund: Refund, snapshot: OrderSnapshot, event: Event, kind: str) -> bool:
    """Whether we requested a refund of this provider, of that payment, and nobody has answered yet."""
    is_open = refund.state in Refund.OPEN and refund.kind == kind and refund.times_asked > 0
    return is_open and snapshot.is_ours(refund) and is_of(refund, event)


def is_end_of(refund: Refund, event: Event, amount: int) -> bool:
    """Whether an event tells the end of a refund that we requested."""
    is_same = not refund.reference or event.total is not None or refund.reference == event.reference
    return refund.amount == amount and is_same


def after_reversal(snapshot: OrderSnapshot, event: Event) -> Step:
    disputes = [
        refund
        for refund in snapshot.refunds
        if refund.kind == Refund.Kind.CHARGEBACK and snapshot.is_ours(refund)
    ]
    known = next((refund for refund in disputes if refund.reference == event.reference), None)
    if known is None:
        return Contradict("no such chargeback is known")
    if known.state == Refund.State.REVERSED:
        return Nothing("it was reversed already")
    if event.amount is not None and event.amount != known.amount:
        return Contradict("the chargeback was of another amount")
    return Reverse(known)
