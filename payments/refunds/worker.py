"""Refunds of our own asking: the credit is set aside first, and an outcome that is not known is asked about, never guessed (contract 4.2)."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from django.db import DatabaseError, transaction
from django.db.models import F, Q

from lib.clock import now
from lib.ids import new_id
from payments.models import Order, Payment, Refund
from payments.orders.events import Actor, record_event
from payments.providers import adapter_for
from payments.providers.protocol import ProviderConfig, RefundRequest, RefundResult, RefundStatus
from payments.providers.registry import PROVIDERS
from payments.settlement import returns
from payments.settlement.decide import clawback_of
from wallet import ledger
from wallet.alerts import clear_alert, raise_alert
from wallet.job_runs import Run
from wallet.models import Alert

logger = logging.getLogger(__name__)
# Longer than a call can take: a lost worker's refunds are asked about again after it.
LEASE = timedelta(minutes=2)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Growing pauses between questions; the last one stays.
PAUSES = (10 * timedelta(seconds=1), MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR)
# After this long without an end, a person is told; it is asked about all the same.
PATIENCE = 3 * DAY
BATCH = 8


class NotRefundable(Exception):
    """Why an operator cannot have this refunded; the text is for them."""


@dataclass(frozen=True, slots=True)
class Refundable:
    """Which payment a refund of an order would be of, and how much of it there is, in minor units."""

    payment: Payment
    most: int
    config: ProviderConfig


def refundable(order: Order) -> Refundable:
    """What can be refunded of an order: a second payment first. Raises `NotRefundable`."""
    if Refund.objects.filter(order=order, state__in=Refund.OPEN).exists():
        raise NotRefundable("A refund of this order is under way: wait for its end.")
    paid = (
        Payment.objects.filter(order=order, state=Payment.State.PAID)
        .select_related("provider")
        .order_by("pk")
    )
    seconds = [payment for payment in paid if payment.is_second and payment.returned < payment.amount]
    payment = next(iter(seconds), None) or next((payment for payment in paid if not payment.is_second), None)
    if payment is None:
        raise NotRefundable("This order is not paid.")
    config = PROVIDERS.find(payment.provider.slug)
    adapter = adapter_for(payment.provider.scheme)
    if config is None or not adapter.can_refund:
        then = (
            "its callback books it here"
            if adapter.tells_refunds
            else "take the credit back by an adjustment of the wallet: it cannot tell us"
        )
        raise NotRefundable(
            f"{payment.provider.name} cannot be asked for refunds by us: refund it there, and {then}."
        )
    most = payment.amount - payment.returned if payment.is_second else order.price - order.returned
    if most <= 0:
        raise NotRefundable("Everything that was paid has gone back already.")
    return Refundable(payment, most, config)


def request_refund(
    order_id: UUID, amount: int, *, actor: str, reason: str, refund_id: UUID | None = None
) -> Refund:
    """Begins a refund of `amount` minor units; the credit that belongs to it is set aside. The same `refund_id` again is the same refund.

    Raises `NotRefundable`; then nothing has changed. The caller nudges after the commit; a sweep asks the provider.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(pk=order_id)
        known = Refund.objects.filter(pk=refund_id).first() if refund_id else None
        if known is not None and known.order_id == order_id:
            return known
        if known is not None:
            raise NotRefundable("This refund was begun for another order.")
        of = refundable(order)
        if not 0 < amount <= of.most:
            raise NotRefundable("That is more than can be refunded.")
        at, is_second = now(), of.payment.is_second
        refund = Refund(
            id=refund_id or new_id(),
            order=order,
            payment=of.payment,
            provider_id=of.payment.provider_id,
            kind=Refund.Kind.REFUND,
            state=Refund.State.ASKED,
            amount=amount,
            of_second=amount if is_second else 0,
            actor=actor[:80],
            reason=reason,
            created_at=at,
            next_at=at,
        )
        wanted = 0 if is_second else clawback_of(order, order.returned + amount) - order.clawed_back
        if wanted > 0:
            set_aside(order, refund, wanted)
        refund.save(force_insert=True)
        record_event(
            order,
            "refund_asked",
            Actor(actor, "operator", at),
            amount=amount,
            old_state=order.state,
            note=reason,
        )
    return refund


def set_aside(order: Order, refund: Refund, wanted: int) -> None:
    """Reserves what there is of the credit; what is spent already becomes debt when the refund is done."""
    id = new_id()
    refund.set_aside = ledger.set_aside(
        transaction_id=id,
        player_id=order.player_id,
        game_id=order.game_id,
        currency=str(order.credit_currency_id),
        most=wanted,
        reverses=order.credit_transaction,
        reference=order.pk,
        description=f"order {order.pk}",
        source="operator",
        actor=refund.actor,
    )
    refund.set_aside_transaction = id if refund.set_aside else None


def settle_refunds(run: Run) -> None:
    """Asks providers for refunds that operators requested, and about what is not known yet."""
    while leased := lease(now()):
        run.looked_at += len(leased)
        for refund, is_first in leased:
            run.done += settle_one(refund, is_first=is_first)


