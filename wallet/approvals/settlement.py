"""An operator ends a due transaction: confirms it, or rolls it back."""

from typing import Literal
from uuid import UUID

import msgspec

from lib.clock import in_words, now
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from wallet.approvals.adjustment import locked_wallet
from wallet.currencies import show_amount
from wallet.models import Inquiry, Transaction, Wallet
from wallet.settlement.decisions import FROM_GAMES, NotPossible, decide, how_it_ended

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


NOT_DUE = (
    "It is not due: {game} has until {due} to settle it itself, and its word counts as long as this waits."
)
NOT_IN_REVIEW = "It does not need manual review: the platform still queries the game and settles by itself."


class SettlementPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Of what is under manual review by its inquiry, of any other pending transaction by its own id."""

    inquiry_id: UUID | None
    event: Literal["confirmed", "rolled_back"]
    transaction_id: UUID | None = None


class Settlement(Kind[SettlementPayload]):
    """Ends a pending transaction by hand."""

    name, title, permission = "settle_transaction", "settlement by hand", "wallet.settle_transaction"
    about, payload = "wallet.inquiry", SettlementPayload
    moves_money = True

    def describe(self, payload: SettlementPayload) -> str:
        pending = found(payload)
        return f"{VERBS[payload.event]} the {pending.type} of {amount_of(pending)}"

    def preview(self, payload: SettlementPayload) -> Preview:
        named = found(payload)
        if named.type not in FROM_GAMES:
            raise NotExecutable("Only what a game has opened is settled by hand.")
        wallet = locked_wallet(named.player_id, named.wallet.currency_id)
        pending = found(payload)
        if pending.settled_at is not None:
            raise NotExecutable(how_it_ended(pending))
        changes = effect(wallet, pending.type, payload.event, pending.amount or 0)
        says = sentences(pending, payload.event)
        if wallet.debt and changes[-1].before != changes[-1].after:
            says.append(f"The debt of {changes[-1].before} is paid from it first.")
        subject = subject_of(row_of(payload), f"{pending.type} of {amount_of(pending)}")
        says.append(PERMANENT.format(game=game_of(pending)))
        code = wallet.currency_id if pending.amount else ""
        return Preview(subject, changes, says, pending.amount, code)

    def execute(self, payload: SettlementPayload, execution: Execution) -> str:
        pending = found(payload)
        try:
            answer = decide(pending.pk, event=payload.event, actor=execution.actor, reason=execution.reason)
        except NotPossible as problem:
            raise NotExecutable(str(problem)) from problem
        balance = show_amount(answer.balance, answer.currency)
        named = f"{pending.type} of {amount_of(pending)}"
        return f"The {named} is {PAST[payload.event]}; spendable after it: {balance}."


SETTLEMENT = Settlement()


def row_of(payload: SettlementPayload) -> Inquiry | Transaction:
    """The row that the request is about."""
    if payload.inquiry_id:
        return Inquiry.objects.get(pk=payload.inquiry_id)
    return found(payload)


def found(payload: SettlementPayload) -> Transaction:
    """The transaction as it is."""
    rows = Transaction.objects.select_related("wallet", "player", "game")
    if payload.inquiry_id:
        return rows.get(inquiry=payload.inquiry_id)
    if payload.transaction_id is None:
        raise NotExecutable("The request names no transaction.")
    return rows.get(pk=payload.transaction_id)


def sentences(pending: Transaction, event: str) -> list[str]:
    """What it means for the player, and who else could still settle it."""
    names = {"amount": amount_of(pending), "uid": pending.player.uid, "game": game_of(pending)}
    says = [CONSEQUENCES[pending.type, event].format(**names)]
    inquiry = Inquiry.objects.filter(transaction=pending, closed_at=None).first()
    if pending.due_at and pending.due_at > now():
        says.append(NOT_DUE.format(due=in_words(pending.due_at), **names))
    elif pending.due_at and not (inquiry and inquiry.doubt):
        says.append(NOT_IN_REVIEW)
    return says


def amount_of(pending: Transaction) -> str:
    """The amount of a transaction, with its currency."""
    return show_amount(pending.amount, pending.wallet.currency_id)


def game_of(pending: Transaction) -> str:
    return pending.game.slug if pending.game else "the game"


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
