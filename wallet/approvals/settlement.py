"""An operator ends a due transaction: confirms it, or rolls it back."""

from typing import Literal
from uuid import UUID

import msgspec

from lib.backoffice.languages import _, format_lazy
from lib.clock import in_words, now
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from wallet.approvals.adjustment import locked_wallet
from wallet.currencies import show_amount
from wallet.models import Inquiry, Transaction, Wallet
from wallet.settlement.decisions import FROM_GAMES, NotPossible, decide, how_it_ended

# By type and event: what is requested, what was done, and what it means for the player.
DESCRIBED = {
    ("withdrawal", "confirmed"): _("Confirm the withdrawal of {amount}"),
    ("withdrawal", "rolled_back"): _("Roll back the withdrawal of {amount}"),
    ("deposit", "confirmed"): _("Confirm the deposit of {amount}"),
    ("deposit", "rolled_back"): _("Roll back the deposit of {amount}"),
}
DONE = {
    ("withdrawal", "confirmed"): _("The withdrawal of {amount} is confirmed; spendable after it: {balance}."),
    ("withdrawal", "rolled_back"): _(
        "The withdrawal of {amount} is rolled back; spendable after it: {balance}."
    ),
    ("deposit", "confirmed"): _("The deposit of {amount} is confirmed; spendable after it: {balance}."),
    ("deposit", "rolled_back"): _("The deposit of {amount} is rolled back; spendable after it: {balance}."),
}
CONSEQUENCES = {
    ("withdrawal", "confirmed"): _(
        "The {amount} reserved from {uid} are paid to {game}. The player does not get them back."
    ),
    ("withdrawal", "rolled_back"): _(
        "The {amount} reserved from {uid} are returned to the player. {game} receives nothing."
    ),
    ("deposit", "confirmed"): _("{uid} receives {amount}, spendable at once."),
    ("deposit", "rolled_back"): _("The announced {amount} are cancelled. {uid} does not receive them."),
}
PERMANENT = _(
    "The decision is written into the journal under the name of who requests it and cannot be undone, only "
    "adjusted. If {game} contradicts it later, that is recorded under Discrepancies."
)


NOT_DUE = _(
    "It is not due: {game} has until {due} to settle it itself, and its word counts as long as this waits."
)
NOT_IN_REVIEW = _(
    "It does not need manual review: the platform still queries the game and settles by itself."
)


class SettlementPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Of what is under manual review by its inquiry, of any other pending transaction by its own id."""

    inquiry_id: UUID | None
    event: Literal["confirmed", "rolled_back"]
    transaction_id: UUID | None = None


class Settlement(Kind[SettlementPayload]):
    """Ends a pending transaction by hand."""

    name, title, permission = "settle_transaction", _("settlement by hand"), "wallet.settle_transaction"
    about, payload = "wallet.inquiry", SettlementPayload
    moves_money = True

    def describe(self, payload: SettlementPayload) -> str:
        pending = found(payload)
        return format_lazy(DESCRIBED[pending.type, payload.event], amount=amount_of(pending))

    def preview(self, payload: SettlementPayload) -> Preview:
        named = found(payload)
        if named.type not in FROM_GAMES:
            raise NotExecutable(_("Only what a game has opened is settled by hand."))
        wallet = locked_wallet(named.player_id, named.wallet.currency_id)
        pending = found(payload)
        if pending.settled_at is not None:
            raise NotExecutable(how_it_ended(pending))
        changes = effect(wallet, pending.type, payload.event, pending.amount or 0)
        says = sentences(pending, payload.event)
        if wallet.debt and changes[-1].before != changes[-1].after:
            says.append(
                format_lazy(_("The debt of {amount} is paid from it first."), amount=changes[-1].before)
            )
        subject = subject_of(row_of(payload), f"{pending.type} of {amount_of(pending)}")
        says.append(format_lazy(PERMANENT, game=game_of(pending)))
        code = wallet.currency_id if pending.amount else ""
        return Preview(subject, changes, says, pending.amount, code)

    def execute(self, payload: SettlementPayload, execution: Execution) -> str:
        pending = found(payload)
        try:
            answer = decide(pending.pk, event=payload.event, actor=execution.actor, reason=execution.reason)
        except NotPossible as problem:
            raise NotExecutable(*problem.args) from problem
        balance = show_amount(answer.balance, answer.currency)
        words = DONE[pending.type, payload.event]
        return format_lazy(words, amount=amount_of(pending), balance=balance)


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
        raise NotExecutable(_("The request names no transaction."))
    return rows.get(pk=payload.transaction_id)


def sentences(pending: Transaction, event: str) -> list[str]:
    """What it means for the player, and who else could still settle it."""
    names = {"amount": amount_of(pending), "uid": pending.player.uid, "game": game_of(pending)}
    says = [format_lazy(CONSEQUENCES[pending.type, event], **names)]
    inquiry = Inquiry.objects.filter(transaction=pending, closed_at=None).first()
    if pending.due_at and pending.due_at > now():
        says.append(format_lazy(NOT_DUE, due=in_words(pending.due_at), **names))
    elif pending.due_at and not (inquiry and inquiry.doubt):
        says.append(NOT_IN_REVIEW)
    return says


def amount_of(pending: Transaction) -> str:
    """The amount of a transaction, with its currency."""
    return show_amount(pending.amount, pending.wallet.currency_id)


def game_of(pending: Transaction) -> str:
    return pending.game.slug if pending.game else _("the game")


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
        (_("Spendable"), wallet.spendable, spendable),
        (_("Reserved"), wallet.reserved, reserved),
        (_("Announced"), wallet.announced, announced),
        (_("Debt"), wallet.debt, wallet.debt - repaid),
    ]
    return [Change(label, show_amount(old, code), show_amount(new, code)) for label, old, new in figures]