def lease(at: datetime, only: UUID | None = None) -> list[tuple[Refund, bool]]:
    """Takes refunds that it is time to ask about; with each, whether it was never asked for. Written down before anybody is asked."""
    with transaction.atomic():
        free = Refund.objects.filter(next_at__lte=at).filter(Q(leased_until=None) | Q(leased_until__lte=at))
        if only is not None:
            free = free.filter(pk=only)
        rows = list(
            free.order_by("next_at")
            .select_for_update(of=("self",), skip_locked=True)
            .select_related("provider", "payment", "order")[:BATCH]
        )
        ids = [row.pk for row in rows]
        Refund.objects.filter(pk__in=ids).update(
            leased_until=at + LEASE, state=Refund.State.UNKNOWN, times_asked=F("times_asked") + 1
        )
    return [(row, row.state == Refund.State.ASKED) for row in rows]


def settle_one(refund: Refund, *, is_first: bool) -> bool:
    """Asks the provider, outside of every atomic block, and does what follows. Returns whether the refund has come to an end."""
    config = PROVIDERS.find(refund.provider.slug)
    if config is None or refund.payment is None:
        raise AssertionError("providers are never deleted, and what is asked for is of a payment")
    word = ask(config, refund_request(refund), is_first=is_first)
    try:
        return record_result(refund.pk, word)
    except (DatabaseError, psycopg.Error):
        # It is asked about again when its lease runs out, and keeps no other one waiting.
        logger.exception("what became of refund %s cannot be written down", refund.pk)
        return False


def refund_request(refund: Refund) -> RefundRequest:
    payment = refund.payment
    if payment is None:
        raise AssertionError("what is asked for is of a payment")
    return RefundRequest(
        refund.pk,
        refund.order_id,
        payment.start_reference,
        payment.reference,
        refund.amount,
        refund.order.currency_id,
        refund.reference,
    )


def ask(config: ProviderConfig, request: RefundRequest, *, is_first: bool) -> RefundResult:
    """What the provider says: the first time it is asked for the refund, later what became of it, and again only if it does not know it."""
    adapter = adapter_for(config.scheme)
    try:
        word = adapter.refund(config, request) if is_first else adapter.status(config, request)
        return (
            adapter.refund(config, request) if word.fate == RefundStatus.NOT_FOUND and not is_first else word
        )
    except Exception as problem:
        logger.exception("a provider's word about refund %s cannot be understood", request.id)
        return RefundResult(RefundStatus.UNKNOWN, problem=f"our own mistake: {type(problem).__name__}")


def record_result(refund_id: UUID, word: RefundResult) -> bool:
    """Does what follows from a provider's word about a refund. Returns whether that is its end, and new."""
    at = now()
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(refunds=refund_id)
        refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund_id)
        if refund.state not in Refund.OPEN:
            return False
        refund.order = order
        by = Actor(f"provider:{refund.provider.slug}", "provider", at)
        if word.fate == RefundStatus.DONE and is_booked(refund, word):
            returns.refuse(order, refund, f"the provider's {word.reference} is booked already", by)
            return True
        if word.fate in (RefundStatus.DONE, RefundStatus.REFUSED):
            clear_alert(Alert.Kind.REFUND_OPEN, str(refund.pk), reason="The provider has answered.")
        if word.fate == RefundStatus.DONE:
            returns.complete(order, refund, word.reference, by)
            return True
        if word.fate == RefundStatus.REFUSED:
            returns.refuse(order, refund, word.problem, by)
            return True
        wait(refund, word, at)
    return False


def is_booked(refund: Refund, word: RefundResult) -> bool:
    """Whether another refund stands for what the provider calls this one, so that its money is counted."""
    same = Refund.objects.filter(
        provider_id=refund.provider_id, kind=refund.kind, reference=word.reference
    ).exclude(pk=refund.pk)
    return bool(word.reference) and same.exists()


def wait(refund: Refund, word: RefundResult, at: datetime) -> None:
    """Nobody knows: it is asked about again, and after days a person is told."""
    refund.reference = refund.reference or ("" if is_booked(refund, word) else word.reference)
    refund.problem = word.problem[:255]
    refund.next_at, refund.leased_until = at + PAUSES[min(refund.times_asked, len(PAUSES)) - 1], None
    refund.save(update_fields=["reference", "problem", "next_at", "leased_until"])
    if at - refund.created_at >= PATIENCE:
        text = f"Order {refund.order_id}: nobody knows what became of a refund that was asked for {refund.times_asked} times: {word.problem}"
        raise_alert(Alert.Kind.REFUND_OPEN, str(refund.pk), text)


def requery(refund: Refund, *, actor: str) -> None:
    """An operator has the provider asked at once. Raises `NotRefundable` where there is nothing to ask about."""
    if not Refund.objects.filter(pk=refund.pk, state__in=Refund.OPEN).update(
        next_at=now(), leased_until=None
    ):
        raise NotRefundable("This refund has come to its end: there is nothing to ask about.")
    logger.info("%s has the provider asked about refund %s", actor, refund.pk)
