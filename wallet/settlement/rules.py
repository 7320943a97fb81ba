"""The rules of contract 2.4, without a database.

What follows from a game's answer about a due transaction. When it becomes due is written down when it is
opened: `Game.pending_hours` after that, or the setting `PENDING_TTL_HOURS`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wallet.models import Inquiry, Transaction

Answer = Inquiry.Answer
Doubt = Inquiry.Doubt

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Growing pauses; the last one stays.
UNUSABLE_PAUSES = (MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR)
PENDING_PAUSES = (15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR)
UNKNOWN_PAUSE = 12 * HOUR
# How often a game must say UNKNOWN, and over how long, before a withdrawal expires.
UNKNOWN_ANSWERS = 3
UNKNOWN_TIME = DAY
# After this long without an answer that settles it, a person is asked too.
PATIENCE = 7 * DAY
# A game that says UNKNOWN in more than half of this many last answers has forgotten.
ANSWERS_REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Settle:
    """The transaction ends: `event` is confirmed, rolled_back or expired."""

    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Asked again at `next_attempt_at` (None: not again).

    `doubt` says why a person has to look at it, or nothing.
    """

    next_attempt_at: datetime | None
    doubt: str = ""


Step = Settle | Wait


def forgets(last_answers: list[str]) -> bool:
    """Whether a game suddenly knows hardly anything: its last 20 usable answers, the newest first."""
    return last_answers[:ANSWERS_REMEMBERED].count(Answer.UNKNOWN) > ANSWERS_REMEMBERED // 2


def next_step(inquiry: Inquiry, type: str, answer: str, at: datetime, *, game_forgets: bool) -> Step:
    """What follows from the game's `answer` about a transaction of `type`.

    It is already counted in `inquiry`, at the moment `at`.
    """
    if answer == Answer.CONFIRMED:
        return Settle("confirmed", "The game said CONFIRMED.")
    if answer == Answer.ROLLED_BACK:
        return Settle("rolled_back", "The game said ROLLED_BACK.")
    if answer == Answer.UNKNOWN:
        return after_unknown(inquiry, type, at, game_forgets)
    if answer == Answer.PENDING:
        return waiting(
            inquiry.pending_since,
            at,
            Doubt.PENDING_TOO_LONG,
            growing(PENDING_PAUSES, inquiry.pending_answers),
        )
    return waiting(
        inquiry.unusable_since, at, Doubt.UNREACHABLE, growing(UNUSABLE_PAUSES, inquiry.unusable_in_a_row)
    )


def after_unknown(inquiry: Inquiry, type: str, at: datetime, game_forgets: bool) -> Step:
    if type != Transaction.Type.WITHDRAWAL:
        # Forgetting a win would take the player's money: a person decides.
        return Wait(None, Doubt.UNKNOWN_DEPOSIT)
    lasting = at - (inquiry.unknown_since or at)
    if inquiry.unknown_answers < UNKNOWN_ANSWERS or lasting < UNKNOWN_TIME:
        return Wait(at + UNKNOWN_PAUSE)
    if game_forgets:
        return waiting(inquiry.unknown_since, at, Doubt.GAME_FORGETS, UNKNOWN_PAUSE)
    return Settle(
        "expired", f"The game said UNKNOWN {inquiry.unknown_answers} times over {lasting // HOUR} hours."
    )


def waiting(since: datetime | None, at: datetime, doubt: str, pause: timedelta) -> Wait:
    """Asked again after `pause`; in doubt as well once it has lasted too long."""
    too_long = since is not None and at - since >= PATIENCE
    return Wait(at + pause, doubt if too_long else "")


def growing(pauses: tuple[timedelta, ...], times: int) -> timedelta:
    """The pause after the `times`th answer of a kind."""
    return pauses[min(max(times, 1), len(pauses)) - 1]
