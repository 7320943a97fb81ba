"""Why an order is in its state, in a sentence for operators. No rule is decided here: it tells what was."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lib.backoffice.languages import _, ngettext_lazy
from lib.backoffice.stored_texts import reworded, reworded_failure
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
NAMED_BY_ANSWER = _("an answer of {provider} named {named} instead of {price}.")
NAMED_BY_CALLBACK = _("a callback of {provider} named {named} instead of {price}.")
ANSWER_CONTRADICTS = _("an answer of {provider} contradicts the order: {problem}.")
CALLBACK_CONTRADICTS = _("a callback of {provider} contradicts the order: {problem}.")


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
            said = _("Not paid: {why}").format(why=unpaid(story))
        case State.EXPIRED:
            words = _("Expired {at} without a payment: {why}")
            said = words.format(at=in_words(order.expires_at), why=unpaid(story))
        case State.FAILED:
            said = _("Not paid: {why}").format(why=failed(story))
        case State.CHARGED_BACK:
            said = of_price(_("{part} of {whole} are charged back."), order, order.charged_back)
        case State.REFUNDED:
            said = _("{amount} are refunded.").format(amount=amount(order, order.refunded))
        case _:
            said = _("Paid; {what}").format(what=kept(story))
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
        sent = _("the player was sent to {provider} {at}, and no callback came.")
        words = sent.format(provider=last.provider, at=in_words(last.started_at))
        return " ".join([words, *asked(last)])
    if story.payments:
        return failed(story)
    if story.order.state == State.EXPIRED:
        return str(_("the player was never sent to a provider."))
    return str(_("the player has not been sent to a provider yet."))


def asked(payment: Payment) -> list[str]:
    """What the provider said when it was asked, if it was."""
    if payment.query_due_at:
        return [str(_("It is being asked."))]
    if not payment.queried_at:
        return []
    words = _("When it was asked, {at}: {answer}.")
    return [words.format(at=in_words(payment.queried_at), answer=reworded(payment.query_answer))]


def refused(rows: Sequence[RefusedCallback]) -> str:
    """How many callbacks that name the order were refused, and why the last one was."""
    number, last = len(rows), rows[0]
    words = ngettext_lazy(
        "{number} callback that names it was refused by us, the last of {provider} {at}: {problem}",
        "{number} callbacks that name it were refused by us, the last of {provider} {at}: {problem}",
        number,
    )
    at, problem = in_words(last.at), lowered(reworded(last.problem))
    return words.format(number=number, provider=last.provider, at=at, problem=problem)


def refusals(story: Story) -> list[str]:
    """The same besides another reason."""
    is_told = story.order.state in (State.CREATED, State.EXPIRED) and not story.contradicting
    if is_told or not story.refused:
        return []
    return [_("Besides, {what}").format(what=refused(story.refused))]


def lowered(sentence: str) -> str:
    """A sentence in the middle of another one; names of headers stay as they are."""
    return sentence[:1].lower() + sentence[1:]


def failed(story: Story) -> str:
    """What the last payment failed for."""
    if not story.payments:
        return str(_("the payment failed."))
    last = story.payments[0]
    if last.state == Payment.State.UNSTARTED:
        words = _("the payment with {provider} could not be started{problem}.")
    else:
        words = _("the payment with {provider} failed{problem}.")
    problem = f" ({reworded_failure(last.problem)})" if last.problem else ""
    return words.format(provider=last.provider, problem=problem)


def contradiction(callback: Callback, order: Order) -> str:
    """How a genuine callback differs from the order; with the amounts if it is these."""
    config = {config.id: config for config in PROVIDERS.all().values()}.get(callback.provider_id)
    try:
        event = event_of(callback, config) if config else None
    except Unreplayable:
        event = None
    is_answer = callback.source == Callback.Source.QUERY
    differs = event and event.currency == order.currency_id and event.amount not in (None, order.price)
    if event and differs:
        words = NAMED_BY_ANSWER if is_answer else NAMED_BY_CALLBACK
        named, price = amount(order, event.amount), amount(order, order.price)
        return words.format(provider=callback.provider, named=named, price=price)
    words = ANSWER_CONTRADICTS if is_answer else CALLBACK_CONTRADICTS
    return words.format(provider=callback.provider, problem=reworded(callback.problem))


def kept(story: Story) -> str:
    """What became of a paid order."""
    order = story.order
    if order.is_credit_held:
        return _("the wallet could not hold the credit: it has to be given by an adjustment.")
    if not order.is_delivered_by_game:
        return _("credited.") if order.state == State.DELIVERED else _("the credit is under way.")
    if order.delivered_at:
        return _("delivered by the game {at}.").format(at=in_words(order.delivered_at))
    return undelivered(story.delivery, story.failures, is_paused=story.is_paused)


def returns(story: Story) -> list[str]:
    """What goes back, or does not, besides what the state says."""
    order, said = story.order, list[str]()
    unpaid = never_paid(story)
    if unpaid:
        said.append(of_price(_("{part} of {whole} were never paid."), order, unpaid))
    if order.refunded > unpaid and order.state != State.REFUNDED:
        said.append(of_price(_("{part} of {whole} are refunded."), order, order.refunded - unpaid))
    for refund in story.refunds:
        if refund.state in Refund.OPEN:
            words = _("A refund of {amount} is not confirmed by the provider yet.")
            said.append(words.format(amount=amount(order, refund.amount)))
        elif refund.state == Refund.State.REFUSED:
            words = _("A refund of {amount} was refused by the provider.")
            said.append(words.format(amount=amount(order, refund.amount)))
    duplicates = sum(payment.is_duplicate for payment in story.payments)
    if duplicates:
        words = _("It was paid twice.") if duplicates == 1 else _("It was paid {number} times.")
        said.append(words.format(number=duplicates + 1))
    return said


def never_paid(story: Story) -> int:
    """How much less than the price a callback named that was accepted as the payment, in minor units."""
    paid = [payment.amount for payment in story.payments if payment.state == Payment.State.PAID]
    return max(story.order.price - sum(paid), 0) if paid else 0


def of_price(words: str, order: Order, part: int) -> str:
    """A part of the price, in a sentence."""
    return words.format(part=amount(order, part), whole=amount(order, order.price))


def amount(order: Order, minor: int | None) -> str:
    return show_amount(minor, order.currency_id)
