"""Acts of operators: confirmed on a page of their own, then done by an operation, or refused.

An action says its title, its permission, the text of its pages, and what it does. All else is done here,
and only here: permissions, the form, the second page, the atomic block with the record of the act, refusals,
and secrets that are shown once.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from lib.backoffice.bulk_reports import REPORTING, Report
from lib.backoffice.forms import NameField, ReasonForm, TwoStepForm
from lib.backoffice.languages import _, english
from lib.backoffice.pages import PageAdmin, Section, actor
from lib.backoffice.recorded_acts import (
    RECORDING,
    RecordedAct,
    State,
    misses_recorded,
)

Row = TypeVar("Row")
NOT_STORED = {"Cache-Control": "no-store"}


class Refused(Exception):
    """The act is not possible now, and nothing was done; the text says why."""


@dataclass(frozen=True, slots=True)
class Page:
    """What an operator reads before the act: sentences, then tables. `danger` makes the button red."""

    title: str
    says: Sequence[str]
    button: str
    danger: bool = False
    sections: Sequence[Section] = ()


@dataclass(frozen=True, slots=True)
class Act(Generic[Row]):
    """An act that an operator has confirmed: on which row, and what the form says."""

    request: HttpRequest
    row: Row
    given: dict[str, Any]

    @property
    def actor(self) -> str:
        """Who acts, as the journal names them."""
        return actor(self.request.user)

    @property
    def reason(self) -> str:
        return reason_in(self.given)


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """The result of an act that made a secret: `values` are labels, values and ids of elements of the page.

    `words` are recorded, and hold no secret. `back` is the row whose page is next.
    """

    words: str
    title: str
    heading: str
    before: str
    values: Sequence[tuple[str, str, str]]
    after: str
    back: Model


# A sentence, a secret, or a line for each row.
Result = str | ShownOnce | Report


def words_of(result: Result) -> str:
    """The sentence that says what was done."""
    # A lazy text is no `str`, and is left as it is: it is shown in another language than it is recorded in.
    return result.words if isinstance(result, ShownOnce | Report) else result


class PageAction(Generic[Row]):
    """An action at the top of a row's page, for operators who have `permission` and may see the row.

    It stands in the admin's class body, and its name in `actions_detail`. `refusals` are exceptions of `do`,
    `page` and `confirmation` that mean: not possible now. A `ValidationError` of `do` or `confirmation` is
    shown in the form, to be filled in again.

    `do` runs in an atomic block with the record of the act, and so wakes nobody: `afterwards` does.
    """

    title: ClassVar[str]
    permission: ClassVar[str]
    form: ClassVar[type[forms.Form]] = ReasonForm
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    # Fields of the form that no error report may show.
    sensitive: ClassVar[tuple[str, ...]] = ()

    # --- What an action says of itself ------------------------------------------------------------------

    def page(self, row: Row) -> Page:
        """What is asked first."""
        raise NotImplementedError

    def confirmation(self, row: Row, given: dict[str, Any]) -> Page:
        """What is asked second, if the form is a `TwoStepForm`."""
        raise NotImplementedError

    def do(self, act: Act[Row]) -> Result:
        """Does it. Returns the sentence that says what was done, which is recorded, or one for each row."""
        raise NotImplementedError

    def afterwards(self, act: Act[Row], done: str) -> str:
        """After the commit: wakes workers. Returns the sentence that the operator reads."""
        return done

    def form_for(self, row: Row, data: QueryDict | None) -> forms.Form:
        """The form, with what was sent; `data` is None while it is only asked."""
        return self.form(data)

    def name_to_type(self, row: Row) -> str:
        """The name that has to be typed, if the act stops a service; empty if it stops none."""
        return ""

    # --- What is the same for all -----------------------------------------------------------------------

    def __get__(self, admin: PageAdmin | None, owner: type | None = None) -> Any:
        return self if admin is None else BoundAction(self, admin)

    def row_for(self, admin: PageAdmin, request: HttpRequest, object_id: str) -> Row:
        """The row that this operator may see and act on. Raises `Http404` and `PermissionDenied`."""
        row: Any = admin.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not admin.has_view_permission(request, row) or not request.user.has_perm(self.permission):
            raise PermissionDenied
        return row  # type: ignore[no-any-return]

    def place(self, admin: PageAdmin, row: Row) -> str:
        """The address of the page that the action belongs to."""
        assert isinstance(row, Model)
        return page_of(row)

    @property
    def action_name(self) -> str:
        """What the record calls it: the class's name in snake case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def subject(self, row: Row) -> Model | None:
        """The row that the record names."""
        assert isinstance(row, Model)
        return row

    def lock(self, row: Row) -> None:
        """Keeps others from changing the row until the act is recorded; after the locks that come before its.

        What is recorded as before and after is then what this act has changed, and nobody else.
        """
        assert isinstance(row, Model)
        lock_row(row)

    def recorded_state(self, admin: PageAdmin, row: Row) -> State | None:
        """What is known of the row before and after the act."""
        assert isinstance(row, Model)
        return admin.recorded_state(row)

    def answer(self, admin: PageAdmin, request: HttpRequest, row: Row) -> HttpResponse:
        """Asks; does it if it was asked and confirmed."""
        form: forms.Form | None = None
        refusals: tuple[type[Exception], ...] = (Refused, *self.refusals)
        is_sent = request.method == "POST"
        try:
            with self.misses_recorded(request, row, "", refusals) if is_sent else nullcontext():
                form = self.whole_form(row, request.POST if is_sent else None)
            answer = self.go_on(admin, request, row, form) if form.is_valid() else None
            return answer or self.ask(admin, request, row, self.page(row), form)
        except refusals as problem:
            return self.refuse(admin, request, row, str(problem))

    def whole_form(self, row: Row, data: QueryDict | None) -> forms.Form:
        """The action's form, with the name to type last."""
        form = self.form_for(row, data)
        if name := self.name_to_type(row):
            form.fields["typed_name"] = NameField(name)
        return form

    def go_on(
        self, admin: PageAdmin, request: HttpRequest, row: Row, form: forms.Form
    ) -> HttpResponse | None:
        """Does it, or asks once more. None if the form has to be filled in again."""
        given, refusals = form.cleaned_data, (Refused, ValidationError, *self.refusals)
        try:
            with self.misses_recorded(request, row, reason_in(given), refusals):
                if isinstance(form, TwoStepForm) and not given["confirmed"]:
                    second = self.confirmation(row, given)
                    form.send_next(confirmed="1")
                    form.hide()
                    return self.ask(admin, request, row, second, form)
                act = Act(request, row, given)
                result = self.perform(admin, act)
        except ValidationError as problem:
            form.add_error(None, problem)
            if isinstance(form, TwoStepForm):
                form.send_next(confirmed="")
            return None
        return self.tell(admin, act, result)

    def misses_recorded(
        self, request: HttpRequest, row: Row, reason: str, refusals: tuple[type[Exception], ...]
    ) -> AbstractContextManager[None]:
        """What is refused or fails within is recorded, with the operator's reason."""
        return misses_recorded(request, self.action_name, lambda: self.subject(row), reason, refusals)

    def perform(self, admin: PageAdmin, act: Act[Row]) -> Result:
        """Does it and records it, both or neither; in English: a lazy text is shown in the operator's own."""
        with english(), transaction.atomic():
            self.lock(act.row)
            before = self.recorded_state(admin, act.row)
            result = self.do(act)
            self.record(admin, act, before, result)
            if isinstance(result, Report):
                REPORTING.there.keep(act.request, self.title, result, self.place(admin, act.row))
        return result

    def record(self, admin: PageAdmin, act: Act[Row], before: State | None, result: Result) -> None:
        """Writes down what was done. What was made has a history of its own, which begins with it."""
        done = RecordedAct(
            action=self.action_name,
            subject=self.subject(act.row),
            before=before,
            after=self.recorded_state(admin, act.row),
            reason=act.reason,
            note=words_of(result),
        )
        RECORDING.there.record(act.request, done)
        if isinstance(result, ShownOnce) and result.back != act.row:
            after = RECORDING.there.state(result.back)
            made = replace(done, subject=result.back, before=None, after=after)
            RECORDING.there.record(act.request, made)

    def ask(
        self, admin: PageAdmin, request: HttpRequest, row: Row, page: Page, form: forms.Form
    ) -> HttpResponse:
        """The page that says what is about to happen, with the form and the button that does it."""
        context = {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "original": row,
            "title": page.title,
            "page": page,
            "form": form,
            "back": self.place(admin, row),
        }
        return TemplateResponse(request, "admin/confirmation.html", context, headers=NOT_STORED)

    def tell(self, admin: PageAdmin, act: Act[Row], result: Result) -> HttpResponse:
        """Back to the page, saying what was done; or to what was done with each row."""
        if isinstance(result, ShownOnce):
            return show_once(admin, act.request, result)
        messages.success(act.request, self.afterwards(act, words_of(result)))
        if isinstance(result, Report):
            return HttpResponseRedirect(REPORTING.there.place(result))
        return HttpResponseRedirect(self.place(admin, act.row))

    def refuse(self, admin: PageAdmin, request: HttpRequest, row: Row, problem: str) -> HttpResponse:
        """Back to the page, saying why not."""
        messages.warning(request, _("Nothing was done. {problem}").format(problem=problem))
        return HttpResponseRedirect(self.place(admin, row))


