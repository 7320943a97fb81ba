"""The action that sends many deliveries again: which ones, how many, and only then."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from lib.backoffice.bulk_reports import Came, Outcomes, Report, RowOutcome, in_batches
from lib.backoffice.confirmation import Act, ListAction, Page
from lib.backoffice.formatting import moment, sentence
from lib.backoffice.forms import RadioWidget, SelectWidget, SplitWidget, TwoStepForm
from lib.backoffice.pages import PageAdmin
from lib.clock import now
from payments.deliveries.bulk_retry import MOST, Range, find_range, send_batch_again
from payments.models import Delivery
from payments.nudges import nudge
from payments.tasks import deliver_due_task
from players.models import Game

if TYPE_CHECKING:
    Games = forms.ModelChoiceField[Game]
else:
    Games = forms.ModelChoiceField

SEND_AGAIN = "payments.retry_delivery"
State = Delivery.State
STATES = {
    "given_up": ("given up, or stopped by the game (410)", (State.EXHAUSTED, State.GONE)),
    "pending": ("pending: send now instead of at the next scheduled attempt", (State.PENDING,)),
    "delivered": ("delivered: the game has lost them", (State.DELIVERED,)),
}
DAY = timedelta(days=1)
SENT = RowOutcome(Came.WAITING, "It is sent at once.")
NOT_SENT = RowOutcome(
    Came.UNCHANGED, "Meanwhile its order was refunded or charged back, or the delivery has changed its state."
)


class RangeForm(TwoStepForm):
    """Which deliveries, and why."""

    game = Games(
        Game.objects.filter(shop__isnull=False).order_by("slug"),
        required=False,
        widget=SelectWidget,
        empty_label="all games",
    )
    state = forms.ChoiceField(
        choices=[(name, words) for name, (words, _) in STATES.items()],
        widget=RadioWidget,
        label="State",
    )
    since = forms.SplitDateTimeField(widget=SplitWidget, label="Created from (UTC)")
    until = forms.SplitDateTimeField(widget=SplitWidget, label="Created before (UTC)")
    field_order = ("game", "state", "since", "until", "reason")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("since") and given.get("until") and given["until"] <= given["since"]:
            self.add_error("until", "The end must be later than the beginning.")
        return given


def initial() -> dict[str, Any]:
    """The deliveries that failed in the last day."""
    at = now()
    return {
        "state": "given_up",
        "since": (at - DAY).replace(second=0, microsecond=0),
        "until": at.replace(second=0, microsecond=0) + timedelta(minutes=1),
    }


class SendRange(ListAction):
    """Asks which deliveries, says how many they are, then sends them."""

    title, permission = "Send a range again", SEND_AGAIN

    def form_for(self, row: None, data: QueryDict | None) -> RangeForm:
        return RangeForm(data, initial=initial())

    def page(self, row: None) -> Page:
        says = [
            "Each delivery is sent at once under its own message id, and its schedule starts anew.",
            "If a game's deliveries are paused, they are sent when deliveries are resumed.",
            "You will see how many they are, and be asked to confirm.",
        ]
        return Page("Send a range of deliveries again", says, "Continue")

    def confirmation(self, row: None, given: dict[str, Any]) -> Page:
        count = len(find_range(range_in(given), MOST + 1))
        if not count:
            raise ValidationError(
                "No delivery matches that could be sent: check the state, the times, "
                "and whether the game has an order URL."
            )
        whose = given["game"].slug if given["game"] else "all games"
        when = f"from {moment(given['since'])} until before {moment(given['until'])}"
        rest = [f"The oldest {MOST:,} are sent now. Repeat this for the rest."] if count > MOST else []
        says = [
            f"{number(count)} of {whose}, created {when}, in this state: {STATES[given['state']][0]}.",
            *rest,
            f"Reason: {given['reason']}",
        ]
        return Page(f"Send {number(min(count, MOST))} again?", says, "Send again")

    def do(self, act: Act[None]) -> Report:
        wanted = range_in(act.given)

        def send(ids: Sequence[UUID]) -> Outcomes:
            sent = send_batch_again(ids, wanted.states, actor=act.actor, reason=act.reason)
            return {id: SENT if id in sent else NOT_SENT for id in ids}

        outcomes = in_batches(find_range(wanted), send)
        sent = sum(one is SENT for one in outcomes.values())
        words = f"{number(sent)} {'is' if sent == 1 else 'are'} being sent again."
        return Report(words, Delivery, outcomes)

    def afterwards(self, act: Act[None], done: str) -> str:
        nudge(deliver_due_task)
        return done


class RangeActions(PageAdmin):
    """The action above the list of deliveries."""

    actions_list = ("send_range",)
    send_range = SendRange()

    def came_of(self, row: Delivery) -> RowOutcome:
        """An act begins the schedule anew: no attempt is counted until the first one after it."""
        if not row.attempts:
            return SENT
        if row.state == State.DELIVERED:
            return RowOutcome(Came.DONE, "The game has taken it.")
        if row.state == State.PENDING:
            tried = "1 attempt" if row.attempts == 1 else f"{row.attempts:,} attempts"
            return RowOutcome(Came.WAITING, f"{tried} failed. The next is at {moment(row.next_attempt_at)}.")
        return RowOutcome(Came.FAILED, f"{sentence(row.get_state_display())}.")


def range_in(given: dict[str, Any]) -> Range:
    """The deliveries that a valid form names."""
    return Range(
        STATES[given["state"]][1],
        given["since"],
        given["until"],
        given["game"].pk if given["game"] else None,
    )


def number(count: int) -> str:
    """A number of deliveries; more than `MOST` were not counted."""
    if count > MOST:
        return f"More than {MOST:,} deliveries"
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"
