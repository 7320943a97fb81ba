"""Forms of the admin whose acts are recorded with before and after, and the history that comes of it."""

import json
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms.models import _get_foreign_key
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from lib.backoffice.languages import _, english
from lib.backoffice.recorded_acts import RECORDING, RecordedAct, State, misses_recorded
from lib.backoffice.sections import Section, read_page

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    UnfoldAdmin = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin

HISTORY_HEADERS = (
    *(_("When (UTC)"), _("Operator"), _("Act"), _("Outcome"), _("Changed"), _("Reason and note")),
)


class RecordedForms(UnfoldAdmin):
    """Records what its form does, in the atomic block of the save, in place of Django's log."""

    # Exceptions of its saving that mean: not possible now.
    form_refusals: ClassVar[tuple[type[Exception], ...]] = ()

    @english()
    def recorded_state(self, row: Model) -> State | None:
        """What is known of a row before and after an act, with the rows of the page's inlines."""
        state = RECORDING.there.state(row)
        return {**state, **self.inline_states(row)} if state and self.inlines else state

    def inline_states(self, row: Model) -> dict[str, Any]:
        """The rows of the page's inlines, by their model's name."""
        found = {}
        for inline in self.inlines:
            link = _get_foreign_key(self.model, inline.model).name
            rows = inline.model._base_manager.filter(**{link: row.pk}).order_by("pk")  # noqa: SLF001 (documented)
            name = str(inline.model._meta.verbose_name_plural)  # noqa: SLF001 (documented)
            found[name] = [RECORDING.there.state(one) for one in rows]
        return found

    def action_name(self, verb: str) -> str:
        """What the record calls an act of this form."""
        return f"{verb}_{self.opts.model_name}"

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Keeps the row as it is before the save, and keeps others from changing it meanwhile."""
        if change:
            row = self.model._base_manager.select_for_update(of=("self",)).get(pk=form.instance.pk)  # noqa: SLF001 (documented)
            request.state_before = self.recorded_state(row)  # type: ignore[attr-defined]
        return super().save_form(request, form, change)

    @english()
    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        act = RecordedAct(
            action=self.action_name("add"),
            subject=obj,
            after=self.recorded_state(obj),
            note=in_words(message),
        )
        RECORDING.there.record(request, act)

    @english()
    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        act = RecordedAct(
            action=self.action_name("change"),
            subject=obj,
            before=getattr(request, "state_before", None),
            after=self.recorded_state(obj),
            reason=request.POST.get("reason", "")[:255],
            note=in_words(message),
        )
        RECORDING.there.record(request, act)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view = super().changeform_view
        if request.method != "POST":
            return view(request, object_id, form_url, extra_context)
        action = self.action_name("change" if object_id else "add")
        subject, refusals = lambda: self.row_named(request, object_id), self.form_refusals
        with misses_recorded(request, action, subject, refusals=refusals):
            return view(request, object_id, form_url, extra_context)

    def row_named(self, request: HttpRequest, object_id: str | None) -> Model | None:
        """The row with this key in an address, if there is one."""
        return self.get_object(request, unquote(object_id)) if object_id else None

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A row's acts, newest first, in place of Django's history."""
        row = self.row_named(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": _("History: {row}").format(row=row),
            "sections": [acts_section(request, row, read_page(request.GET.get("p", "")))],
        }
        return TemplateResponse(request, "admin/history.html", context)


def acts_section(request: HttpRequest, row: Model, number: int) -> Section:
    """Page `number` of the acts on a row, as a table."""
    rows, has_more = RECORDING.there.history(request, row, number)
    return Section(
        type(row),
        _("Acts of operators"),
        HISTORY_HEADERS,
        rows,
        _("No operator has acted on it."),
        more=(_("Older"), f"?p={number + 1}") if has_more else None,
        back=(_("Newer"), f"?p={number - 1}") if number > 1 else None,
    )


def in_words(message: Any) -> str:
    """What Django says of a saved form, as a sentence."""
    text = message if isinstance(message, str) else json.dumps(message)
    return str(LogEntry(change_message=text).get_change_message())
