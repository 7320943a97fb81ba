"""A genuine callback that contradicts its order is accepted as the order's payment."""

from functools import partial
from uuid import UUID

import msgspec
from django.db import transaction

from lib.backoffice.languages import _, format_lazy
from payments.callbacks.acceptance import NotAcceptable, accept_callback, lock, plan_acceptance
from payments.models import Callback, Order
from payments.nudges import nudge
from payments.settlement.changes import Delivery, Plan, applied
from payments.settlement.snapshot import OrderSnapshot
from payments.tasks import deliver_task
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from wallet.currencies import show_amount
from wallet.operations import lock_wallet

LATE = _(
    "If the provider reports the order's payment after all, that is a duplicate payment, to be refunded: "
    "no more than the order's credit is ever given."
)


class AcceptancePayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order_id: UUID
    callback_id: UUID


class CallbackAcceptance(Kind[AcceptancePayload]):
    """What the callback names as paid is booked; the credit follows from it as always."""

    name, title, permission = "accept_callback", _("acceptance of a payment"), "payments.accept_callback"
    about, payload = "payments.order", AcceptancePayload
    moves_money = True

    def describe(self, payload: AcceptancePayload) -> str:
        order = Order.objects.select_related("player").get(pk=payload.order_id)
        callback = Callback.objects.select_related("provider").get(pk=payload.callback_id)
        return format_lazy(
            _("Accept the callback {message} of {provider} as the payment of order {order} of {uid}"),
            message=callback.message_id,
            provider=callback.provider.name,
            order=order.cp_order_id,
            uid=order.player.uid,
        )

    def preview(self, payload: AcceptancePayload) -> Preview:
        try:
            order, callback = lock(payload.order_id, payload.callback_id)
            if order.credit_currency_id:
                # Whether the wallet can hold the credit is part of the effect.
                lock_wallet(order.player_id, order.credit_currency_id)
            before, planned = plan_acceptance(order, callback, "preview")
        except NotAcceptable as problem:
            raise NotExecutable(*problem.args) from problem
        after = applied(before, planned.changes)
        amount = after.kept - before.kept
        says = [*reasons(callback, order, amount), *consequences(planned), LATE]
        subject = subject_of(order, f"order {order.cp_order_id}")
        return Preview(subject, changes(before, after), says, amount, order.currency_id)

    def execute(self, payload: AcceptancePayload, execution: Execution) -> str:
        try:
            delivery_id = accept_callback(payload.order_id, payload.callback_id, actor=execution.actor)
        except NotAcceptable as problem:
            raise NotExecutable(*problem.args) from problem
        if delivery_id is not None:
            transaction.on_commit(partial(nudge, deliver_task, str(delivery_id)))
        order = Order.objects.get(pk=payload.order_id)
        words = _("The callback is accepted: the order is now {state}.")
        return format_lazy(words, state=Order.State(order.state).label)


ACCEPT_CALLBACK = CallbackAcceptance()


def changes(before: OrderSnapshot, after: OrderSnapshot) -> list[Change]:
    """The effect, in words and figures."""
    code, credit = before.order.currency_id, before.order.credit_currency_id
    found = [
        Change(_("Order"), *(Order.State(one.order.state).label for one in (before, after))),
        Change(_("Paid and not returned"), show_amount(before.kept, code), show_amount(after.kept, code)),
    ]
    if credit:
        has, gets = (show_amount(snapshot.credited, str(credit)) for snapshot in (before, after))
        found.append(Change(_("Credit that the player has of it"), has, gets))
    return found


def reasons(callback: Callback, order: Order, amount: int) -> list[str]:
    """What the callback says, and why it did not count."""
    named, price = (show_amount(one, order.currency_id) for one in (amount, order.price))
    signed = _("{provider} has signed it. It did not count: {problem}.")
    booked = _("It names {named}, which is booked as paid. The price is {price}.")
    said = [
        format_lazy(signed, provider=callback.provider.name, problem=callback.problem.rstrip(".")),
        format_lazy(booked, named=named, price=price),
    ]
    if amount < order.price and order.credit:
        said.append(_("Less than the price was paid, so only that share of the credit is given."))
        said.append(_("Give the rest by an adjustment of the wallet, if it is due."))
    if amount > order.price:
        more = show_amount(amount - order.price, order.currency_id)
        words = _("More than the price was paid: {amount} of it are to be refunded.")
        said.append(format_lazy(words, amount=more))
    return said


def consequences(planned: Plan) -> list[str]:
    """What follows besides."""
    return [_("The game is told to deliver.")] if planned.delivery == Delivery.BEGIN else []
