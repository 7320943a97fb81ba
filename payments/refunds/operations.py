"""Refunds that operators initiate: the credit is set aside first (contract 4.2)."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from lib.backoffice.languages import _, format_lazy
from lib.clock import now
from lib.ids import new_id
from payments.models import Order, Payment, Refund
from payments.orders.events import Actor, record_event
from payments.orders.state import standing
from payments.providers.adapters import adapter_for
from payments.providers.protocol import ProviderConfig
from payments.providers.registry import PROVIDERS
from payments.settlement.snapshot import OrderSnapshot, snapshot_of
from wallet import ledger

logger = logging.getLogger(__name__)


BOOKED_HERE = _("{provider} takes no refund requests: refund it there, and its callback books it here.")
BOOKED_BY_HAND = _(
    "{provider} takes no refund requests: refund it there, "
    "and take the credit back by an adjustment of the wallet: it cannot tell us."
)


class NotRefundable(Exception):
    """Why an operator cannot have this refunded; the text is for them."""


@dataclass(frozen=True, slots=True)
class Refundable:
    """The payment that a refund of an order would be of, and how much of it there is, in minor units."""

    payment: Payment
    most: int
    config: ProviderConfig
    snapshot: OrderSnapshot

    def clawback(self, amount: int) -> int:
        """The credit that a refund of `amount` would take, in minor units of the credit's currency."""
        order, snapshot = self.snapshot.order, self.snapshot
        after = standing(order.price, snapshot.kept - amount, snapshot.charged_back)
        return max(snapshot.credited - after.credit_of(order.credit or 0), 0)


def present(order: Order) -> OrderSnapshot:
    """The order as it stands, for what is initiated here."""
    payments = list(Payment.objects.filter(order=order).select_related("provider").order_by("pk"))
    refunds = list(Refund.objects.filter(order=order).order_by("pk"))
    return snapshot_of(order, None, payments, refunds)


def refundable(order: Order) -> Refundable:
    """The refund that is possible. Raises `NotRefundable`.

    Of a duplicate payment first, the newest of them.
    """
    snapshot = present(order)
    if any(refund.state in Refund.OPEN for refund in snapshot.refunds):
        raise NotRefundable(_("A refund of this order is under way: wait for its end."))
    paid = [payment for payment in snapshot.payments if payment.state == Payment.State.PAID]
    if not paid:
        raise NotRefundable(_("This order is not paid."))
    left = {payment.pk: min(snapshot.left_of(payment), payment.amount - payment.returned) for payment in paid}
    payment = max(paid, key=lambda payment: (left[payment.pk] > 0, payment.is_duplicate, payment.pk))
    config = askable(payment)
    if left[payment.pk] <= 0:
        raise NotRefundable(_("Everything that was paid has gone back already."))
    return Refundable(payment, left[payment.pk], config, snapshot)


def askable(payment: Payment) -> ProviderConfig:
    """The provider of a payment, if refunds can be requested of it. Raises `NotRefundable`."""
    config = PROVIDERS.find(payment.provider.slug)
    adapter = adapter_for(payment.provider.scheme)
    if config is not None and adapter.can_refund:
        return config
    words = BOOKED_HERE if adapter.tells_refunds else BOOKED_BY_HAND
    raise NotRefundable(format_lazy(words, provider=payment.provider.name))


def request_refund(
    order_id: UUID, amount: int, *, actor: str, reason: str, refund_id: UUID | None = None
) -> Refund:
    """Begins a refund of `amount` minor units; the credit that belongs to it is set aside.

    The same `refund_id` again is the same refund.

    Raises `NotRefundable`; then nothing has changed.
    The caller nudges after the commit; a sweep asks the provider.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(pk=order_id)
        known = Refund.objects.filter(pk=refund_id).first() if refund_id else None
        if known is not None and known.order_id == order_id:
            return known
        if known is not None:
            raise NotRefundable(_("This refund was begun for another order."))
        of = refundable(order)
        if not 0 < amount <= of.most:
            raise NotRefundable(_("That is more than can be refunded."))
        at = now()
        refund = Refund(
            id=refund_id or new_id(),
            order=order,
            payment=of.payment,
            payment_reference=of.payment.reference,
            provider_id=of.payment.provider_id,
            kind=Refund.Kind.REFUND,
            state=Refund.State.ASKED,
            amount=amount,
            actor=actor[:80],
            reason=reason,
            created_at=at,
            next_attempt_at=at,
        )
        set_aside(order, refund, 0 if order.is_credit_held else of.clawback(amount))
        refund.save(force_insert=True)
        by = Actor(actor, "operator", at)
        record_event(order, "refund_asked", by, amount=amount, old_state=order.state, note=reason)
    return refund


def set_aside(order: Order, refund: Refund, wanted: int) -> None:
    """Reserves what there is of the credit; what is spent already becomes debt when the refund is done."""
    if not wanted:
        return
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


def requery(refund: Refund, *, actor: str) -> None:
    """Has the provider asked at once. Raises `NotRefundable` if there is nothing to ask about."""
    open_one = Refund.objects.filter(pk=refund.pk, state__in=Refund.OPEN)
    if not open_one.update(next_attempt_at=now(), leased_until=None):
        raise NotRefundable(_("This refund has come to its end: there is nothing to ask about."))
    logger.info("%s has the provider asked about refund %s", actor, refund.pk)
