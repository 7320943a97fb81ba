"""An operator books a discrepancy as the game says."""

from uuid import UUID

import msgspec

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
    Type.LATE_WITHDRAWAL: "{uid} pays {amount} to {game}, as if the withdrawal had been confirmed.",
    Type.LATE_DEPOSIT: "{game} pays {amount} to {uid}, as if the deposit had been confirmed.",
    Type.WITHDRAWAL_BACK: "{game} gives {amount} back to {uid}, as if the withdrawal had been rolled back.",
    Type.DEPOSIT_BACK: "{uid} gives {amount} back to {game}, as if the deposit had been rolled back.",
}
# Where it is booked.
ACCOUNTS = {
    Type.LATE_WITHDRAWAL: "It is booked to game revenue.",
    Type.LATE_DEPOSIT: "It is booked to game payout.",
    Type.WITHDRAWAL_BACK: "It is booked to game revenue.",
    Type.DEPOSIT_BACK: "It is booked to game payout.",
}
GIVING = (Type.LATE_DEPOSIT, Type.WITHDRAWAL_BACK)
BECOMES_DEBT = (
    "{found} of it are there. The other {rest} become a debt of the player, which is paid first by whatever "
    "comes in."
)
REPAID = "{amount} of it pay the debt."
STAYS = "The transaction stays {state}: what {game} is answered does not change. The discrepancy is closed."
# Why it was refused, by the ledger's outcome.
REFUSED = {
    "limit_reached": "The wallet can hold, or owe, no more than that.",
    "nothing_to_book": "There is nothing to book: the money is as both say. Close it with a reason.",
    "already_closed": "The discrepancy is closed already.",
}


class CorrectionPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    discrepancy_id: UUID


class Correction(Kind[CorrectionPayload]):
    """Books what the game says to the game's accounts; the transaction has the id of the request."""

    name, title, permission = "settle_discrepancy", "settlement as the game says", "wallet.settle_transaction"
    about, payload = "wallet.discrepancy", CorrectionPayload
    moves_money = True

    def describe(self, payload: CorrectionPayload) -> str:
        row = found(payload)
        return f"Settle as {game_of(row)} says: {row.transaction.type} of {amount_of(row)}"

    def preview(self, payload: CorrectionPayload) -> Preview:
        named = found(payload)
        wallet = locked_wallet(named.player_id, named.transaction.wallet.currency_id)
        row = locked(payload)
        type = type_of(row)
        spendable, debt = after(wallet, type, row.transaction.amount or 0)
        code = wallet.currency_id
        changes = [
            Change("Spendable", show_amount(wallet.spendable, code), show_amount(spendable, code)),
            unchanged("Reserved", wallet.reserved, code),
            Change("Debt", show_amount(wallet.debt, code), show_amount(debt, code)),
            Change("Discrepancy", "open", "closed"),
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
        return f"{amount_of(row)} are booked as {game_of(row)} says; spendable after it: {balance}."


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
        raise NotExecutable(f"The discrepancy is closed already, by {row.closed_by}.")
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
    names = {"uid": row.player.uid, "game": game_of(row), "state": row.transaction.get_state_display()}
    says = [SENTENCES[type].format(amount=amount_of(row), **names), ACCOUNTS[type]]
    if debt > wallet.debt:
        rest = debt - wallet.debt
        says.append(BECOMES_DEBT.format(found=show_amount(amount - rest, code), rest=show_amount(rest, code)))
    elif debt < wallet.debt:
        says.append(REPAID.format(amount=show_amount(wallet.debt - debt, code)))
    return [*says, STAYS.format(**names), IRREVERSIBLE]


def amount_of(row: Discrepancy) -> str:
    return show_amount(row.transaction.amount, row.transaction.wallet.currency_id)


def game_of(row: Discrepancy) -> str:
    return row.transaction.game.slug if row.transaction.game else "the game"
