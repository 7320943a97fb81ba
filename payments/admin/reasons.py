"""Why an order is in its state, in a sentence for operators. No rule is decided here: it tells what was."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lib.clock import in_words
from payments.admin.delivery_reasons import Failures, failures_of, undelivered
from payments.models import (
    Callback,
    Delivery,
    Order,
    Payment,
    Refund,
    RefusedCallback,
    Shop,
)
from payments.providers.registry import PROVIDERS
from payments.settlement.replay import Unreplayable, event_of
from wallet.currencies import show_amount

State = Order.State
# Of each kind, for a page of orders: more has only one that is attacked.
MOST_ROWS = 500


@dataclass(slots=True)
class Story:
    """What belongs to an order, each the newest first.

    `contradicting` are the callbacks that were genuine and counted for nothing. `failures` are the attempts
    to deliver that failed; `is_paused` says whether the shop's deliveries are. `refused` are the callbacks
    that name it, and that nobody has vouched for yet.
    """

    order: Order
    payments: list[Payment] = field(default_factory=list)
    contradicting: list[Callback] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    delivery: Delivery | None = None
    failures: Failures | None = None
    is_paused: bool = False
    refused: list[RefusedCallback] = field(default_factory=list)


def stories_of(orders: Sequence[Order]) -> list[Story]:
    """The stories of a page of orders, by as many queries for all as for one."""
    ids = [order.pk for order in orders]
    payments = by_order(Payment.objects.filter(order__in=ids).select_related("provider"))
    contradicting = Callback.objects.filter(order__in=ids, outcome=Callback.Outcome.CONTRADICTS)
    callbacks = by_order(contradicting.select_related("provider"))
    refunds = by_order(Refund.objects.filter(order__in=ids))
    deliveries = {delivery.order_id: delivery for delivery in Delivery.objects.filter(order__in=ids)}
    failures = failures_of(deliveries.values())
    refused = refused_of(ids)
    paused = set(Shop.objects.exclude(paused_at=None).values_list("game_id", flat=True))
    return [
        Story(
            order,
            payments[order.pk],
            callbacks[order.pk],
            refunds[order.pk],
            deliveries.get(order.pk),
            failures.get(deliveries[order.pk].pk) if order.pk in deliveries else None,
            order.game_id in paused,
            refused[order.pk],
        )
        for order in orders
    ]


def by_order(rows: Any) -> dict[UUID, list[Any]]:
    """Rows that name their orders, the newest first."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows.order_by("-pk")[:MOST_ROWS]:
        found[row.order_id].append(row)
    return found


def refused_of(ids: Sequence[UUID]) -> dict[UUID, list[RefusedCallback]]:
    """The refused callbacks that name an order, by it, the newest first."""
    rows = RefusedCallback.objects.filter(said_order__in=ids, is_likely=True, verified_at=None)
    found: dict[UUID, list[RefusedCallback]] = defaultdict(list)
    for row in rows.select_related("provider").defer("headers", "body").order_by("-pk")[:MOST_ROWS]:
        if row.said_order:
            found[row.said_order].append(row)
    return found


# --- The sentence -----------------------------------------------------------------------------------------


def reason(story: Story) -> str:
    """Why the order is in its state, and what is under way."""
    order = story.order
    match order.state:
        case State.CREATED:
            said = f"Not paid: {unpaid(story)}"
        case State.EXPIRED:
            said = f"Expired {in_words(order.expires_at)} without a payment: {unpaid(story)}"
        case State.FAILED:
            said = f"Not paid: {failed(story)}"
        case State.CHARGED_BACK:
            said = f"{amount(order, order.charged_back)} of {amount(order, order.price)} are charged back."
        case State.REFUNDED:
            said = f"{amount(order, order.refunded)} are refunded."
        case _:
            said = f"Paid; {kept(story)}"
    return " ".join([said, *refusals(story), *returns(story)])


def unpaid(story: Story) -> str:
    """Why no payment has been counted, as far as is known."""
    if story.contradicting:
        return contradiction(story.contradicting[0], story.order)
    if story.refused:
        return refused(story.refused)
    begun = [payment for payment in story.payments if payment.state == Payment.State.STARTED]
    if begun:
        last = begun[0]
        sent = f"the player was sent to {last.provider} {in_words(last.started_at)}, and no callback came."
        return f"{sent}{asked(last)}"
    return failed(story) if story.payments else "the player has not been sent to a provider yet."


