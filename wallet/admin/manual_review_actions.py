"""The actions of manual review: confirm a due transaction, roll it back, or have the game queried again."""

import logging
from dataclasses import replace
from typing import Any, ClassVar, Literal
from uuid import UUID

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.formatting import moment
from lib.backoffice.pages import PageAdmin
from lib.clock import now
from players.admin.approved_action import ApprovedAction, EffectPage
from wallet.approvals.settlement import SETTLEMENT, SettlementPayload
from wallet.models import Inquiry
from wallet.outages import present_pause
from wallet.settlement.decisions import NotPossible, requery
from wallet.tasks import settle_due_task

logger = logging.getLogger(__name__)

DECIDE = "wallet.settle_transaction"


class Decision(ApprovedAction[Inquiry]):
    """Requests that the transaction is settled as an operator says."""

    permission, kind = DECIDE, SETTLEMENT
    event: ClassVar[Literal["confirmed", "rolled_back"]]

    def payload(self, row: Inquiry, given: dict[str, Any]) -> SettlementPayload:
        return SettlementPayload(row.pk, self.event)

    def effect_page(self, row: Inquiry, given: dict[str, Any]) -> EffectPage:
        """With what is known of the transaction so far."""
        page, due = super().effect_page(row, given), row.transaction
        last = row.get_last_answer_display() or "none"
        known = [
            f"Opened {moment(due.opened_at)}, due since {moment(due.due_at)}.",
            f"Status queries sent to the game: {row.questions_asked}; last answer: {last}.",
        ]
        return replace(page, says=[*known, *page.says])


class Confirm(Decision):
    title, event = "Confirm", "confirmed"


class RollBack(Decision):
    title, event = "Roll back", "rolled_back"


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
