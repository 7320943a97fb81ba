"""What operators do about a due transaction: confirm it, roll it back, or have the game asked again."""

import logging
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from lib.backoffice.confirmation import ReasonForm, ask, done, page_action, page_of
from lib.backoffice.formatting import moment
from lib.backoffice.pages import PageAdmin, actor
from lib.clock import now
from wallet.admin.amounts import show_amount
from wallet.models import Inquiry, Transaction
from wallet.outages import present_pause
from wallet.settlement.decisions import NotPossible, decide, requery
from wallet.tasks import settle_due_task

logger = logging.getLogger(__name__)

DECIDE = "wallet.change_inquiry"
# By type and event: what the player has of it.
CONSEQUENCES = {
    (
        "withdrawal",
        "confirmed",
    ): "The {amount} that are reserved from {uid} are paid to {game}. The player does not get them back.",
    (
        "withdrawal",
        "rolled_back",
    ): "The {amount} that are reserved from {uid} go back to the player. {game} gets nothing.",
    ("deposit", "confirmed"): "{uid} gets {amount}, and can spend them at once.",
    ("deposit", "rolled_back"): "The {amount} that were announced are forgotten. {uid} does not get them.",
}
FOR_EVER = "It is written into the journal under your name and cannot be undone, only adjusted. Should {game} say otherwise later, it stands in Discrepancies."


def consequences(inquiry: Inquiry, event: str) -> list[str]:
    """What a decision does, in sentences."""
    due = inquiry.transaction
    names = {
        "amount": show_amount(due.amount, due.wallet.currency_id),
        "uid": inquiry.player.uid,
        "game": inquiry.game.slug,
    }
    says = [CONSEQUENCES[due.type, event].format(**names)]
    if due.wallet.debt and (due.type, event) in {("withdrawal", "rolled_back"), ("deposit", "confirmed")}:
        says.append(
            f"The debt of {show_amount(due.wallet.debt, due.wallet.currency_id)} is paid from it first."
        )
    says.append(f"Opened {moment(due.opened_at)}, due since {moment(due.due_at)}.")
    says.append(
        f"The game was asked {inquiry.questions_asked} times; its last answer: {inquiry.get_last_answer_display() or 'none'}."
    )
    if not inquiry.doubt:
        says.append("It is not in doubt: the platform is still asking the game, and would go on without you.")
    return [*says, FOR_EVER.format(**names)]


def nudge() -> bool:
    """Wakes a worker. Returns whether the queue took the message; without it the next sweep does the same."""
    try:
        settle_due_task.delay_on_commit()
    except (OperationalError, RedisError, OSError) as problem:
        logger.warning("no worker could be nudged: %s", problem)
        return False
    return True


class DecidingActions(PageAdmin):
    """The actions of an inquiry's page; each goes through an operation."""

    actions_detail = ("confirm", "roll_back", "requery")

    def senseless_actions(self, id: UUID) -> set[str]:
        open_one = (
            Inquiry.objects.filter(pk=id, closed_at=None, transaction__settled_at=None)
            .values_list("game__query_url")
            .first()
        )
        if open_one is None:
            return set(self.actions_detail)
        return set() if open_one[0] else {"requery"}

    @page_action(title="Confirm", permission=DECIDE)
    def confirm(self, request: HttpRequest, obj: Inquiry) -> HttpResponse:
        return self.settle(request, obj, event=Transaction.State.CONFIRMED, word="Confirm", past="confirmed")

    @page_action(title="Roll back", permission=DECIDE)
    def roll_back(self, request: HttpRequest, obj: Inquiry) -> HttpResponse:
        return self.settle(
            request, obj, event=Transaction.State.ROLLED_BACK, word="Roll back", past="rolled back"
        )

    def settle(self, request: HttpRequest, obj: Inquiry, *, event: str, word: str, past: str) -> HttpResponse:
        """Asks first, then does it."""
        what = f"{obj.transaction.type} of {show_amount(obj.transaction.amount, obj.transaction.wallet.currency_id)}"
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                answer = decide(obj, event=event, actor=actor(request.user), reason=reason)
            except NotPossible as problem:
                return self.refused(
                    request, obj, f"Wanted to {word.lower()} the {what}.", str(problem), reason
                )
            balance = show_amount(answer.balance, answer.currency)
            return done(
                self, request, obj, f"The {what} is {past}; spendable after it: {balance}.", reason=reason
            )
        return ask(
            self,
            request,
            obj,
            title=f"{word} the {what}?",
            says=consequences(obj, event),
            form=form,
            button=word,
        )

    @page_action(title="Ask again", permission=DECIDE)
    def requery(self, request: HttpRequest, obj: Inquiry) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                requery(obj, actor=actor(request.user), reason=reason)
            except NotPossible as problem:
                return self.refused(request, obj, "Wanted the game to be asked again.", str(problem), reason)
            return done(self, request, obj, when_asked(), reason=reason)
        says = [
            f"{obj.game.slug} is asked once more, at once, at {obj.game.query_url}.",
            "What it answers is acted on by the same rules as ever. Until then everything stays as it is.",
        ]
        return ask(self, request, obj, title="Ask the game again?", says=says, form=form, button="Ask again")

    def refused(
        self, request: HttpRequest, obj: Inquiry, wanted: str, problem: str, reason: str
    ) -> HttpResponse:
        """Back to the page, saying why not; what the operator wanted stays in the history."""
        self.log_change(request, obj, f"{wanted} Nothing was done: {problem} Reason: {reason}")
        messages.warning(request, f"Nothing was done. {problem}")
        return HttpResponseRedirect(page_of(obj))


def when_asked() -> str:
    """When a question that an operator wanted is going to be sent."""
    if not nudge():
        return "The game will be asked at the next sweep: the queue cannot be reached now."
    pause = present_pause(now())
    return (
        f"The game will be asked as soon as anything is due again: {pause.reason}."
        if pause
        else "The game is being asked."
    )
