"""The rules of contract 4.2, without a database: what follows from an event about an order, and what of the credit a return takes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from payments.models import Order, Payment, Refund
from payments.providers.protocol import EchoedOrder, Event, EventType
from wallet.money import InvalidAmount, to_minor

State = Order.State
INTEGER = re.compile(r"-?[0-9]{1,19}")
NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
# The kind of return that an event tells of.
KINDS = {EventType.REFUNDED: Refund.Kind.REFUND, EventType.CHARGED_BACK: Refund.Kind.CHARGE_BACK}


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """An order with its payments and refunds, as they stand under the order's lock; `provider_id` is who tells the event."""

    order: Order
    # Of the order's currency.
    decimals: int
    provider_id: UUID
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    # Whether a refund or charge-back of another order has the event's reference.
    is_of_another_order: bool = False

    @property
    def started(self) -> list[Payment]:
        """The payments that were started with this provider."""
        return [
            payment
            for payment in self.payments
            if payment.provider_id == self.provider_id and payment.state != Payment.State.UNSTARTED
        ]

    @property
    def first(self) -> Payment | None:
        """The payment that paid the order."""
        return next(
            (
                payment
                for payment in self.payments
                if payment.state == Payment.State.PAID and not payment.is_second
            ),
            None,
        )

    @property
    def seconds(self) -> list[Payment]:
        """This provider's payments of what was paid already, of which something is still to be refunded."""
        return [
            payment
            for payment in self.payments
            if payment.is_second
            and payment.provider_id == self.provider_id
            and payment.returned < payment.amount
        ]

    @property
    def remembered(self) -> list[Refund]:
        """What this provider returned before it told of the payment."""
        return [
            refund
            for refund in self.refunds
            if refund.state == Refund.State.REMEMBERED and refund.provider_id == self.provider_id
        ]


# --- What follows ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pay:
    """The order is paid, through this payment; what has gone back before is applied after it."""

    payment: Payment
    remembered: Sequence[Refund]


@dataclass(frozen=True, slots=True)
class PayAgain:
    """It was paid already: the money is to be refunded, but for what of it has gone back before."""

    # Absent where no started payment is left to be this one.
    payment: Payment | None
    remembered: Sequence[Refund]
    note: str


@dataclass(frozen=True, slots=True)
class Fail:
    """A payment failed; the order has failed with it where it was still open."""

    payment: Payment | None


@dataclass(frozen=True, slots=True)
class Remember:
    """Money went back before the payment was told of."""

    kind: str
    amount: int


@dataclass(frozen=True, slots=True)
class Return:
    """Money has gone back: `of_second` of it from a second payment, the rest of the order's price."""

    kind: str
    amount: int
    payment: Payment
    of_second: int = 0


@dataclass(frozen=True, slots=True)
class Complete:
    """A refund of our own asking has come to its good end."""

    refund: Refund


@dataclass(frozen=True, slots=True)
class Reverse:
    """A charge-back is taken back: the player gets the credit again."""

    refund: Refund


@dataclass(frozen=True, slots=True)
class Nothing:
    """It changes nothing, and that is right."""

    note: str


@dataclass(frozen=True, slots=True)
class Contradict:
    """It cannot be: 422, and a person looks at it."""

    problem: str


Step = Pay | PayAgain | Fail | Remember | Return | Complete | Reverse | Nothing | Contradict


def next_step(standing: OrderSnapshot, event: Event) -> Step:
    """What follows from a genuine event about an order that it names."""
    if event.type is None:
        return Nothing("nothing that is acted on")
    problem = event.problem or contradiction(standing, event)
    if problem:
        return Contradict(problem)
    if event.type == EventType.SUCCEEDED:
        return after_success(standing, event)
    if event.type == EventType.FAILED:
        return after_failure(standing, event)
    if event.type == EventType.CHARGE_BACK_REVERSED:
        return after_reversal(standing, event)
    return after_return(standing, event, KINDS[event.type])


