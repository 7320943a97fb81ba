"""The actions of manual review and of pending transactions: confirm, roll back, or have the game queried."""

import logging
from dataclasses import replace
from typing import Any, ClassVar, Literal
from uuid import UUID

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.formatting import moment
from lib.backoffice.languages import _
from lib.backoffice.pages import PageAdmin
from lib.clock import now
from players.admin.approved_action import ApprovedAction, EffectPage
from wallet.admin.calls import calls_of_transaction
from wallet.approvals.settlement import SETTLEMENT, SettlementPayload
from wallet.models import Inquiry, Transaction
from wallet.operations import lock_wallet
from wallet.outages import present_pause
from wallet.settlement.decisions import FROM_GAMES, NotPossible, ask_now, requery
from wallet.tasks import settle_due_task

logger = logging.getLogger(__name__)

DECIDE = "wallet.settle_transaction"
QUERIES = _("Status queries sent to the game: {number}; last answer: {answer}.")


class Decision(ApprovedAction[Inquiry]):
    """Requests that the transaction is settled as an operator says."""

    permission, kind = DECIDE, SETTLEMENT
    event: ClassVar[Literal["confirmed", "rolled_back"]]

    def payload(self, row: Inquiry, given: dict[str, Any]) -> SettlementPayload:
        return SettlementPayload(row.pk, self.event)

    def effect_page(self, row: Inquiry, given: dict[str, Any]) -> EffectPage:
        """With what is known of the transaction so far."""
        page, due = super().effect_page(row, given), row.transaction
        last = row.get_last_answer_display() or _("none")
        known = [
            _("Opened {opened}, due since {due}.").format(
                opened=moment(due.opened_at), due=moment(due.due_at)
            ),
            QUERIES.format(number=row.questions_asked, answer=last),
        ]
        return replace(page, says=[*known, *page.says])


class Confirm(Decision):
    title, event = _("Confirm"), "confirmed"


class RollBack(Decision):
    title, event = _("Roll back"), "rolled_back"


class Requery(PageAction[Inquiry]):
    """Has the game queried again at once."""

    title, permission = _("Query again"), DECIDE
    refusals = (NotPossible,)

    def page(self, row: Inquiry) -> Page:
        says = [
            _("One more status query is sent to {game} at once, to {address}.").format(
                game=row.game.slug, address=row.game.query_url
            ),
            _("The answer is handled by the usual rules. Until it arrives, nothing changes."),
        ]
        return Page(_("Query the game again?"), says, _("Query again"))

    def do(self, act: Act[Inquiry]) -> str:
        requery(act.row, actor=act.actor, reason=act.reason)
        return _("One more status query was requested.")

    def afterwards(self, act: Act[Inquiry], done: str) -> str:
        return when_queried()


class PendingDecision(ApprovedAction[Transaction]):
    """The same of any pending transaction, due or not."""

    permission, kind = DECIDE, SETTLEMENT
    event: ClassVar[Literal["confirmed", "rolled_back"]]

    def payload(self, row: Transaction, given: dict[str, Any]) -> SettlementPayload:
        return SettlementPayload(None, self.event, row.pk)

    def effect_page(self, row: Transaction, given: dict[str, Any]) -> EffectPage:
        page = super().effect_page(row, given)
        return replace(page, says=[*known_of(row), *page.says])


class ConfirmPending(PendingDecision):
    title, event = _("Confirm"), "confirmed"


class RollBackPending(PendingDecision):
    title, event = _("Roll back"), "rolled_back"


class AskNow(PageAction[Transaction]):
    """Has the game queried at once, before the transaction is due."""

    title, permission = _("Ask the game now"), DECIDE
    refusals = (NotPossible,)

    def page(self, row: Transaction) -> Page:
        game = row.game.slug if row.game else _("the game")
        says = [
            *known_of(row),
            _(
                "{game} is asked at once what became of it. CONFIRMED confirms it, ROLLED_BACK rolls it back."
            ).format(game=game),
            _("Any other answer changes nothing before it is due."),
        ]
        return Page(_("Ask the game now?"), says, _("Ask the game now"))

    def lock(self, row: Transaction) -> None:
        """Only the ledger may lock a transaction, by its wallet."""
        lock_wallet(row.player_id, row.wallet.currency_id)

    def do(self, act: Act[Transaction]) -> str:
        act.row.refresh_from_db(fields=["settled_at", "state", "settled_actor"])
        ask_now(act.row, actor=act.actor, reason=act.reason)
        return _("The game is asked what became of it.")

    def afterwards(self, act: Act[Transaction], done: str) -> str:
        return when_queried()


def known_of(row: Transaction) -> list[str]:
    """What is known of a pending transaction, for whoever decides about it."""
    opened, due = moment(row.opened_at), moment(row.due_at)
    said = [_("Opened {opened}, due {due}.").format(opened=opened, due=due)]
    inquiry = Inquiry.objects.filter(transaction=row).first()
    last = inquiry.get_last_answer_display() if inquiry else ""
    asked = inquiry.questions_asked if inquiry else 0
    said.append(QUERIES.format(number=asked, answer=last or _("none")))
    calls = calls_of_transaction(row)
    if calls:
        words = _("Calls of the game: {number}; the last {moment}: {endpoint}.")
        said.append(words.format(number=len(calls), moment=moment(calls[0].at), endpoint=calls[0].endpoint))
    return said


class PendingActions(PageAdmin):
    """The actions of a transaction's page, while it is pending."""

    actions_detail = ("ask_now", "confirm", "roll_back")
    ask_now, confirm, roll_back = AskNow(), ConfirmPending(), RollBackPending()

    def pointless_actions(self, id: UUID) -> set[str]:
        pending = Transaction.objects.filter(pk=id, settled_at=None, type__in=FROM_GAMES)
        found = pending.values_list("game__query_url").first()
        if found is None:
            return set(self.actions_detail)
        return set() if found[0] else {"ask_now"}


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
        return _("The game will be queried by the next sweep: the queue cannot be reached now.")
    pause = present_pause(now())
    if pause is None:
        return _("The game is being queried.")
    words = _("The game will be queried as soon as transactions become due again: {reason}.")
    return words.format(reason=pause.reason)