class ListAction(PageAction[None]):
    """An action above a list; its name stands in `actions_list`. What the form says is recorded."""

    def row_for(self, admin: PageAdmin, request: HttpRequest, object_id: str) -> None:
        if not admin.has_view_permission(request) or not request.user.has_perm(self.permission):
            raise PermissionDenied

    def place(self, admin: PageAdmin, row: None) -> str:
        return reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")

    def subject(self, row: None) -> None:
        """A list is no row."""

    def lock(self, row: None) -> None:
        """The operation locks the rows that it finds."""

    def recorded_state(self, admin: PageAdmin, row: None) -> State | None:
        return None

    def record(self, admin: PageAdmin, act: Act[None], before: State | None, result: Result) -> None:
        wanted = {name: value for name, value in act.given.items() if name not in ("reason", "confirmed")}
        done = RecordedAct(
            action=self.action_name, subject=None, after=wanted, reason=act.reason, note=words_of(result)
        )
        RECORDING.there.record(act.request, done)


@dataclass(frozen=True)
class BoundAction:
    """An action of an admin: what unfold and Django's resolver call."""

    action: PageAction[Any]
    admin: PageAdmin

    # What unfold asks for. Its own `allowed_permissions` would make every start look into the database.
    attrs: ClassVar[dict[str, str]] = {}
    variant: ClassVar[str] = "default"

    @property
    def short_description(self) -> str:
        return self.action.title

    @property
    def permission(self) -> str:
        return self.action.permission

    def __call__(self, request: HttpRequest, object_id: str = "") -> HttpResponse:
        hidden = self.action.sensitive
        view = sensitive_post_parameters(*hidden)(self.view) if hidden else self.view
        return view(request, object_id)

    def view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def subject() -> Model | None:
            return self.admin.row_named(request, object_id)

        with misses_recorded(request, self.action.action_name, subject):
            row = self.action.row_for(self.admin, request, object_id)
        return self.action.answer(self.admin, request, row)


def lock_row(row: Model) -> None:
    """Locks a row as it is in the database until the end of the atomic block."""
    rows = type(row)._base_manager.select_for_update(no_key=True)  # noqa: SLF001 (documented)
    rows.filter(pk=row.pk).values_list("pk").first()


def reason_in(given: dict[str, Any]) -> str:
    """The operator's reason; none if the form asks for none."""
    return str(given.get("reason", ""))


def page_of(obj: Model) -> str:
    """The address of a row's page."""
    name = obj._meta.label_lower.replace(".", "_")  # noqa: SLF001 (documented)
    return reverse(f"admin:{name}_change", args=[quote(obj.pk)])


def show_once(admin: PageAdmin, request: HttpRequest, shown: ShownOnce) -> HttpResponse:
    """The answer to the form that made a secret: the only page that ever shows it."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "original": shown.back,
        "title": shown.title,
        "shown": shown,
        "back": page_of(shown.back),
    }
    return TemplateResponse(request, "admin/shown_once.html", context, headers=NOT_STORED)
