"""Refunds initiated by us: the amount, its effect on the credit, and only then the request."""

from typing import Any

from django.http import QueryDict

from lib.backoffice.confirmation import Page
from lib.backoffice.languages import _
from payments.admin.refunds import REFUND
from payments.approvals.refund import REFUND_OF_ORDER, RefundPayload
from payments.models import Order
from payments.refunds.operations import NotRefundable, Refundable, refundable
from players.admin.approved_action import ApprovedAction, TwoStepRequestForm
from wallet.admin.amounts import AmountField, written
from wallet.currencies import show_amount


class RefundForm(TwoStepRequestForm):
    """The amount of a refund."""

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = AmountField(
            order.currency, label=_("Amount in {currency}").format(currency=order.currency_id)
        )
        self.order_fields(["amount", "reason"])


class RefundOrder(ApprovedAction[Order]):
    """Requests a refund; once it is approved, the sweep asks the provider for it."""

    title, permission, kind, danger = _("Refund"), REFUND, REFUND_OF_ORDER, True
    refusals = (NotRefundable, *ApprovedAction.refusals)

    def form_for(self, row: Order, data: QueryDict | None) -> RefundForm:
        if data is not None:
            return RefundForm(row, data)
        return RefundForm(row, initial={"amount": written(refundable(row).most, row.currency_id)})

    def page(self, row: Order) -> Page:
        return Page(_("Refund this order"), first_words(row, refundable(row)), _("Continue"))

    def payload(self, row: Order, given: dict[str, Any]) -> RefundPayload:
        return RefundPayload(row.pk, given["amount"])


def first_words(order: Order, of: Refundable) -> list[str]:
    """The amount that can be refunded at all."""
    most, name = show_amount(of.most, order.currency_id), of.payment.provider.name
    if of.snapshot.kept > order.price:
        words = _(
            "The order was paid twice: {most} of the duplicate payment can be refunded through {provider}."
        )
        return [words.format(most=most, provider=name)]
    return [
        _("{most} of {price} can be refunded through {provider}.").format(
            most=most, price=show_amount(order.price, order.currency_id), provider=name
        ),
        _("You will be asked to confirm before anything is refunded."),
    ]
