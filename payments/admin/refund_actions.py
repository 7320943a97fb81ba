"""Refunds initiated by us: the amount, its effect on the credit, and only then the request."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import QueryDict

from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.forms import OurIdField, TwoStepForm
from lib.backoffice.pages import PageAdmin
from lib.ids import new_id
from payments.admin.refunds import REFUND
from payments.models import Delivery, Order, Payment
from payments.nudges import nudge
from payments.refunds.operations import NotRefundable, Refundable, refundable, request_refund
from payments.tasks import refund_task
from wallet.admin.amounts import AmountField, written
from wallet.currencies import show_amount
from wallet.models import Wallet


class RefundForm(TwoStepForm):
    """The amount of a refund. Its id is made with the form: sending the form twice is one refund."""

    refund_id = OurIdField()

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = AmountField(order.currency, label=f"Amount in {order.currency_id}")
        self.order_fields(["amount", "reason"])


class RefundOrder(PageAction[Order]):
    """Begins a refund, once for the form's id, and has the provider asked for it."""

    title, permission = "Refund", REFUND
    refusals = (NotRefundable,)

    def form_for(self, row: Order, data: QueryDict | None) -> RefundForm:
        if data is not None:
            return RefundForm(row, data)
        most = written(refundable(row).most, row.currency_id)
        return RefundForm(row, initial={"refund_id": new_id(), "amount": most})

    def page(self, row: Order) -> Page:
        return Page("Refund this order", first_words(row, refundable(row)), "Continue")

    def confirmation(self, row: Order, given: dict[str, Any]) -> Page:
        of, amount = refundable(row), given["amount"]
        if amount > of.most:
            words = f"At most {show_amount(of.most, row.currency_id)} can be refunded."
            raise ValidationError({"amount": words})
        says = [
            *consequences(row, of, amount),
            f"Reason: {given['reason']}",
            "Once the provider has refunded it, it cannot be reversed.",
        ]
        return Page(f"Refund {show_amount(amount, row.currency_id)}?", says, "Refund", danger=True)

    def do(self, act: Act[Order]) -> str:
        begun = request_refund(
            act.row.pk,
            act.given["amount"],
            actor=act.actor,
            reason=act.reason,
            refund_id=act.given["refund_id"],
        )
        amount = show_amount(begun.amount, act.row.currency_id)
        return f"A refund of {amount} was requested from {begun.provider.name}."

    def afterwards(self, act: Act[Order], done: str) -> str:
        nudge(refund_task, str(act.given["refund_id"]))
        return done


class RefundActions(PageAdmin):
    """The action of an order's page."""

    actions_detail = ("refund",)
    refund = RefundOrder()

    def pointless_actions(self, id: UUID) -> set[str]:
        return set() if Payment.objects.filter(order_id=id, state=Payment.State.PAID).exists() else {"refund"}


def first_words(order: Order, of: Refundable) -> list[str]:
    """The amount that can be refunded at all."""
    most, name = show_amount(of.most, order.currency_id), of.payment.provider.name
    if of.snapshot.kept > order.price:
        return [f"The order was paid twice: {most} of the duplicate payment can be refunded through {name}."]
    return [
        f"{most} of {show_amount(order.price, order.currency_id)} can be refunded through {name}.",
        "You will be asked to confirm before anything is refunded.",
    ]


def consequences(order: Order, of: Refundable, amount: int) -> list[str]:
    """The effects of a refund, in sentences."""
    refunded = show_amount(amount, order.currency_id)
    says = [f"{refunded} are refunded to {order.player.uid} through {of.payment.provider.name}."]
    says += credit_words(order, of.clawback(amount))
    if of.snapshot.kept - amount >= order.price:
        return [*says, "It is a duplicate payment: the order stays as it is."]
    is_whole = of.snapshot.kept <= amount and not order.charged_back
    if is_whole and Delivery.objects.filter(order=order, state=Delivery.State.DELIVERED).exists():
        says.append("The game has delivered already: taking the item back is up to the game.")
    elif is_whole and order.is_delivered_by_game:
        says.append("Once the refund is complete, no more delivery attempts are made.")
    return says


def credit_words(order: Order, wanted: int) -> list[str]:
    """How much of the credit is set aside, and how much is spent already."""
    if wanted <= 0:
        return ["It takes no credit."]
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
        says.append(
            f"{show_amount(wanted - missing, code)} of the credit are set aside at once; "
            "they are released to the player if the provider refuses."
        )
    if missing:
        says.append(
            f"{show_amount(missing, code)} of the credit are spent already: "
            "they become the player's debt once the refund is complete, and are paid from the next credits."
        )
    return says
