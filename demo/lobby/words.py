"""What happened to a player's money, as one would say it."""

from enum import StrEnum
from typing import NamedTuple

from payments.models import Order
from wallet.models import Transaction

MINUS, PLUS = "\N{MINUS SIGN}", "+"
Type, State, OrderState = Transaction.Type, Transaction.State, Order.State


class Tone(StrEnum):
    """How a line looks; what it means stands there in words."""

    IN = "in"
    OUT = "out"
    WAITS = "waits"
    NOTHING = "nothing"
    REFUSED = "refused"


class Words(NamedTuple):
    """A line: `text` with {game} in it, the sign of its amount, and a further sentence."""

    text: str
    sign: str
    tone: Tone
    note: str = ""


# What a game opened, by its type and state.
OPENED = {
    (Type.WITHDRAWAL, State.PENDING): Words(
        "Reserved for {game}", MINUS, Tone.WAITS, "The game has not said yet whether it delivered."
    ),
    (Type.WITHDRAWAL, State.CONFIRMED): Words("Paid to {game}", MINUS, Tone.OUT),
    (Type.WITHDRAWAL, State.ROLLED_BACK): Words("Given back by {game}", "", Tone.NOTHING),
    (Type.WITHDRAWAL, State.EXPIRED): Words("Given back, {game} never finished it", "", Tone.NOTHING),
    (Type.WITHDRAWAL, State.DECLINED): Words("Refused to {game}", "", Tone.REFUSED),
    (Type.DEPOSIT, State.PENDING): Words(
        "Win announced by {game}", PLUS, Tone.WAITS, "It can be spent once the game confirms it."
    ),
    (Type.DEPOSIT, State.CONFIRMED): Words("Won at {game}", PLUS, Tone.IN),
    (Type.DEPOSIT, State.ROLLED_BACK): Words("Win called off by {game}", "", Tone.NOTHING),
    (Type.DEPOSIT, State.DECLINED): Words("Win of {game} refused", "", Tone.REFUSED),
    (Type.DEPOSIT, State.EXPIRED): Words("Win expired, {game} never finished it", "", Tone.NOTHING),
}
# A rollback that came first: its opening is refused, should it still come.
CALLED_OFF = Words("Called off by {game} before it came", "", Tone.NOTHING)
# What the platform and its operators posted, by type.
POSTED = {
    Type.CREDIT: Words("Credited by an operator", PLUS, Tone.IN),
    Type.DEBIT: Words("Debited by an operator", MINUS, Tone.OUT),
    Type.WRITE_OFF: Words("Debt written off by an operator", "", Tone.NOTHING),
    Type.LATE_WITHDRAWAL: Words("Paid to {game} afterwards", MINUS, Tone.OUT),
    Type.LATE_DEPOSIT: Words("Won at {game}, booked afterwards", PLUS, Tone.IN),
    Type.WITHDRAWAL_BACK: Words("Given back by {game} afterwards", PLUS, Tone.IN),
    Type.DEPOSIT_BACK: Words("Win taken back by {game} afterwards", MINUS, Tone.OUT),
    Type.TOP_UP: Words("Topped up by an order", PLUS, Tone.IN),
    Type.CLAWBACK: Words("Credit taken back, its order was refunded", MINUS, Tone.OUT),
    Type.SET_ASIDE: Words("Set aside for a refund", MINUS, Tone.WAITS),
}
REFUSALS = {
    "insufficient_funds": "There was not enough money.",
    "limit_reached": "It would have been over a limit.",
}
ORDERS = {
    OrderState.CREATED: ("waits for its payment", Tone.WAITS),
    OrderState.PAID: ("paid, not delivered yet", Tone.WAITS),
    OrderState.DELIVERED: ("paid and delivered", Tone.IN),
    OrderState.FAILED: ("the payment failed", Tone.REFUSED),
    OrderState.EXPIRED: ("nobody paid in time", Tone.NOTHING),
    OrderState.REFUNDED: ("refunded", Tone.NOTHING),
    OrderState.CHARGED_BACK: ("charged back", Tone.REFUSED),
}


def words_of(row: Transaction) -> Words:
    """What a transaction comes to, with the game's name in it."""
    words = POSTED.get(Type(row.type)) or opened(row)
    game = row.game.name if row.game else "the platform"
    return words._replace(text=words.text.format(game=game), note=note_of(row) or words.note)


def opened(row: Transaction) -> Words:
    if row.amount is None:
        return CALLED_OFF
    return OPENED[Type(row.type), State(row.state)]


def note_of(row: Transaction) -> str:
    """Why it is so, where somebody else than the game decided."""
    if row.state == State.DECLINED:
        return REFUSALS.get(row.refusal, "")
    if row.settled_source == Transaction.Source.SWEEP:
        return f"Settled by the platform. {row.reason}"
    return row.reason if row.source == Transaction.Source.OPERATOR else ""
