"""What operators do to a wallet: freeze it, limit it, adjust it."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse

from lib.backoffice.confirmation import (
    OurIdField,
    RadioWidget,
    ReasonForm,
    TwoStepForm,
    ask,
    done,
    page_action,
)
from lib.backoffice.pages import PageAdmin, actor
from lib.ids import new_id
from wallet.admin.amounts import AmountField, show_amount
from wallet.models import Currency, Wallet
from wallet.operations import adjust_wallet, freeze_wallet, limit_withdrawals, unfreeze_wallet
from wallet.outcomes import LedgerRefused

GATE = "wallet.change_wallet"
# Nobody adds a transaction by a form, so this permission is the one to adjust.
ADJUST = "wallet.add_transaction"
# Why an adjustment was refused, by the ledger's outcome.
REFUSED = {
    "insufficient_funds": "Insufficient funds: the wallet holds less than that.",
    "limit_reached": "The wallet can hold, or owe, no more than that.",
    "other_content": "This form was used before with other content.",
}
KINDS = [("credit", "credit: the player gets it"), ("debit", "debit: the player loses it")]


class LimitForm(ReasonForm):
    """The largest single withdrawal."""

    def __init__(self, currency: Currency, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["limit"] = AmountField(
            currency,
            required=False,
            label=f"Largest single withdrawal in {currency.code}",
            help_text="Empty: no limit.",
        )
        self.order_fields(["limit", "reason"])


class AdjustmentForm(TwoStepForm):
    """A credit or a debit. Its id is made with the form: sending the form twice is one adjustment."""

    type = forms.ChoiceField(choices=KINDS, widget=RadioWidget, label="What")
    transaction_id = OurIdField()

    def __init__(self, currency: Currency, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = AmountField(currency, label=f"Amount in {currency.code}")
        self.order_fields(["type", "amount", "reason"])


class WalletActions(PageAdmin):
    """The actions of a wallet's page; each goes through an operation."""

    actions_detail = ("adjust", "set_limit", "freeze", "unfreeze")

    def senseless_actions(self, id: UUID) -> set[str]:
        return {"freeze"} if Wallet.objects.filter(pk=id, frozen_at__isnull=False).exists() else {"unfreeze"}

    @page_action(title="Freeze", permission=GATE)
    def freeze(self, request: HttpRequest, obj: Wallet) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            is_new = freeze_wallet(obj, actor=actor(request.user), reason=reason)
            return done(
                self,
                request,
                obj,
                "Withdrawals are frozen." if is_new else "Withdrawals were frozen already.",
                reason=reason,
            )
        says = [
            f"{obj.player.uid} has {show_amount(obj.spendable, obj.currency_id)} to spend.",
            "New withdrawals from this wallet are refused (103). Deposits come in, and what is open can still be settled.",
        ]
        return ask(
            self,
            request,
            obj,
            title="Freeze withdrawals from this wallet?",
            says=says,
            form=form,
            button="Freeze",
            danger=True,
        )

    @page_action(title="Unfreeze", permission=GATE)
    def unfreeze(self, request: HttpRequest, obj: Wallet) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            is_new = unfreeze_wallet(obj, actor=actor(request.user), reason=reason)
            return done(
                self,
                request,
                obj,
                "Withdrawals go on." if is_new else "Withdrawals were not frozen.",
                reason=reason,
            )
        says = ["New withdrawals from this wallet are allowed again."]
        return ask(
            self,
            request,
            obj,
            title="Lift the freeze of this wallet?",
            says=says,
            form=form,
            button="Unfreeze",
        )

    @page_action(title="Set limit", permission=GATE)
    def set_limit(self, request: HttpRequest, obj: Wallet) -> HttpResponse:
        form = LimitForm(obj.currency, request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason, most = form.cleaned_data["reason"], form.cleaned_data["limit"]
            is_new = limit_withdrawals(obj, most=most, actor=actor(request.user), reason=reason)
            limit = show_amount(most, obj.currency_id) if most else "no limit"
            return done(
                self,
                request,
                obj,
                f"The largest withdrawal is {'now' if is_new else 'still'}: {limit}.",
                reason=reason,
            )
        limit = show_amount(obj.withdrawal_limit, obj.currency_id) if obj.withdrawal_limit else "none"
        says = [
            f"The limit now: {limit}.",
            "A single withdrawal above the limit is refused (111) and remembered as declined.",
        ]
        return ask(
            self,
            request,
            obj,
            title="Limit withdrawals from this wallet",
            says=says,
            form=form,
            button="Set the limit",
        )

    @page_action(title="Credit or debit", permission=ADJUST)
    def adjust(self, request: HttpRequest, obj: Wallet) -> HttpResponse:
        form = AdjustmentForm(
            obj.currency, request.POST or None, initial={"transaction_id": new_id(), "type": "credit"}
        )
        if request.method == "POST" and form.is_valid():
            if form.cleaned_data["confirmed"]:
                return self.make_adjustment(request, obj, form)
            return self.confirm_adjustment(request, obj, form)
        says = [
            f"{obj.player.uid} has {show_amount(obj.spendable, obj.currency_id)} to spend.",
            "You will be asked once more before it is done.",
        ]
        return ask(
            self, request, obj, title="Credit or debit this wallet", says=says, form=form, button="Go on"
        )

    def confirm_adjustment(self, request: HttpRequest, wallet: Wallet, form: AdjustmentForm) -> HttpResponse:
        """The second page: what exactly is going to happen."""
        given, code = form.cleaned_data, wallet.currency_id
        form.tell(confirmed="1")
        form.hide()
        words = "gets" if given["type"] == "credit" else "loses"
        says = [
            f"{wallet.player.uid} {words} {show_amount(given['amount'], code)}.",
            f"Spendable before: {show_amount(wallet.spendable, code)}.",
        ]
        if given["type"] == "credit" and wallet.debt:
            says.append(f"The debt of {show_amount(wallet.debt, code)} is paid from it first.")
        says += [
            f"Reason: {given['reason']}",
            "It is written into the journal and cannot be undone, only adjusted again.",
        ]
        return ask(
            self,
            request,
            wallet,
            title=f"{given['type'].capitalize()} {show_amount(given['amount'], code)}?",
            says=says,
            form=form,
            button="Do it",
        )

    def make_adjustment(self, request: HttpRequest, wallet: Wallet, form: AdjustmentForm) -> HttpResponse:
        """Does it, once for the form's id."""
        given, code = form.cleaned_data, wallet.currency_id
        try:
            answer = adjust_wallet(
                wallet.player,
                code,
                type=given["type"],
                amount=given["amount"],
                transaction_id=given["transaction_id"],
                actor=actor(request.user),
                reason=given["reason"],
            )
        except LedgerRefused as refused:
            form.add_error(None, f"{REFUSED[refused.outcome]} Nothing has moved.")
            form.tell(confirmed="")
            return ask(
                self, request, wallet, title="Credit or debit this wallet", says=[], form=form, button="Go on"
            )
        moved = f"{given['type'].capitalize()} of {show_amount(given['amount'], code)}"
        words = f"{moved} is done; spendable after it: {show_amount(answer.balance, code)}."
        return done(self, request, wallet, words, reason=given["reason"])
