"""Why a transaction is in its state and what happens next, in a sentence. No rule is decided here."""

from datetime import datetime

from lib.backoffice.formatting import sentence
from lib.backoffice.languages import _
from lib.clock import in_words
from wallet.api.errors import answer_to
from wallet.currencies import show_amount
from wallet.models import Transaction
from wallet.settlement.due import forecast

State, Type = Transaction.State, Transaction.Type
# Of a pending one, by its type.
WAITING = {
    Type.WITHDRAWAL: _("Waiting: {amount} are reserved, and {game} has neither confirmed nor rolled back."),
    Type.DEPOSIT: _("Waiting: {amount} are announced, and {game} has neither confirmed nor rolled back."),
    Type.SET_ASIDE: _("Waiting: {amount} of credit are set aside until a refund comes to its end."),
}
# By type and state: what became of the money.
ENDED = {
    (Type.WITHDRAWAL, State.CONFIRMED): _("{game} has the {amount}."),
    (Type.WITHDRAWAL, State.ROLLED_BACK): _("The player has the {amount} again."),
    (Type.WITHDRAWAL, State.EXPIRED): _("The player has the {amount} again."),
    (Type.DEPOSIT, State.CONFIRMED): _("The player has got {amount}."),
    (Type.DEPOSIT, State.ROLLED_BACK): _("The player got nothing."),
    (Type.DEPOSIT, State.EXPIRED): _("The player got nothing."),
}
TOMBSTONE = _(
    "{game} rolled it back before it ever came: nothing has moved, and if it still comes it is refused (108)."
)
CONTRADICTED = _("{game} says otherwise: its discrepancy is open.")


def why(transaction: Transaction, at: datetime, *, is_contradicted: bool) -> str:
    """The sentences for the head of a transaction's page, at the moment `at`."""
    game = transaction.game.slug if transaction.game else _("the game")
    names = {"amount": show_amount(transaction.amount, transaction.wallet.currency_id), "game": game}
    if transaction.settled_at is None:
        next_step = forecast(transaction, at)
        waiting = WAITING[Type(transaction.type)].format(**names)
        return _("{waiting} Next: {step}.").format(waiting=waiting, step=next_step)
    said = [ended(transaction), money(transaction).format(**names)]
    if is_contradicted:
        said.append(CONTRADICTED.format(**names))
    return " ".join(part for part in said if part)


def ended(transaction: Transaction) -> str:
    """Who ended it, when, and why."""
    at = in_words(transaction.settled_at or transaction.opened_at)
    if transaction.state == State.DECLINED:
        number, words = answer_to(transaction.refusal) or ("", transaction.refusal)
        said = _("Declined {at} with {number}: {words} Nothing has moved.")
        return said.format(at=at, number=number, words=_(words) if words else "")
    reason = transaction.reason.rstrip(".")
    said = _("{state} {at} by {actor}: {reason}.") if reason else _("{state} {at} by {actor}.")
    state = sentence(transaction.get_state_display())
    return said.format(
        state=state, at=at, actor=transaction.settled_actor or _("the platform"), reason=reason
    )


def money(transaction: Transaction) -> str:
    """What became of the money, with places for names."""
    if transaction.state == State.ROLLED_BACK and transaction.amount is None:
        return TOMBSTONE
    return ENDED.get((Type(transaction.type), State(transaction.state)), "")
