"""The actions of manual review: confirm a due transaction, roll it back, or have the game queried again."""

import logging
from typing import ClassVar
from uuid import UUID

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.formatting import moment
from lib.backoffice.pages import PageAdmin
from lib.clock import now
from wallet.currencies import show_amount
from wallet.models import Inquiry, Transaction
from wallet.outages import present_pause
from wallet.settlement.decisions import NotPossible, decide, requery
from wallet.tasks import settle_due_task

logger = logging.getLogger(__name__)

DECIDE = "wallet.settle_transaction"
State = Transaction.State
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
    "The decision is written into the journal under your name and cannot be undone, only adjusted. "
    "If {game} contradicts it later, that is recorded under Discrepancies."
)


def amount_of(inquiry: Inquiry) -> str:
    """The amount of a due transaction, with its currency."""
    return show_amount(inquiry.transaction.amount, inquiry.transaction.wallet.currency_id)


def consequences(inquiry: Inquiry, event: str) -> list[str]:
    """The effects of a decision, in sentences."""
    due, wallet = inquiry.transaction, inquiry.transaction.wallet
    names = {"amount": amount_of(inquiry), "uid": inquiry.player.uid, "game": inquiry.game.slug}
    says = [CONSEQUENCES[due.type, event].format(**names)]
    if wallet.debt and (due.type, event) in {("withdrawal", "rolled_back"), ("deposit", "confirmed")}:
        says.append(f"The debt of {show_amount(wallet.debt, wallet.currency_id)} is paid from it first.")
    says.append(f"Opened {moment(due.opened_at)}, due since {moment(due.due_at)}.")
    last = inquiry.get_last_answer_display() or "none"
    says.append(f"Status queries sent to the game: {inquiry.questions_asked}; last answer: {last}.")
    if not inquiry.doubt:
        says.append(
            "It does not need manual review: the platform still queries the game and settles by itself."
        )
    return [*says, PERMANENT.format(**names)]


class Decision(PageAction[Inquiry]):
    """Settles the transaction as an operator says."""

    permission = DECIDE
    refusals = (NotPossible,)
    event: ClassVar[str]
    past: ClassVar[str]

    def named(self, row: Inquiry) -> str:
        """The transaction, in words."""
        return f"{row.transaction.type} of {amount_of(row)}"

    def page(self, row: Inquiry) -> Page:
        return Page(f"{self.title} the {self.named(row)}?", consequences(row, self.event), self.title)

    def do(self, act: Act[Inquiry]) -> str:
        answer = decide(act.row, event=self.event, actor=act.actor, reason=act.reason)
        balance = show_amount(answer.balance, answer.currency)
        return f"The {self.named(act.row)} is {self.past}; spendable after it: {balance}."


class Confirm(Decision):
    title, event, past = "Confirm", State.CONFIRMED, "confirmed"


class RollBack(Decision):
    title, event, past = "Roll back", State.ROLLED_BACK, "rolled back"


class Requery(PageAction[Inquiry]):
    """Has the game queried again at once."""

    title, permission = "Query again", DECIDE
    refusals = (NotPossible,)

    def page(self, row: Inquiry) -> Page:
        says = [
            f"One more status query is sent to {row.game.slug} at once, to {row.game.query_url}.",
            "The answer is handled by the usual rules. Until it arrives, nothing changes.",
        ]
        return Page("Query the game again?", says, "Query again")

    def do(self, act: Act[Inquiry]) -> str:
        requery(act.row, actor=act.actor, reason=act.reason)
        return "One more status query was requested."

    def afterwards(self, act: Act[Inquiry], done: str) -> str:
        return when_queried()


class ReviewActions(PageAdmin):
    """The actions of an inquiry's page; each goes through an operation."""

    actions_detail = ("confirm", "roll_back", "requery")
    confirm, roll_back, requery = Confirm(), RollBack(), Requery()

    def pointless_actions(self, id: UUID) -> set[str]:
        open_one = (
            Inquiry.objects.filter(pk=id, closed_at=None, transaction__settled_at=None)
            .values_list("game__query_url")
            .first()
        )
        if open_one is None:
            return set(self.actions_detail)
        return set() if open_one[0] else {"requery"}


def nudge() -> bool:
    """Wakes a worker. Returns whether the queue took the message; without it the next sweep does the same."""
    try:
        settle_due_task.delay()
    except (OperationalError, RedisError, OSError) as problem:
        logger.warning("no worker could be nudged: %s", problem)
        return False
    return True


def when_queried() -> str:
    """When the status query that an operator wanted is going to be sent."""
    if not nudge():
        return "The game will be queried by the next sweep: the queue cannot be reached now."
    pause = present_pause(now())
    return (
        f"The game will be queried as soon as transactions become due again: {pause.reason}."
        if pause
        else "The game is being queried."
    )
