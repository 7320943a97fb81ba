"""A transaction as the game has it: which call comes next, and what its answer changes.

Nothing is sent or stored here.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from quantum_wallet import (
    Deposit,
    FinalState,
    Money,
    NotAccepted,
    Refused,
    Step,
    Transaction,
    Unanswered,
    WalletError,
    Withdrawal,
)
from quantum_wallet.schedule import SETTLING
from quantum_wallet.shapes import TransactionAnswer

# Seconds before each repetition of a call that was not answered (contract 2.4).
PAUSES = SETTLING.pauses
# After so many unanswered tries a withdrawal is rolled back: by then the player has left the shop.
PATIENCE = 4
# How long after the platform asked the game repeats its own call, to hear how it ended.
AFTERWARDS = 4
ALREADY_CONFIRMED = 107
# What the platform answered to a call of a transaction, or what came instead.
Heard = TransactionAnswer | WalletError
ID = re.compile(r"[!-~]{1,64}")


class State(StrEnum):
    """Where a transaction stands. What is being confirmed has been handed out."""

    OPENING = "opening"
    OPEN = "open"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    ROLLING_BACK = "rolling back"
    ROLLED_BACK = "rolled back"
    REFUSED = "refused"


class Plan(StrEnum):
    """What the game does once the transaction is open."""

    CONFIRM = "confirm"
    ROLL_BACK = "roll back"
    LEAVE = "leave it"


@dataclass(frozen=True, slots=True)
class Move:
    """One transaction. Its `id` is made, and stored, before anything is sent.

    `tries` counts those of the present call; `next_try_at` is when it is due, if it is; `told` is what the
    player wants a final-state query to be answered; `code` is the refusal that ended it.
    """

    id: str
    visit: str
    uid: str
    type: str
    amount: Decimal
    currency: str
    item: str
    plan: Plan
    state: State
    next_try_at: float | None
    made_at: float
    tries: int = 0
    told: str = ""
    qw_id: str = ""
    code: int = 0

    @property
    def is_handed_out(self) -> bool:
        """Whether the player has what this pays for."""
        return self.state in (State.CONFIRMING, State.CONFIRMED)


# The step of the client's transaction that comes next.
STEPS = {State.OPENING: Step.OPEN, State.CONFIRMING: Step.CONFIRM, State.ROLLING_BACK: Step.ROLL_BACK}
REASON = "The player changed their mind."


def next_step(move: Move, token: str) -> Transaction | None:
    """The transaction with the step that comes next, as the client takes it; None if there is none."""
    step = STEPS.get(move.state)
    return as_transaction(move, token, step) if step else None


def as_transaction(move: Move, token: str, step: Step) -> Transaction:
    """The transaction as the client takes it: the same each time."""
    kind = Withdrawal if move.type == "withdrawal" else Deposit
    return kind(
        token=token,
        amount=Money(move.amount, move.currency),
        id=move.id,
        description=move.item,
        step=step,
        reason=REASON if step == Step.ROLL_BACK else "",
    )


def code_of(answer: object) -> int:
    """The errorCode of a refusal, or 0."""
    return answer.code if isinstance(answer, Refused) else 0


def heard(move: Move, answer: Heard, at: float) -> Move:
    """The transaction after the answer to its next call, which came `at`."""
    if isinstance(answer, Unanswered | NotAccepted):
        return unanswered(move, at)
    is_yes, code = isinstance(answer, TransactionAnswer), code_of(answer)
    qw_id = answer.qw_transaction_id if isinstance(answer, TransactionAnswer) else move.qw_id
    move = replace(move, tries=0, next_try_at=None, qw_id=qw_id)
    match move.state:
        case State.OPENING if is_yes:
            return opened(move, at)
        case State.OPENING:
            return replace(move, state=State.REFUSED, code=code)
        case State.CONFIRMING if is_yes:
            return replace(move, state=State.CONFIRMED)
        case State.ROLLING_BACK if code == ALREADY_CONFIRMED:
            return replace(move, state=State.CONFIRMED, code=code)
        case State.CONFIRMING | State.ROLLING_BACK:
            # The platform refuses to confirm what it rolled back: what was handed out is taken back.
            return replace(move, state=State.ROLLED_BACK, code=code)
    return move


def opened(move: Move, at: float) -> Move:
    """It is open: the plan says what follows."""
    follows = {Plan.CONFIRM: State.CONFIRMING, Plan.ROLL_BACK: State.ROLLING_BACK}.get(move.plan)
    return replace(move, state=follows, next_try_at=at) if follows else replace(move, state=State.OPEN)


def unanswered(move: Move, at: float) -> Move:
    """The same call again, later; after the last pause the platform will ask."""
    if move.state == State.OPENING and move.type == "withdrawal" and move.tries + 1 >= PATIENCE:
        return replace(move, state=State.ROLLING_BACK, tries=0, next_try_at=at)
    pause = PAUSES[move.tries] if move.tries < len(PAUSES) else None
    return replace(move, tries=move.tries + 1, next_try_at=None if pause is None else at + pause)


def final_state(move: Move | None) -> FinalState:
    """What the game answers if the platform asks how a transaction ended."""
    if move is None:
        return FinalState.UNKNOWN
    if move.is_handed_out:
        return FinalState.CONFIRMED
    if move.state in (State.ROLLING_BACK, State.ROLLED_BACK, State.REFUSED):
        return FinalState.ROLLED_BACK
    return FinalState(move.told) if move.told and move.state == State.OPEN else FinalState.PENDING


def asked(move: Move, at: float) -> Move:
    """The transaction after the platform asked: the game stands by its answer, and says so once more."""
    follows = {
        FinalState.CONFIRMED: State.CONFIRMING,
        FinalState.ROLLED_BACK: State.ROLLING_BACK,
    }.get(final_state(move))
    if move.state != State.OPEN or follows is None:
        return move
    return replace(move, state=follows, next_try_at=at + AFTERWARDS)
