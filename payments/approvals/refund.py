"""An order is refunded, whole or in part."""

from functools import partial
from uuid import UUID

import msgspec
from django.db import transaction

from lib.backoffice.languages import _, format_lazy
from payments.models import Delivery, Order
from payments.nudges import nudge
from payments.refunds.operations import NotRefundable, Refundable, refundable, request_refund
from payments.tasks import refund_task
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from wallet.currencies import show_amount
from wallet.models import Wallet
from wallet.operations import lock_wallet

FINAL = _("Once the provider has refunded it, it cannot be reversed.")


class RefundPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` in minor units of the order's currency."""

    order_id: UUID
    amount: int


class OrderRefund(Kind[RefundPayload]):
    """The refund has the id of the request. The provider is asked as soon as it is approved."""

    name, title, permission = "refund_order", _("refund"), "payments.refund_order"
    about, payload = "payments.order", RefundPayload
    moves_money = True

    def describe(self, payload: RefundPayload) -> str:
        order = Order.objects.select_related("player").get(pk=payload.order_id)
        amount = show_amount(payload.amount, order.currency_id)
        return format_lazy(_("Refund {amount} to {uid}"), amount=amount, uid=order.player.uid)

    def preview(self, payload: RefundPayload) -> Preview:
        rows = Order.objects.select_for_update(of=("self",)).select_related("player")
        order, amount = rows.get(pk=payload.order_id), payload.amount
        if order.credit_currency_id:
            # What is there of the credit is part of the effect.
            lock_wallet(order.player_id, order.credit_currency_id)
        try:
            of = refundable(order)
        except NotRefundable as problem:
            raise NotExecutable(*problem.args) from problem
        if not 0 < amount <= of.most:
            most = show_amount(of.most, order.currency_id)
            raise NotExecutable(format_lazy(_("At most {amount} can be refunded."), amount=most))
        code = order.currency_id
        change = Change(
            _("Paid and not returned"),
            show_amount(of.snapshot.kept, code),
            show_amount(of.snapshot.kept - amount, code),
        )
        says = [*consequences(order, of, amount), FINAL]
        return Preview(subject_of(order, f"order {order.cp_order_id}"), [change], says, amount, code)

    def execute(self, payload: RefundPayload, execution: Execution) -> str:
        try:
            begun = request_refund(
                payload.order_id,
                payload.amount,
                actor=execution.actor,
                reason=execution.reason,
                refund_id=execution.id,
            )
        except NotRefundable as problem:
            raise NotExecutable(*problem.args) from problem
        transaction.on_commit(partial(nudge, refund_task, str(begun.pk)))
        amount = show_amount(begun.amount, begun.order.currency_id)
        words = _("A refund of {amount} was requested from {provider}.")
        return format_lazy(words, amount=amount, provider=begun.provider.name)


REFUND_OF_ORDER = OrderRefund()


def consequences(order: Order, of: Refundable, amount: int) -> list[str]:
    """The effects of a refund, in sentences."""
    refunded = show_amount(amount, order.currency_id)
    words, provider = _("{amount} are refunded to {uid} through {provider}."), of.payment.provider.name
    says = [format_lazy(words, amount=refunded, uid=order.player.uid, provider=provider)]
    says += credit_words(order, of.clawback(amount))
    if of.snapshot.kept - amount >= order.price:
        return [*says, _("It is a duplicate payment: the order stays as it is.")]
    is_whole = of.snapshot.kept <= amount and not order.charged_back
    if is_whole and Delivery.objects.filter(order=order, state=Delivery.State.DELIVERED).exists():
        says.append(_("The game has delivered already: taking the item back is up to the game."))
    elif is_whole and order.is_delivered_by_game:
        says.append(_("Once the refund is complete, no more delivery attempts are made."))
    return says


def credit_words(order: Order, wanted: int) -> list[str]:
    """How much of the credit is set aside, and how much is spent already."""
    if wanted <= 0:
        return [_("It takes no credit.")]
    code = str(order.credit_currency_id)
    there = (
        Wallet.objects.filter(player_id=order.player_id, currency_id=code)
        .values_list("spendable", flat=True)
        .first()
        or 0
    )
    missing = max(wanted - there, 0)
    says = []
    if wanted > missing:
        words = _(
            "{amount} of the credit are set aside at once; "
            "they are released to the player if the provider refuses."
        )
        says.append(format_lazy(words, amount=show_amount(wanted - missing, code)))
    if missing:
        words = _(
            "{amount} of the credit are spent already: "
            "they become the player's debt once the refund is complete, and are paid from the next credits."
        )
        says.append(format_lazy(words, amount=show_amount(missing, code)))
    return says
