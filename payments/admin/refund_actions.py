"""Refunds of our own asking: how much, what it takes of the credit, and only then."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from lib.backoffice.confirmation import OurIdField, TwoStepForm, ask, done, page_action, page_of
from lib.backoffice.pages import PageAdmin, actor
from lib.ids import new_id
from payments.admin.products import written
from payments.admin.refunds import REFUND
from payments.models import Delivery, Order, Payment
from payments.nudges import nudge
from payments.refunds.operations import NotRefundable, Refundable, refundable, request_refund
from payments.tasks import refund_task
from wallet.admin.amounts import AmountField, show_amount
from wallet.models import Wallet

TITLE = "Refund this order"


class RefundForm(TwoStepForm):
    """How much goes back. Its id is made with the form: sending the form twice is one refund."""

    refund_id = OurIdField()

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = AmountField(order.currency, label=f"Amount in {order.currency_id}")
        self.order_fields(["amount", "reason"])


class RefundActions(PageAdmin):
    """The action of an order's page."""

    actions_detail = ("refund",)

    def senseless_actions(self, id: UUID) -> set[str]:
        return set() if Payment.objects.filter(order_id=id, state=Payment.State.PAID).exists() else {"refund"}

    @page_action(title="Refund", permission=REFUND)
    def refund(self, request: HttpRequest, obj: Order) -> HttpResponse:
        form = RefundForm(obj, request.POST or None)
        is_sent = request.method == "POST" and form.is_valid()
        if is_sent and form.cleaned_data["confirmed"]:
            return self.begin_refund(request, obj, form)
        try:
            of = refundable(obj)
        except NotRefundable as problem:
            messages.warning(request, f"Nothing was done. {problem}")
            return HttpResponseRedirect(page_of(obj))
        if is_sent and form.cleaned_data["amount"] <= of.most:
            return self.confirm_refund(request, obj, form, of)
        if is_sent:
            form.add_error("amount", f"At most {show_amount(of.most, obj.currency_id)} can be refunded.")
        form.initial = {"refund_id": new_id(), "amount": written(of.most, obj.currency_id)}
        return ask(self, request, obj, title=TITLE, says=first_words(obj, of), form=form, button="Go on")

    def confirm_refund(
        self, request: HttpRequest, order: Order, form: RefundForm, of: Refundable
    ) -> HttpResponse:
        """The second page: what exactly is going to happen."""
        amount = form.cleaned_data["amount"]
        form.tell(confirmed="1")
        form.hide()
        says = [
            *consequences(order, of, amount),
            f"Reason: {form.cleaned_data['reason']}",
            "Once the provider has done it, it cannot be taken back.",
        ]
        return ask(
            self,
            request,
            order,
            title=f"Refund {show_amount(amount, order.currency_id)}?",
            says=says,
            form=form,
            button="Refund",
            danger=True,
        )

    def begin_refund(self, request: HttpRequest, order: Order, form: RefundForm) -> HttpResponse:
        """Begins it, once for the form's id, and has the provider asked."""
        given = form.cleaned_data
        try:
            begun = request_refund(
                order.pk,
                given["amount"],
                actor=actor(request.user),
                reason=given["reason"],
                refund_id=given["refund_id"],
            )
        except NotRefundable as problem:
            messages.warning(request, f"Nothing was done. {problem}")
            return HttpResponseRedirect(page_of(order))
        nudge(refund_task, str(begun.pk))
        words = f"A refund of {show_amount(begun.amount, order.currency_id)} is begun: {begun.provider.name} is being asked."
        return done(self, request, order, words, reason=given["reason"])


def first_words(order: Order, of: Refundable) -> list[str]:
    """What can be refunded at all."""
    most, name = show_amount(of.most, order.currency_id), of.payment.provider.name
    if of.payment.is_duplicate:
        return [f"It was paid twice: {most} of the duplicate payment can go back through {name}."]
    return [
        f"{most} of {show_amount(order.price, order.currency_id)} can go back through {name}.",
        "You will be asked once more before it is done.",
    ]


def consequences(order: Order, of: Refundable, amount: int) -> list[str]:
    """What a refund does, in sentences."""
    says = [
        f"{show_amount(amount, order.currency_id)} go back to {order.player.uid} through {of.payment.provider.name}."
    ]
    says += credit_words(order, of.clawback(amount))
    if of.snapshot.kept - amount >= order.price:
        return [*says, "It is money that was paid twice: the order stays as it is."]
    is_whole = amount == of.most and not order.charged_back
    if is_whole and Delivery.objects.filter(order=order, state=Delivery.State.DELIVERED).exists():
        says.append("The game has delivered already: what it gave, it has to take back itself.")
    elif is_whole and order.is_delivered_by_game:
        says.append("When the refund is done, no more tries to deliver are made.")
    return says


def credit_words(order: Order, wanted: int) -> list[str]:
    """What of the credit is set aside, and what of it is spent already."""
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
            f"{show_amount(wanted - missing, code)} of the credit are set aside at once; they are the player's again if the provider refuses."
        )
    if missing:
        says.append(
            f"{show_amount(missing, code)} of the credit are spent already: they become the player's debt when the refund is done, paid by what comes in next."
        )
    return says
