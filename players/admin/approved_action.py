"""Actions that need a second person: the effect is shown, then the act is requested."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict

from lib.backoffice.confirmation import Act, Page, PageAction, ShownOnce
from lib.backoffice.formatting import moment
from lib.backoffice.forms import OurIdField, ReasonForm, RepeatedForm, TwoStepForm
from lib.backoffice.languages import _, english, format_lazy
from lib.backoffice.pages import PageAdmin, Section
from lib.backoffice.recorded_acts import State
from lib.backoffice.stored_texts import reworded_later
from players.approvals.kinds import Change, Kind, NotExecutable, Preview
from players.approvals.operations import ApprovalRefused, PreviewChanged, request_approval
from players.approvals.rules import able, may_act_alone
from players.audit_trail.record import Origin
from players.logins.factors import require_recent_factor
from players.models import Approval, Operator

Row = TypeVar("Row")
HEADERS = (_("What"), _("Before"), _("After"))
ALONE = _("The approval rules let you act alone: it is done at once, and recorded as executed alone.")
# Names of those who can approve, in a sentence.
MOST_NAMED = 5


class DigestForm(RepeatedForm):
    """What the operator saw: the act is done only if its effect still is that one."""

    digest = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


class RequestForm(DigestForm, ReasonForm):
    """A request with its reason. Its id is made with the form: sending the form twice is one request.

    `alone` is whether the page said that it is done at once.
    """

    approval_id = OurIdField()
    alone = forms.BooleanField(required=False, widget=forms.HiddenInput)


class TwoStepRequestForm(RequestForm, TwoStepForm):
    """The same for an act that has to be entered first."""


@dataclass(frozen=True, slots=True)
class EffectPage(Page):
    """A page that shows the effect of an act."""

    effect: Preview | None = None

    @property
    def digest(self) -> str:
        """What the operator saw, as the form sends it back."""
        return self.effect.digest if self.effect else ""


class EffectAction(PageAction[Row]):
    """An action whose form says which effect the operator saw."""

    # Whether the operator shows the second factor again if that was minutes ago.
    asks_factor: ClassVar[bool] = False

    def answer(self, admin: PageAdmin, request: HttpRequest, row: Row) -> HttpResponse:
        # A page that takes a secret asks before it, and anew if it has lain open.
        if self.asks_factor and (self.sensitive or request.method == "POST"):
            asked = require_recent_factor(request, carries=not self.sensitive)
            if asked:
                return asked
        return super().answer(admin, request, row)

    def ask(
        self, admin: PageAdmin, request: HttpRequest, row: Row, page: Page, form: forms.Form
    ) -> HttpResponse:
        if isinstance(form, DigestForm):
            form.send_next(digest=page.digest if isinstance(page, EffectPage) else "")
        return super().ask(admin, request, row, page, form)


class ApprovedAction(EffectAction[Row]):
    """Requests an act of `kind`, which a second person approves, unless the rules let one act alone.

    With a `TwoStepRequestForm` the subclass says the first page, and the effect is on the second.
    """

    asks_factor = True
    kind: ClassVar[Kind[Any]]
    form: ClassVar[type[forms.Form]] = RequestForm
    refusals: ClassVar[tuple[type[Exception], ...]] = (NotExecutable, ApprovalRefused)
    danger: ClassVar[bool] = False

    @property
    def action_name(self) -> str:
        return f"request_{self.kind.name}"

    def lock(self, row: Row) -> None:
        """A request changes nothing about the row; the kind locks what the act is about, in its own order."""

    def recorded_state(self, admin: PageAdmin, row: Row) -> State | None:
        """Before and after stand with the act itself, which is recorded when it is done."""
        return None

    def payload(self, row: Row, given: dict[str, Any]) -> msgspec.Struct:
        """What the act needs, from the row and the form."""
        raise NotImplementedError

    def form_for(self, row: Row, data: QueryDict | None) -> forms.Form:
        return self.form(data)

    def page(self, row: Row) -> Page:
        return self.effect_page(row, {})

    def confirmation(self, row: Row, given: dict[str, Any]) -> Page:
        try:
            return self.effect_page(row, given)
        except NotExecutable as problem:
            raise ValidationError(
                format_lazy(_("{problem} Nothing has changed."), problem=problem)
            ) from problem

    def effect_page(self, row: Row, given: dict[str, Any]) -> EffectPage:
        """What the act would do. Raises `NotExecutable`."""
        payload = self.payload(row, given)
        with english(), transaction.atomic():
            preview = self.kind.preview(payload)
        says = [
            *preview.says,
            *([_("Reason: {reason}").format(reason=given["reason"])] if given.get("reason") else []),
        ]
        return EffectPage(
            f"{self.kind.describe(payload)}?",
            says,
            self.title,
            self.danger,
            effect_sections(preview.changes),
            preview,
        )

    def ask(
        self, admin: PageAdmin, request: HttpRequest, row: Row, page: Page, form: forms.Form
    ) -> HttpResponse:
        """Says before the click whether it is done at once, or who has to agree."""
        if isinstance(page, EffectPage) and page.effect:
            alone = may_act_alone(self.kind, operator_of(request), page.effect)
            page = replace(page, says=[*page.says, ALONE if alone else who_approves(self.kind)])
            if isinstance(form, RequestForm):
                form.send_next(alone="1" if alone else "")
        return super().ask(admin, request, row, page, form)

    def do(self, act: Act[Row]) -> str | ShownOnce:
        return told(self.requested(act))

    def requested(self, act: Act[Row], secret: str = "") -> Approval:
        """The request that the form makes. Raises `ValidationError` if the effect is not what it showed."""
        try:
            return request_approval(
                self.kind,
                self.payload(act.row, act.given),
                id=act.given["approval_id"],
                origin=Origin.of(act.request),
                reason=act.reason,
                digest=act.given["digest"],
                alone=act.given["alone"],
                secret=secret,
            )
        except PreviewChanged as problem:
            raise ValidationError(problem.args[0]) from problem


def operator_of(request: HttpRequest) -> Operator:
    """Who is at the admin."""
    if not isinstance(request.user, Operator):
        raise TypeError("only operators come to the admin")
    return request.user


def told(approval: Approval) -> str:
    """What became of a request, for who made it."""
    if approval.state == Approval.State.REQUESTED:
        until = moment(approval.expires_at)
        return format_lazy(
            _("Requested, not done yet: {title}. It waits for a second person until {until}."),
            title=reworded_later(approval.title),
            until=until,
        )
    if approval.result:
        return reworded_later(approval.result)
    return format_lazy(_("The request is {state}."), state=Approval.State(approval.state).label)


def who_approves(kind: Kind[Any]) -> str:
    """Who can be asked, in a sentence."""
    names = able_names(kind.permission)
    return _("A second person has to approve it. Those who can, but never for themselves: {names}.").format(
        names=names
    )


def able_names(permission: str) -> str:
    """Who has a permission, as far as names fit a sentence."""
    names = [operator.username for operator in able(permission)[: MOST_NAMED + 1]]
    named = ", ".join(names[:MOST_NAMED])
    return _("{names} and others").format(names=named) if len(names) > MOST_NAMED else named


def effect_sections(changes: Sequence[Change], title: str = _("Effect")) -> list[Section]:
    """An effect as a table; none if it changes no figures."""
    return [Section(Approval, title, HEADERS, [tuple(change) for change in changes], "")] if changes else []
