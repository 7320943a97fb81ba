"""The actions of a wallet's page: adjust, write off, limit, freeze, unfreeze."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.forms import RadioWidget, ReasonForm
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin
from players.admin.approved_action import ApprovedAction, TwoStepRequestForm
from wallet.admin.amounts import AmountField, written
from wallet.approvals.adjustment import ADJUSTMENT, AdjustmentPayload
from wallet.approvals.gates import UNFREEZING, UnfreezingPayload
from wallet.approvals.write_off import WRITE_OFF, WriteOffPayload
from wallet.currencies import show_amount
from wallet.models import Currency, Wallet
from wallet.operations import freeze_wallet, limit_withdrawals, lock_wallet
from wallet.outcomes import LimitRefused

GATE = "wallet.freeze_wallet"
LOOSER = _("To raise or remove a limit takes two people: Loosen or remove a limit, on the player's page.")
KINDS = [
    ("credit", _("credit: add to the player's balance")),
    ("debit", _("debit: take from the player's balance")),
]


class LimitForm(ReasonForm):
    """The largest single withdrawal."""

    def __init__(self, currency: Currency, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["limit"] = AmountField(
            currency,
            label=_("Largest single withdrawal in {code}").format(code=currency.code),
        )
        self.order_fields(["limit", "reason"])


class AdjustmentForm(TwoStepRequestForm):
    """A credit or a debit."""

    type = forms.ChoiceField(choices=KINDS, widget=RadioWidget, label=_("Type"))

    def __init__(self, currency: Currency, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = AmountField(currency, label=_("Amount in {code}").format(code=currency.code))
        self.order_fields(["type", "amount", "reason"])


class WriteOffForm(TwoStepRequestForm):
    """How much of the debt."""

    def __init__(self, currency: Currency, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = AmountField(currency, label=_("Amount in {code}").format(code=currency.code))
        self.order_fields(["amount", "reason"])


def spendable_of(row: Wallet) -> str:
    """What a player can spend of a wallet, in a sentence."""
    amount = show_amount(row.spendable, row.currency_id)
    return _("Spendable balance of {uid}: {amount}.").format(uid=row.player.uid, amount=amount)


class WalletAction(PageAction[Wallet]):
    """An act on a wallet itself, which only the ledger may lock."""

    def lock(self, row: Wallet) -> None:
        lock_wallet(row.player_id, row.currency_id)


class Freeze(WalletAction):
    """No new withdrawal leaves the wallet."""

    title, permission = _("Freeze"), GATE

    def page(self, row: Wallet) -> Page:
        says = [
            spendable_of(row),
            _(
                "New withdrawals from this wallet are refused (103). "
                "Deposits are accepted, and pending transactions can still be settled."
            ),
        ]
        return Page(_("Freeze withdrawals from this wallet?"), says, _("Freeze"), danger=True)

    def do(self, act: Act[Wallet]) -> str:
        is_new = freeze_wallet(act.row, actor=act.actor, reason=act.reason)
        return _("Withdrawals are frozen.") if is_new else _("Withdrawals were frozen already.")


class Unfreeze(ApprovedAction[Wallet]):
    """Withdrawals are allowed again, if a second person agrees."""

    title, permission, kind = _("Unfreeze"), GATE, UNFREEZING

    def payload(self, row: Wallet, given: dict[str, Any]) -> UnfreezingPayload:
        return UnfreezingPayload(row.player_id, row.currency_id)


class SetLimit(WalletAction):
    """Bounds each single withdrawal, or bounds it more strictly."""

    title, permission = _("Set limit"), "wallet.limit_wallet"

    def form_for(self, row: Wallet, data: QueryDict | None) -> LimitForm:
        return LimitForm(row.currency, data)

    def page(self, row: Wallet) -> Page:
        limit = show_amount(row.withdrawal_limit, row.currency_id) if row.withdrawal_limit else _("none")
        says = [
            _("Current limit: {limit}.").format(limit=limit),
            _("A single withdrawal above the limit is refused (111) and recorded as declined."),
            LOOSER,
        ]
        return Page(_("Limit withdrawals from this wallet"), says, _("Set the limit"))

    def do(self, act: Act[Wallet]) -> str:
        most = act.given["limit"]
        try:
            is_new = limit_withdrawals(act.row, most=most, actor=act.actor, reason=act.reason)
        except LimitRefused as problem:
            raise ValidationError(LOOSER) from problem
        limit = show_amount(most, act.row.currency_id)
        words = (
            _("The largest withdrawal is now: {limit}.")
            if is_new
            else _("The largest withdrawal is still: {limit}.")
        )
        return format_lazy(words, limit=limit)


class Adjust(ApprovedAction[Wallet]):
    """Credits or debits the wallet, once for the form's id."""

    title, permission = _("Credit or debit"), "wallet.adjust_balance"
    kind = ADJUSTMENT

    def form_for(self, row: Wallet, data: QueryDict | None) -> AdjustmentForm:
        return AdjustmentForm(row.currency, data, initial={"type": "credit"})

    def page(self, row: Wallet) -> Page:
        says = [
            spendable_of(row),
            _("You will see the effect before anything is requested."),
        ]
        return Page(_("Credit or debit this wallet"), says, _("Continue"))

    def payload(self, row: Wallet, given: dict[str, Any]) -> AdjustmentPayload:
        return AdjustmentPayload(row.player_id, row.currency_id, given["type"], given["amount"])


class WriteOffDebt(ApprovedAction[Wallet]):
    """Takes away what the player owes, whole or in part."""

    title, permission, kind = _("Write off debt"), WRITE_OFF.permission, WRITE_OFF

    def form_for(self, row: Wallet, data: QueryDict | None) -> WriteOffForm:
        if not row.debt:
            raise Refused(format_lazy(_("{uid} owes nothing in this wallet."), uid=row.player.uid))
        return WriteOffForm(row.currency, data, initial={"amount": written(row.debt, row.currency_id)})

    def page(self, row: Wallet) -> Page:
        says = [
            _("Debt of {uid}: {amount}.").format(
                uid=row.player.uid, amount=show_amount(row.debt, row.currency_id)
            ),
            _("What is spendable stays. You will see the effect before anything is requested."),
        ]
        return Page(_("Write off debt of this wallet"), says, _("Continue"))

    def payload(self, row: Wallet, given: dict[str, Any]) -> WriteOffPayload:
        return WriteOffPayload(row.player_id, row.currency_id, given["amount"])


class WalletActions(PageAdmin):
    """The actions of a wallet's page; each goes through an operation."""

    actions_detail = ("adjust", "write_off", "set_limit", "freeze", "unfreeze")
    adjust, write_off, set_limit = Adjust(), WriteOffDebt(), SetLimit()
    freeze, unfreeze = Freeze(), Unfreeze()

    def pointless_actions(self, id: UUID) -> set[str]:
        wallet = Wallet.objects.filter(pk=id).only("frozen_at", "debt").first()
        if wallet is None:
            return set(self.actions_detail)
        without_debt = set() if wallet.debt else {"write_off"}
        return without_debt | ({"freeze"} if wallet.frozen_at else {"unfreeze"})
