"""An operator credits or debits a wallet."""

from typing import Literal
from uuid import UUID

import msgspec

from lib.backoffice.languages import _, format_lazy
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from players.models import Player
from wallet.currencies import show_amount
from wallet.models import Wallet
from wallet.money import BOUND
from wallet.operations import adjust_wallet, lock_wallet
from wallet.outcomes import LedgerRefused

IRREVERSIBLE = _("It is written into the journal and cannot be undone, only adjusted again.")
# Why an adjustment was refused, by the ledger's outcome.
REFUSED = {
    "insufficient_funds": _("Insufficient funds: the wallet holds less than that."),
    "limit_reached": _("The wallet can hold, or owe, no more than that."),
}
# By type: what is requested, what it means, and what was done.
DESCRIBED = {"credit": _("Credit {amount} to {uid}"), "debit": _("Debit {amount} from {uid}")}
MEANS = {"credit": _("{uid} receives {amount}."), "debit": _("{uid} loses {amount}.")}
POSTED = {
    "credit": _("Credit of {amount} posted; spendable after it: {balance}."),
    "debit": _("Debit of {amount} posted; spendable after it: {balance}."),
}


class AdjustmentPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` in minor units."""

    player_id: UUID
    currency: str
    type: Literal["credit", "debit"]
    amount: int


class BalanceAdjustment(Kind[AdjustmentPayload]):
    """Credits or debits a wallet that is there; the transaction has the id of the request."""

    name, title, permission = "adjust_balance", _("balance adjustment"), "wallet.adjust_balance"
    about, payload = "wallet.wallet", AdjustmentPayload
    moves_money = True

    def describe(self, payload: AdjustmentPayload) -> str:
        uid = Player.objects.values_list("uid", flat=True).get(pk=payload.player_id)
        amount = show_amount(payload.amount, payload.currency)
        return format_lazy(DESCRIBED[payload.type], amount=amount, uid=uid)

    def preview(self, payload: AdjustmentPayload) -> Preview:
        wallet, code = locked_wallet(payload.player_id, payload.currency), payload.currency
        spendable, debt = after(wallet, payload)
        uid, amount = wallet.player.uid, show_amount(payload.amount, code)
        says = [format_lazy(MEANS[payload.type], uid=uid, amount=amount)]
        if debt != wallet.debt:
            paid = show_amount(wallet.debt - debt, code)
            says.append(format_lazy(_("{amount} of it pay the debt."), amount=paid))
        changes = [
            Change(_("Spendable"), show_amount(wallet.spendable, code), show_amount(spendable, code)),
            unchanged(_("Reserved"), wallet.reserved, code),
            Change(_("Debt"), show_amount(wallet.debt, code), show_amount(debt, code)),
        ]
        subject = subject_of(wallet, f"{code} wallet of {uid}")
        return Preview(subject, changes, [*says, IRREVERSIBLE], payload.amount, code)

    def execute(self, payload: AdjustmentPayload, execution: Execution) -> str:
        try:
            answer = adjust_wallet(
                Player.objects.get(pk=payload.player_id),
                payload.currency,
                type=payload.type,
                amount=payload.amount,
                transaction_id=execution.id,
                operator=execution.requester,
                reason=execution.reason,
            )
        except LedgerRefused as refused:
            raise NotExecutable(REFUSED.get(refused.outcome, refused.outcome)) from refused
        amount = show_amount(payload.amount, payload.currency)
        balance = show_amount(answer.balance, answer.currency)
        return format_lazy(POSTED[payload.type], amount=amount, balance=balance)


ADJUSTMENT = BalanceAdjustment()


def locked_wallet(player_id: UUID, currency: str) -> Wallet:
    """A wallet as it is, locked. Raises `NotExecutable` if there is none."""
    wallet = lock_wallet(player_id, currency)
    if wallet is None:
        raise NotExecutable(_("There is no such wallet."))
    return wallet


def after(wallet: Wallet, payload: AdjustmentPayload) -> tuple[int, int]:
    """What the wallet would hold and owe, in minor units. Raises `NotExecutable`."""
    if payload.type == "debit":
        if payload.amount > wallet.spendable:
            raise NotExecutable(REFUSED["insufficient_funds"])
        return wallet.spendable - payload.amount, wallet.debt
    if wallet.spendable + wallet.reserved + wallet.announced + payload.amount >= BOUND:
        raise NotExecutable(REFUSED["limit_reached"])
    repaid = min(wallet.debt, payload.amount)
    return wallet.spendable + payload.amount - repaid, wallet.debt - repaid


def unchanged(label: str, minor: int, code: str) -> Change:
    """An amount that stays."""
    return Change(label, show_amount(minor, code), show_amount(minor, code))
