"""Sending many deliveries again: which ones, how many, and only then."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from lib.backoffice.confirmation import RadioWidget, ReasonForm
from lib.backoffice.formatting import moment
from lib.backoffice.pages import PageAdmin, actor
from lib.clock import now
from payments.deliveries.bulk_retry import MOST, Range, find_range, send_range_again
from payments.models import Delivery
from payments.nudges import nudge
from payments.tasks import deliver_due_task
from players.models import Game

if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminSplitDateTime as SplitWidget
    from django.forms import Select as SelectWidget

    Games = forms.ModelChoiceField[Game]
else:
    from unfold.widgets import UnfoldAdminSelectWidget as SelectWidget
    from unfold.widgets import UnfoldAdminSplitDateTimeWidget as SplitWidget

    Games = forms.ModelChoiceField

SEND_AGAIN = "payments.change_delivery"
State = Delivery.State
STATES = {
    "given_up": ("given up, or stopped by the game (410)", (State.EXHAUSTED, State.GONE)),
    "pending": ("pending: at once instead of when their next try is due", (State.PENDING,)),
    "delivered": ("delivered: the game has lost them", (State.DELIVERED,)),
}
DAY = timedelta(days=1)


class RangeForm(ReasonForm):
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
        label="Those that are",
    )
    since = forms.SplitDateTimeField(widget=SplitWidget, label="Begun from (UTC)")
    until = forms.SplitDateTimeField(widget=SplitWidget, label="Until before (UTC)")
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)
    field_order = ("game", "state", "since", "until", "reason")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("since") and given.get("until") and given["until"] <= given["since"]:
            self.add_error("until", "It has to end after it begins.")
        return given

    @property
    def wanted(self) -> Range:
        given = self.cleaned_data
        return Range(
            STATES[given["state"]][1],
            given["since"],
            given["until"],
            given["game"].pk if given["game"] else None,
        )

    def confirm(self) -> None:
        """For the second page: what was written goes along, and cannot be changed."""
        self.data = {**self.data.dict(), "confirmed": "1"}  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.widget = (
                forms.SplitHiddenDateTimeWidget() if name in ("since", "until") else forms.HiddenInput()
            )


def initial() -> dict[str, Any]:
    """What failed in the last day."""
    at = now()
    return {
        "state": "given_up",
        "since": (at - DAY).replace(second=0, microsecond=0),
        "until": at.replace(second=0, microsecond=0) + timedelta(minutes=1),
    }


class RangeActions(PageAdmin):
    """The action above the list of deliveries."""

    actions_list = ("send_range",)

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        offered: list[Any] = super().get_actions_list(request)  # type: ignore[misc]
        return offered if request.user.has_perm(SEND_AGAIN) else []

    def send_range(self, request: HttpRequest) -> HttpResponse:
        """Asks which, says how many, then sends them."""
        if not self.has_view_permission(request) or not request.user.has_perm(SEND_AGAIN):
            raise PermissionDenied
        form = RangeForm(request.POST or None, initial=initial())
        if request.method != "POST" or not form.is_valid():
            says = [
                "Every one of them is sent at once under its own message id, and its schedule begins anew.",
                "Where a game's deliveries are paused, they wait until they are resumed.",
                "You will be told how many they are before it is done.",
            ]
            return self.ask_range(
                request, form, title="Send a range of deliveries again", says=says, button="Go on"
            )
        if form.cleaned_data["confirmed"]:
            return self.do_range(request, form)
        return self.confirm_range(request, form)

    def confirm_range(self, request: HttpRequest, form: RangeForm) -> HttpResponse:
        """The second page: how many there are."""
        given, count = form.cleaned_data, len(find_range(form.wanted, MOST + 1))
        if not count:
            form.add_error(
                None,
                "There are none that could be sent: see the state, the times, and whether the game has an order URL.",
            )
            return self.ask_range(
                request, form, title="Send a range of deliveries again", says=[], button="Go on"
            )
        form.confirm()
        whose, when = (
            given["game"].slug if given["game"] else "all games",
            f"from {moment(given['since'])} until before {moment(given['until'])}",
        )
        says = [
            f"{number(count)} of {whose}, begun {when}, in this state: {STATES[given['state']][0]}.",
            *(
                [f"The oldest {MOST:,} are sent now. For the rest, do the same again."]
                if count > MOST
                else []
            ),
            f"Reason: {given['reason']}",
        ]
        return self.ask_range(
            request, form, title=f"Send {number(min(count, MOST))} again?", says=says, button="Send again"
        )

    def do_range(self, request: HttpRequest, form: RangeForm) -> HttpResponse:
        sent = send_range_again(form.wanted, actor=actor(request.user), reason=form.cleaned_data["reason"])
        nudge(deliver_due_task)
        messages.success(request, f"{number(sent)} {'is' if sent == 1 else 'are'} sent again.")
        return HttpResponseRedirect(reverse("admin:payments_delivery_changelist"))

    def ask_range(
        self, request: HttpRequest, form: RangeForm, *, title: str, says: list[str], button: str
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "says": says,
            "form": form,
            "button": button,
            "danger": False,
            "back": reverse("admin:payments_delivery_changelist"),
        }
        return TemplateResponse(
            request, "admin/confirmation.html", context, headers={"Cache-Control": "no-store"}
        )

    # What unfold asks an action for.
    send_range.short_description = "Send a range again"  # type: ignore[attr-defined]
    send_range.attrs = {}  # type: ignore[attr-defined]
    send_range.variant = "default"  # type: ignore[attr-defined]


def number(count: int) -> str:
    """A number of deliveries; one more than is looked for means more."""
    if count > MOST:
        return f"More than {MOST:,} deliveries"
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"
