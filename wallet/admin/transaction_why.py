"""Why a transaction is in its state and what happens next, in a sentence. No rule is decided here."""

from datetime import datetime

from lib.clock import in_words
from wallet.api.errors import answer_to
from wallet.currencies import show_amount
from wallet.models import Transaction
from wallet.settlement.due import forecast

State, Type = Transaction.State, Transaction.Type
# Of a pending one, by its type.
WAITING = {
    Type.WITHDRAWAL: "Waiting: {amount} are reserved, and {game} has neither confirmed nor rolled back.",
    Type.DEPOSIT: "Waiting: {amount} are announced, and {game} has neither confirmed nor rolled back.",
    Type.SET_ASIDE: "Waiting: {amount} of credit are set aside until a refund comes to its end.",
}
# By type and state: what became of the money.
ENDED = {
    (Type.WITHDRAWAL, State.CONFIRMED): "{game} has the {amount}.",
    (Type.WITHDRAWAL, State.ROLLED_BACK): "The player has the {amount} again.",
    (Type.WITHDRAWAL, State.EXPIRED): "The player has the {amount} again.",
    (Type.DEPOSIT, State.CONFIRMED): "The player has got {amount}.",
    (Type.DEPOSIT, State.ROLLED_BACK): "The player got nothing.",
    (Type.DEPOSIT, State.EXPIRED): "The player got nothing.",
}
TOMBSTONE = (
    "{game} rolled it back before it ever came: nothing has moved, and if it still comes it is refused (108)."
)
CONTRADICTED = "{game} says otherwise: its discrepancy is open."


def why(transaction: Transaction, at: datetime, *, is_contradicted: bool) -> str:
    """The sentences for the head of a transaction's page, at the moment `at`."""
    game = transaction.game.slug if transaction.game else "the game"
    names = {"amount": show_amount(transaction.amount, transaction.wallet.currency_id), "game": game}
    if transaction.settled_at is None:
        next_step = forecast(transaction, at)
        return f"{WAITING[Type(transaction.type)].format(**names)} Next: {next_step}."
    said = [ended(transaction), money(transaction).format(**names)]
    if is_contradicted:
        said.append(CONTRADICTED.format(**names))
    return " ".join(part for part in said if part)


def ended(transaction: Transaction) -> str:
    """Who ended it, when, and why."""
    at = in_words(transaction.settled_at or transaction.opened_at)
    if transaction.state == State.DECLINED:
        number, words = answer_to(transaction.refusal) or ("", transaction.refusal)
        return f"Declined {at} with {number}: {words} Nothing has moved."
    reason = f": {transaction.reason.rstrip('.')}" if transaction.reason else ""
    state = transaction.get_state_display().capitalize()
    return f"{state} {at} by {transaction.settled_actor or 'the platform'}{reason}."


def money(transaction: Transaction) -> str:
    """What became of the money, with places for names."""
    if transaction.state == State.ROLLED_BACK and transaction.amount is None:
        return TOMBSTONE
    return ENDED.get((Type(transaction.type), State(transaction.state)), "")
