"""Has refused callbacks verified again: one, all that name an order, or a provider's of some time.

It takes one person. What moves money is the provider's own signature by a secret that two have approved, just
as if the provider sent its callback once more; who asks for it chooses neither amount nor order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from lib.backoffice.bulk_reports import Came, Outcomes, Report, RowOutcome, in_batches
from lib.backoffice.confirmation import Act, Page, PageAction, Refused, words_of
from lib.backoffice.forms import ReasonForm, SplitWidget
from lib.backoffice.languages import _, format_lazy, ngettext_lazy
from lib.backoffice.stored_texts import reworded
from payments.callbacks.rejected import KEPT_DAYS
from payments.callbacks.reverification import request_verification, unverified
from payments.models import Order, Provider, RefusedCallback
from payments.nudges import nudge
from payments.tasks import verify_refused_task

VERIFY = "payments.verify_callback"
NONE_LEFT = _("No refused callback waits to be verified.")
REQUESTED = RowOutcome(Came.WAITING, _("It is being verified."))
ALREADY = RowOutcome(Came.UNCHANGED, _("It was found genuine meanwhile."))
MEANING = _(
    "What a live secret signed is taken in as if it had just arrived, and acts once. The rest stays refused. "
    "The age of a signature counts from when the callback was received."
)


class Verify(PageAction[Any]):
    """The rows are those that `rows` finds at the time of the act."""

    title, permission = _("Verify again"), VERIFY

    def rows(self, row: Any, given: dict[str, Any]) -> QuerySet[RefusedCallback]:
        raise NotImplementedError

    def page(self, row: Any) -> Page:
        number = unverified(self.rows(row, {})).count()
        if not number:
            raise Refused(NONE_LEFT)
        title = ngettext_lazy(
            "Verify {number} refused callback again?", "Verify {number} refused callbacks again?", number
        )
        return Page(title.format(number=f"{number:,}"), [MEANING], self.title)

    def do(self, act: Act[Any]) -> str | Report:
        ids = list(unverified(self.rows(act.row, act.given)).order_by("pk").values_list("pk", flat=True))
        if not ids:
            raise Refused(NONE_LEFT)
        outcomes = in_batches(ids, request)
        number = sum(one is REQUESTED for one in outcomes.values())
        words = ngettext_lazy(
            "{number} refused callback is being verified again.",
            "{number} refused callbacks are being verified again.",
            number,
        )
        return Report(format_lazy(words, number=f"{number:,}"), RefusedCallback, outcomes)

    def afterwards(self, act: Act[Any], done: str) -> str:
        nudge(verify_refused_task)
        return _("{done} In a moment, this page tells what came of it.").format(done=done)


def request(ids: Sequence[UUID]) -> Outcomes:
    """Has some verified, if nobody has vouched for them meanwhile."""
    rows = unverified(RefusedCallback.objects.filter(pk__in=ids))
    waiting = set(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
    request_verification(RefusedCallback.objects.filter(pk__in=waiting))
    return {id: REQUESTED if id in waiting else ALREADY for id in ids}


def came_of(row: RefusedCallback) -> RowOutcome:
    """What became of a callback that was to be verified again."""
    if row.verified_at:
        return RowOutcome(
            Came.DONE, _("Genuine, and taken in: {outcome}.").format(outcome=row.get_outcome_display())
        )
    if row.due_at is None:
        return RowOutcome(Came.UNCHANGED, _("Still refused: {problem}").format(problem=reworded(row.problem)))
    return REQUESTED


class VerifyOne(Verify):
    """The callback of this page."""

    def rows(self, row: RefusedCallback, given: dict[str, Any]) -> QuerySet[RefusedCallback]:
        return RefusedCallback.objects.filter(pk=row.pk)

    def do(self, act: Act[RefusedCallback]) -> str:
        """Of one, its own page tells."""
        result = super().do(act)
        return words_of(result)


class VerifyOfOrder(Verify):
    """All that name the order of this page."""

    title = _("Verify refused callbacks")

    def rows(self, row: Order, given: dict[str, Any]) -> QuerySet[RefusedCallback]:
        return RefusedCallback.objects.filter(said_order=row.pk)


class TimesForm(ReasonForm):
    """From when until when they were received; empty: from the first, until the last."""

    since = forms.SplitDateTimeField(widget=SplitWidget, required=False, label=_("Received from (UTC)"))
    until = forms.SplitDateTimeField(widget=SplitWidget, required=False, label=_("Received before (UTC)"))
    field_order = ("since", "until", "reason")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("since") and given.get("until") and given["until"] <= given["since"]:
            self.add_error("until", _("The end must be later than the beginning."))
        return given


class VerifyOfProvider(Verify):
    """A provider's, all or of some time."""

    title, form = _("Verify refused callbacks"), TimesForm

    def rows(self, row: Provider, given: dict[str, Any]) -> QuerySet[RefusedCallback]:
        found = RefusedCallback.objects.filter(provider=row)
        since: datetime | None = given.get("since")
        until: datetime | None = given.get("until")
        found = found.filter(at__gte=since) if since else found
        return found.filter(at__lt=until) if until else found

    def form_for(self, row: Provider, data: QueryDict | None) -> forms.Form:
        return TimesForm(data)

    def page(self, row: Provider) -> Page:
        page = super().page(row)
        kept = _("They are those of the last {number} days, or of the time that you enter.")
        return Page(page.title, [*page.says, kept.format(number=KEPT_DAYS)], page.button)
