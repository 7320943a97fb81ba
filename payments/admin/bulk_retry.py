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
from lib.backoffice.languages import _, format_lazy, ngettext_lazy
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
    "given_up": (_("given up, or stopped by the game (410)"), (State.EXHAUSTED, State.GONE)),
    "pending": (_("pending: send now instead of at the next scheduled attempt"), (State.PENDING,)),
    "delivered": (_("delivered: the game has lost them"), (State.DELIVERED,)),
}
DAY = timedelta(days=1)
SENT = RowOutcome(Came.WAITING, _("It is sent at once."))
NOT_SENT = RowOutcome(
    Came.UNCHANGED,
    _("Meanwhile its order was refunded or charged back, or the delivery has changed its state."),
)


class RangeForm(TwoStepForm):
    """Which deliveries, and why."""

    game = Games(
        Game.objects.filter(shop__isnull=False).order_by("slug"),
        required=False,
        widget=SelectWidget,
        empty_label=_("all games"),
    )
    state = forms.ChoiceField(
        choices=[(name, words) for name, (words, states) in STATES.items()],
        widget=RadioWidget,
        label=_("State"),
    )
    since = forms.SplitDateTimeField(widget=SplitWidget, label=_("Created from (UTC)"))
    until = forms.SplitDateTimeField(widget=SplitWidget, label=_("Created before (UTC)"))
    field_order = ("game", "state", "since", "until", "reason")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("since") and given.get("until") and given["until"] <= given["since"]:
            self.add_error("until", _("The end must be later than the beginning."))
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

    title, permission = _("Send a range again"), SEND_AGAIN

    def form_for(self, row: None, data: QueryDict | None) -> RangeForm:
        return RangeForm(data, initial=initial())

    def page(self, row: None) -> Page:
        says = [
            _("Each delivery is sent at once under its own message id, and its schedule starts anew."),
            _("If a game's deliveries are paused, they are sent when deliveries are resumed."),
            _("You will see how many they are, and be asked to confirm."),
        ]
        return Page(_("Send a range of deliveries again"), says, _("Continue"))

    def confirmation(self, row: None, given: dict[str, Any]) -> Page:
        count = len(find_range(range_in(given), MOST + 1))
        if not count:
            raise ValidationError(
                _(
                    "No delivery matches that could be sent: check the state, the times, "
                    "and whether the game has an order URL."
                )
            )
        rest = _("The oldest {most} are sent now. Repeat this for the rest.").format(most=f"{MOST:,}")
        says = [
            chosen(count, given),
            *([rest] if count > MOST else []),
            _("Reason: {reason}").format(reason=given["reason"]),
        ]
        title = _("Send {deliveries} again?").format(deliveries=number(min(count, MOST)))
        return Page(title, says, _("Send again"))

    def do(self, act: Act[None]) -> Report:
        wanted = range_in(act.given)

        def send(ids: Sequence[UUID]) -> Outcomes:
            sent = send_batch_again(ids, wanted.states, actor=act.actor, reason=act.reason)
            return {id: SENT if id in sent else NOT_SENT for id in ids}

        outcomes = in_batches(find_range(wanted), send)
        sent = sum(one is SENT for one in outcomes.values())
        words = ngettext_lazy(
            "{number} delivery is being sent again.", "{number} deliveries are being sent again.", sent
        )
        return Report(format_lazy(words, number=f"{sent:,}"), Delivery, outcomes)

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
            return RowOutcome(Came.DONE, _("The game has taken it."))
        if row.state == State.PENDING:
            words = ngettext_lazy(
                "{number} attempt failed. The next is at {at}.",
                "{number} attempts failed. The next is at {at}.",
                row.attempts,
            )
            next_at = moment(row.next_attempt_at)
            return RowOutcome(Came.WAITING, words.format(number=f"{row.attempts:,}", at=next_at))
        return RowOutcome(Came.FAILED, f"{sentence(row.get_state_display())}.")


def range_in(given: dict[str, Any]) -> Range:
    """The deliveries that a valid form names."""
    return Range(
        STATES[given["state"]][1],
        given["since"],
        given["until"],
        given["game"].pk if given["game"] else None,
    )


def chosen(count: int, given: dict[str, Any]) -> str:
    """Which deliveries a valid form names, and how many they are."""
    words = _("{deliveries} of {game}, created from {since} until before {until}, in this state: {state}.")
    return words.format(
        deliveries=number(count),
        game=given["game"].slug if given["game"] else _("all games"),
        since=moment(given["since"]),
        until=moment(given["until"]),
        state=STATES[given["state"]][0],
    )


def number(count: int) -> str:
    """A number of deliveries; more than `MOST` were not counted."""
    if count > MOST:
        return _("More than {number} deliveries").format(number=f"{MOST:,}")
    return ngettext_lazy("{number} delivery", "{number} deliveries", count).format(number=f"{count:,}")
