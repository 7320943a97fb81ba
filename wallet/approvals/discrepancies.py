"""An operator books a discrepancy as the game says."""

from uuid import UUID

import msgspec

from lib.backoffice.languages import _, format_lazy
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from wallet.approvals.adjustment import IRREVERSIBLE, locked_wallet, unchanged
from wallet.currencies import show_amount
from wallet.models import Discrepancy, Transaction, Wallet
from wallet.money import BOUND
from wallet.operations import correct_discrepancy, correction_of
from wallet.outcomes import LedgerRefused

Type = Transaction.Type
# What is booked, by the type of the transaction that does it.
SENTENCES = {
    Type.LATE_WITHDRAWAL: _("{uid} pays {amount} to {game}, as if the withdrawal had been confirmed."),
    Type.LATE_DEPOSIT: _("{game} pays {amount} to {uid}, as if the deposit had been confirmed."),
    Type.WITHDRAWAL_BACK: _(
        "{game} gives {amount} back to {uid}, as if the withdrawal had been rolled back."
    ),
    Type.DEPOSIT_BACK: _("{uid} gives {amount} back to {game}, as if the deposit had been rolled back."),
}
# Where it is booked.
ACCOUNTS = {
    Type.LATE_WITHDRAWAL: _("It is booked to game revenue."),
    Type.LATE_DEPOSIT: _("It is booked to game payout."),
    Type.WITHDRAWAL_BACK: _("It is booked to game revenue."),
    Type.DEPOSIT_BACK: _("It is booked to game payout."),
}
GIVING = (Type.LATE_DEPOSIT, Type.WITHDRAWAL_BACK)
BECOMES_DEBT = _(
    "{found} of it are there. The other {rest} become a debt of the player, which is paid first by whatever "
    "comes in."
)
REPAID = _("{amount} of it pay the debt.")
STAYS = _(
    "The transaction stays {state}: what {game} is answered does not change. The discrepancy is closed."
)
# Why it was refused, by the ledger's outcome.
REFUSED = {
    "limit_reached": _("The wallet can hold, or owe, no more than that."),
    "nothing_to_book": _("There is nothing to book: the money is as both say. Close it with a reason."),
    "already_closed": _("The discrepancy is closed already."),
}
# What is requested, by the type of the transaction that the game contradicts.
DESCRIBED = {
    Type.WITHDRAWAL: _("Settle as {game} says: withdrawal of {amount}"),
    Type.DEPOSIT: _("Settle as {game} says: deposit of {amount}"),
}


class CorrectionPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    discrepancy_id: UUID


class Correction(Kind[CorrectionPayload]):
    """Books what the game says to the game's accounts; the transaction has the id of the request."""

    name, title, permission = (
        "settle_discrepancy",
        _("settlement as the game says"),
        "wallet.settle_transaction",
    )
    about, payload = "wallet.discrepancy", CorrectionPayload
    moves_money = True

    def describe(self, payload: CorrectionPayload) -> str:
        row = found(payload)
        words = DESCRIBED[Type(row.transaction.type)]
        return format_lazy(words, game=game_of(row), amount=amount_of(row))

    def preview(self, payload: CorrectionPayload) -> Preview:
        named = found(payload)
        wallet = locked_wallet(named.player_id, named.transaction.wallet.currency_id)
        row = locked(payload)
        type = type_of(row)
        spendable, debt = after(wallet, type, row.transaction.amount or 0)
        code = wallet.currency_id
        changes = [
            Change(_("Spendable"), show_amount(wallet.spendable, code), show_amount(spendable, code)),
            unchanged(_("Reserved"), wallet.reserved, code),
            Change(_("Debt"), show_amount(wallet.debt, code), show_amount(debt, code)),
            Change(_("Discrepancy"), _("open"), _("closed")),
        ]
        subject = subject_of(row, f"{row.transaction.type} of {amount_of(row)}")
        return Preview(subject, changes, sentences(row, wallet, debt), row.transaction.amount, code)

    def execute(self, payload: CorrectionPayload, execution: Execution) -> str:
        row = found(payload)
        try:
            answer = correct_discrepancy(
                row, transaction_id=execution.id, operator=execution.requester, reason=execution.reason
            )
        except LedgerRefused as refused:
            raise NotExecutable(REFUSED.get(refused.outcome, refused.outcome)) from refused
        balance = show_amount(answer.balance, answer.currency)
        words = _("{amount} are booked as {game} says; spendable after it: {balance}.")
        return format_lazy(words, amount=amount_of(row), game=game_of(row), balance=balance)


CORRECTION = Correction()


def found(payload: CorrectionPayload) -> Discrepancy:
    """The discrepancy with its transaction, as they are."""
    rows = Discrepancy.objects.select_related("transaction__wallet", "transaction__game", "player")
    return rows.get(pk=payload.discrepancy_id)


def locked(payload: CorrectionPayload) -> Discrepancy:
    """The same, locked, after its wallet. Raises `NotExecutable` if it is closed."""
    Discrepancy.objects.select_for_update(of=("self",), no_key=True).get(pk=payload.discrepancy_id)
    row = found(payload)
    if row.closed_at is not None:
        words = _("The discrepancy is closed already, by {actor}.")
        raise NotExecutable(format_lazy(words, actor=row.closed_by))
    return row


def type_of(row: Discrepancy) -> Type:
    """Of the transaction that books it. Raises `NotExecutable`."""
    try:
        return Type(correction_of(row))
    except LedgerRefused as refused:
        raise NotExecutable(REFUSED[refused.outcome]) from refused


def after(wallet: Wallet, type: Type, amount: int) -> tuple[int, int]:
    """What the wallet would hold and owe, in minor units. Raises `NotExecutable`."""
    if type in GIVING:
        if wallet.spendable + wallet.reserved + wallet.announced + amount >= BOUND:
            raise NotExecutable(REFUSED["limit_reached"])
        repaid = min(wallet.debt, amount)
        return wallet.spendable + amount - repaid, wallet.debt - repaid
    taken = min(wallet.spendable, amount)
    if wallet.debt + amount - taken >= BOUND:
        raise NotExecutable(REFUSED["limit_reached"])
    return wallet.spendable - taken, wallet.debt + amount - taken


def sentences(row: Discrepancy, wallet: Wallet, debt: int) -> list[str]:
    """What is booked and where, and what stays."""
    type, code, amount = type_of(row), wallet.currency_id, row.transaction.amount or 0
    names = {
        "uid": row.player.uid,
        "game": game_of(row),
        "state": Transaction.State(row.transaction.state).label,
    }
    says = [format_lazy(SENTENCES[type], amount=amount_of(row), **names), ACCOUNTS[type]]
    if debt > wallet.debt:
        rest = debt - wallet.debt
        there = show_amount(amount - rest, code)
        says.append(format_lazy(BECOMES_DEBT, found=there, rest=show_amount(rest, code)))
    elif debt < wallet.debt:
        says.append(format_lazy(REPAID, amount=show_amount(wallet.debt - debt, code)))
    return [*says, format_lazy(STAYS, **names), IRREVERSIBLE]


def amount_of(row: Discrepancy) -> str:
    return show_amount(row.transaction.amount, row.transaction.wallet.currency_id)


def game_of(row: Discrepancy) -> str:
    return row.transaction.game.slug if row.transaction.game else _("the game")