def asked(payment: Payment) -> str:
    """What the provider said when it was asked; with a space before it, or nothing."""
    if payment.query_due_at:
        return " It is being asked."
    if not payment.queried_at:
        return ""
    return f" When it was asked, {in_words(payment.queried_at)}: {payment.query_answer}."


def refused(rows: Sequence[RefusedCallback]) -> str:
    """How many callbacks that name the order were refused, and why the last one was."""
    number, last = len(rows), rows[0]
    times = "1 callback that names it was" if number == 1 else f"{number} callbacks that name it were"
    return f"{times} refused by us, the last of {last.provider} {in_words(last.at)}: {lowered(last.problem)}"


def refusals(story: Story) -> list[str]:
    """The same besides another reason."""
    is_told = story.order.state in (State.CREATED, State.EXPIRED) and not story.contradicting
    return [] if is_told or not story.refused else [f"Besides, {refused(story.refused)}"]


def lowered(sentence: str) -> str:
    """A sentence in the middle of another one; names of headers stay as they are."""
    return sentence[:1].lower() + sentence[1:]


def failed(story: Story) -> str:
    """What the last payment failed for."""
    if not story.payments:
        return "the payment failed."
    last = story.payments[0]
    what = "could not be started" if last.state == Payment.State.UNSTARTED else "failed"
    return f"the payment with {last.provider} {what}{f' ({last.problem})' if last.problem else ''}."


def contradiction(callback: Callback, order: Order) -> str:
    """How a genuine callback differs from the order; with the amounts if it is these."""
    config = {config.id: config for config in PROVIDERS.all().values()}.get(callback.provider_id)
    try:
        event = event_of(callback, config) if config else None
    except Unreplayable:
        event = None
    what = "an answer" if callback.source == Callback.Source.QUERY else "a callback"
    teller = f"{what} of {callback.provider}"
    differs = event and event.currency == order.currency_id and event.amount not in (None, order.price)
    if event and differs:
        named = amount(order, event.amount)
        return f"{teller} named {named} instead of {amount(order, order.price)}."
    return f"{teller} contradicts the order: {callback.problem}."


def kept(story: Story) -> str:
    """What became of a paid order."""
    order = story.order
    if order.is_credit_held:
        return "the wallet could not hold the credit: it has to be given by an adjustment."
    if not order.is_delivered_by_game:
        return "credited." if order.state == State.DELIVERED else "the credit is under way."
    if order.delivered_at:
        return f"delivered by the game {in_words(order.delivered_at)}."
    return undelivered(story.delivery, story.failures, is_paused=story.is_paused)


def returns(story: Story) -> list[str]:
    """What goes back, or does not, besides what the state says."""
    order, said = story.order, list[str]()
    unpaid = never_paid(story)
    if unpaid:
        said.append(f"{amount(order, unpaid)} of {amount(order, order.price)} were never paid.")
    if order.refunded > unpaid and order.state != State.REFUNDED:
        refunded = amount(order, order.refunded - unpaid)
        said.append(f"{refunded} of {amount(order, order.price)} are refunded.")
    for refund in story.refunds:
        if refund.state in Refund.OPEN:
            said.append(f"A refund of {amount(order, refund.amount)} is not confirmed by the provider yet.")
        elif refund.state == Refund.State.REFUSED:
            said.append(f"A refund of {amount(order, refund.amount)} was refused by the provider.")
    duplicates = sum(payment.is_duplicate for payment in story.payments)
    if duplicates:
        said.append("It was paid twice." if duplicates == 1 else f"It was paid {duplicates + 1} times.")
    return said


def never_paid(story: Story) -> int:
    """How much less than the price a callback named that was accepted as the payment, in minor units."""
    paid = [payment.amount for payment in story.payments if payment.state == Payment.State.PAID]
    return max(story.order.price - sum(paid), 0) if paid else 0


def amount(order: Order, minor: int | None) -> str:
    return show_amount(minor, order.currency_id)
