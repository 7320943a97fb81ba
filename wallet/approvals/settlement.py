"""An operator ends a due transaction: confirms it, or rolls it back."""

from typing import Literal
from uuid import UUID

import msgspec

from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from wallet.approvals.adjustment import locked_wallet
from wallet.currencies import show_amount
from wallet.models import Inquiry, Wallet
from wallet.settlement.decisions import NotPossible, decide, how_it_ended

PAST = {"confirmed": "confirmed", "rolled_back": "rolled back"}
VERBS = {"confirmed": "Confirm", "rolled_back": "Roll back"}
# By type and event: what it means for the player.
CONSEQUENCES = {
    ("withdrawal", "confirmed"): (
        "The {amount} reserved from {uid} are paid to {game}. The player does not get them back."
    ),
    ("withdrawal", "rolled_back"): (
        "The {amount} reserved from {uid} are returned to the player. {game} receives nothing."
    ),
    ("deposit", "confirmed"): "{uid} receives {amount}, spendable at once.",
    ("deposit", "rolled_back"): "The announced {amount} are cancelled. {uid} does not receive them.",
}
PERMANENT = (
    "The decision is written into the journal under the name of who requests it and cannot be undone, only "
    "adjusted. If {game} contradicts it later, that is recorded under Discrepancies."
)


class SettlementPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    inquiry_id: UUID
    event: Literal["confirmed", "rolled_back"]


class Settlement(Kind[SettlementPayload]):
    """Ends a pending transaction by hand."""

    name, title, permission = "settle_transaction", "settlement by hand", "wallet.settle_transaction"
    about, payload = "wallet.inquiry", SettlementPayload
    moves_money = True

    def describe(self, payload: SettlementPayload) -> str:
        inquiry = found(payload)
        return f"{VERBS[payload.event]} the {inquiry.transaction.type} of {amount_of(inquiry)}"

    def preview(self, payload: SettlementPayload) -> Preview:
        wallet = locked_wallet(found(payload).player_id, found(payload).transaction.wallet.currency_id)
        inquiry = found(payload)
        due = inquiry.transaction
        if due.settled_at is not None:
            raise NotExecutable(how_it_ended(due))
        names = {"amount": amount_of(inquiry), "uid": inquiry.player.uid, "game": inquiry.game.slug}
        says = [CONSEQUENCES[due.type, payload.event].format(**names)]
        if inquiry.transaction.due_at and not inquiry.doubt:
            says.append(
                "It does not need manual review: the platform still queries the game and settles by itself."
            )
        changes = effect(wallet, due.type, payload.event, due.amount or 0)
        if wallet.debt and changes[-1].before != changes[-1].after:
            says.append(f"The debt of {changes[-1].before} is paid from it first.")
        subject = subject_of(inquiry, f"{due.type} of {amount_of(inquiry)}")
        says.append(PERMANENT.format(**names))
        return Preview(subject, changes, says, due.amount, wallet.currency_id if due.amount else "")

    def execute(self, payload: SettlementPayload, execution: Execution) -> str:
        inquiry = found(payload)
        try:
            answer = decide(inquiry, event=payload.event, actor=execution.actor, reason=execution.reason)
        except NotPossible as problem:
            raise NotExecutable(str(problem)) from problem
        balance = show_amount(answer.balance, answer.currency)
        named = f"{inquiry.transaction.type} of {amount_of(inquiry)}"
        return f"The {named} is {PAST[payload.event]}; spendable after it: {balance}."


SETTLEMENT = Settlement()


def found(payload: SettlementPayload) -> Inquiry:
    """The inquiry with its transaction, as they are."""
    rows = Inquiry.objects.select_related("transaction__wallet", "player", "game")
    return rows.get(pk=payload.inquiry_id)


def amount_of(inquiry: Inquiry) -> str:
    """The amount of a due transaction, with its currency."""
    return show_amount(inquiry.transaction.amount, inquiry.transaction.wallet.currency_id)


def effect(wallet: Wallet, type: str, event: str, amount: int) -> list[Change]:
    """What the wallet holds and owes, before and after."""
    code, gets = (
        wallet.currency_id,
        (type, event) in {("withdrawal", "rolled_back"), ("deposit", "confirmed")},
    )
    repaid = min(wallet.debt, amount) if gets else 0
    reserved = wallet.reserved - (amount if type == "withdrawal" else 0)
    announced = wallet.announced - (amount if type == "deposit" else 0)
    spendable = wallet.spendable + (amount - repaid if gets else 0)
    figures = [
        ("Spendable", wallet.spendable, spendable),
        ("Reserved", wallet.reserved, reserved),
        ("Announced", wallet.announced, announced),
        ("Debt", wallet.debt, wallet.debt - repaid),
    ]
    return [Change(label, show_amount(old, code), show_amount(new, code)) for label, old, new in figures]