def contradiction(standing: OrderSnapshot, event: Event) -> str:
    """What of the event is not as the order is, in a few words; an empty text where all is (rule 3)."""
    order = standing.order
    if not standing.started:
        return "the order was not started with this provider"
    if event.claims is not None and (wrong := differing_fields(standing, event.claims)):
        return f"{', '.join(wrong)} differ{'s' if len(wrong) == 1 else ''} from the order"
    if event.currency and event.currency != order.currency_id:
        return f"the currency is {event.currency}, the order's is {order.currency_id}"
    if event.type in (EventType.SUCCEEDED, EventType.FAILED):
        if matching(standing, event) is None:
            return "it names another payment than the one that was started"
        if event.type == EventType.SUCCEEDED and event.amount is not None and event.amount != order.price:
            return "the amount is not the order's price"
    return ""


def differing_fields(standing: OrderSnapshot, claims: EchoedOrder) -> list[str]:
    """The fields of an order-notify callback that are not the order's, by value."""
    order = standing.order
    fits = {
        "uid": claims.uid == order.player.uid,
        "serverId": INTEGER.fullmatch(claims.server_id) is not None
        and int(claims.server_id) == order.server_id,
        "productId": claims.product_code == order.product_code,
        "productPrice": is_price(claims.price, order.price, standing.decimals),
        "extParams": claims.ext_params == order.ext_params,
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


def matching(standing: OrderSnapshot, event: Event) -> Payment | None:
    """The started payment that the event is about: one that has the reference that starting gave, or that was given none."""
    named = {event.start_reference, event.reference} - {""}
    ours = [payment for payment in standing.started if not payment.is_second]
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


def after_success(standing: OrderSnapshot, event: Event) -> Step:
    payment, first = matching(standing, event), standing.first
    if payment is None:
        raise AssertionError("a success without a payment contradicts")
    if first is None:
        # After failed and expired too: the money did arrive (rule 5).
        return Pay(payment, standing.remembered)
    note = (
        "paid already"
        if first.provider_id == standing.provider_id
        else "paid already through another provider"
    )
    return PayAgain(None if payment.state == Payment.State.PAID else payment, standing.remembered, note)


def after_failure(standing: OrderSnapshot, event: Event) -> Step:
    if any(
        payment.state == Payment.State.PAID and payment.reference == event.reference
        for payment in standing.started
    ):
        return Contradict("this very payment has succeeded")
    if standing.first is not None:
        return Nothing("another payment has paid the order")
    payment = matching(standing, event)
    is_another_try = (
        standing.order.state == State.FAILED
        and payment is not None
        and payment.state == Payment.State.STARTED
    )
    if standing.order.state != State.CREATED and not is_another_try:
        return Nothing(f"the order is {standing.order.get_state_display()} already")
    return Fail(payment)


def after_return(standing: OrderSnapshot, event: Event, kind: str) -> Step:
    """A refund or a charge-back."""
    named = named_return(standing, event, kind) if event.total is None else None
    if named is not None:
        return after_named_return(named, event)
    if standing.is_of_another_order:
        return Contradict("it is of another order")
    amount = returned_now(standing, event)
    if amount is None or amount < 0:
        return Nothing("it was told of already")
    if amount == 0:
        return Nothing("nothing has gone back that is not known")
    asked = [refund for refund in standing.refunds if is_asked(refund, standing, event, kind)]
    ours = next((refund for refund in asked if is_ours(refund, event, amount)), None)
    if ours:
        return Complete(ours)
    if event.total is not None and any(refund.amount < amount for refund in asked):
        # The total may have ours in it or not: that can be told when the provider has answered, and tells this again.
        return Contradict("a refund of our own asking is under way")
    return after_new_return(standing, event, kind, amount)


def after_new_return(standing: OrderSnapshot, event: Event, kind: str, amount: int) -> Step:
    """Money that has gone back, and that nobody here knew of."""
    order, paid = standing.order, paid_by(standing, event)
    if paid is None:
        if standing.first is not None:
            return Contradict("this provider did not take the payment")
        so_far = sum(refund.amount for refund in standing.remembered)
        return (
            Remember(kind, amount)
            if so_far + amount <= order.price
            else Contradict("more would go back than was to be paid")
        )
    if paid.is_second:
        # Of money that came twice, the second payment goes back first: it was never the player's purchase.
        of_second = min(amount, paid.amount - paid.returned)
        rest = amount - of_second
        if rest and (
            standing.first is None
            or standing.first.provider_id != standing.provider_id
            or rest > order.price - order.returned
        ):
            return Contradict("more would go back than was paid")
        return Return(kind, amount, paid, of_second)
    return (
        Return(kind, amount, paid)
        if amount <= order.price - order.returned
        else Contradict("more would go back than was paid")
    )


def named_return(standing: OrderSnapshot, event: Event, kind: str) -> Refund | None:
    """The refund of our own asking that the provider has named to us, and now tells of: its answer can be quicker than its callback."""
    same = [refund for refund in standing.refunds if event.reference and refund.reference == event.reference]
    return next(
        (refund for refund in same if refund.kind == kind and refund.provider_id == standing.provider_id),
        None,
    )


def after_named_return(refund: Refund, event: Event) -> Step:
    if event.amount is not None and event.amount != refund.amount:
        return Contradict("the refund was of another amount")
    if refund.state in (*Refund.OPEN, Refund.State.REFUSED):
        # Refused and done after all: the money has gone.
        return Complete(refund)
    return Nothing("it is booked already")


def paid_by(standing: OrderSnapshot, event: Event) -> Payment | None:
    """Which of this provider's payments the money went back of: the one that the event names, else a second one first."""
    paid = [payment for payment in standing.started if payment.state == Payment.State.PAID]
    if event.payment_reference:
        return next((payment for payment in paid if payment.reference == event.payment_reference), None)
    return next(iter(standing.seconds), None) or next(
        (payment for payment in paid if not payment.is_second), None
    )


def returned_now(standing: OrderSnapshot, event: Event) -> int | None:
    """How much has gone back by this event, where it may tell only how much has gone back in all."""
    if event.total is None:
        return event.amount
    done = (Refund.State.DONE, Refund.State.REMEMBERED)
    known = [
        refund.amount
        for refund in standing.refunds
        if refund.kind == Refund.Kind.REFUND
        and refund.state in done
        and refund.provider_id == standing.provider_id
        and is_of(refund, standing, event)
    ]
    return event.total - sum(known)


def is_of(refund: Refund, standing: OrderSnapshot, event: Event) -> bool:
    """Whether a refund is of the payment that the event names."""
    payment = next((payment for payment in standing.payments if payment.pk == refund.payment_id), None)
    return payment is None or not event.payment_reference or payment.reference == event.payment_reference


def is_asked(refund: Refund, standing: OrderSnapshot, event: Event, kind: str) -> bool:
    """Whether a refund is one that we asked this provider for, of that payment, and that nobody has answered yet."""
    is_open = refund.state in Refund.OPEN and refund.kind == kind and refund.times_asked > 0
    return is_open and refund.provider_id == standing.provider_id and is_of(refund, standing, event)


def is_ours(refund: Refund, event: Event, amount: int) -> bool:
    """Whether an event tells the end of a refund that we asked for."""
    return refund.amount == amount and (
        not refund.reference or event.total is not None or refund.reference == event.reference
    )


def after_reversal(standing: OrderSnapshot, event: Event) -> Step:
    of_this = [
        refund
        for refund in standing.refunds
        if refund.kind == Refund.Kind.CHARGE_BACK and refund.provider_id == standing.provider_id
    ]
    known = next((refund for refund in of_this if refund.reference == event.reference), None)
    if known is None:
        return Contradict("no such charge-back is known")
    if known.state == Refund.State.REVERSED:
        return Nothing("it was reversed already")
    if event.amount is not None and event.amount != known.amount:
        return Contradict("the charge-back was of another amount")
    return Reverse(known)


# --- Amounts and states ---------------------------------------------------------------------------------


def clawback_of(order: Order, returned: int) -> int:
    """What of the credit is taken back in all when `returned` of the price has gone back: floor(credit * returned / paid) (rule 6)."""
    return (order.credit or 0) * returned // order.price


def present_state(order: Order) -> str:
    """The state of an order that was paid once, by what has gone back of it since."""
    if order.charged_back:
        return State.CHARGED_BACK
    if order.refunded >= order.price:
        return State.REFUNDED
    return State.DELIVERED if order.delivered_at else State.PAID


def stops_delivery(order: Order) -> bool:
    """A full refund or a charge-back stops further tries (contract 4.3)."""
    return bool(order.charged_back) or order.refunded >= order.price
