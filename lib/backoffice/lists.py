"""What every list can: be narrowed by a form, be exported so, and show a row as it is stored."""

import json
import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import label_for_field, lookup_field, unquote
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags

from lib.backoffice import conditions
from lib.backoffice.chosen_columns import ColumnsInAddress
from lib.backoffice.conditions import Condition
from lib.backoffice.exports import csv_stream
from lib.backoffice.formatting import NOTHING, moment
from lib.backoffice.languages import _, english
from lib.backoffice.own_changes import own_change
from lib.backoffice.recorded_acts import RECORDING, RecordedAct, misses_recorded
from lib.database import FAILURES
from lib.standby import ALIAS, STANDBY, reader

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    AnyAdmin = ModelAdmin[Any]
else:
    AnyAdmin = object

EXPORT, EXPORTING = "players.export", "export_list"
# A file of more would be neither read nor opened.
MOST_EXPORTED = 20_000
ROWS_AT_ONCE = 500
# The whole of what a cell shows cut off.
WHOLE = re.compile(r'<(?:span|bdi) class="wallet-[^"]*" title="([^"]*)"')


class NarrowedList(AnyAdmin):
    """A list with `conditions`, besides its other filters."""

    conditions: ClassVar[tuple[Condition, ...]] = ()

    def get_list_filter(self, request: HttpRequest) -> Any:
        offered = super().get_list_filter(request)
        return (*offered, *conditions.filters_of(self.conditions), ColumnsInAddress)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        is_condition = lookup in {one.name for one in self.conditions}
        return is_condition or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def condition_fields(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The form's fields, with what the address says."""
        return [
            {
                "name": one.name,
                "label": one.label,
                "value": request.GET.get(one.name, ""),
                "choices": list(one.choices()) if one.choices else (),
                "type": one.type,
            }
            for one in self.conditions
        ]


class ExportedList(AnyAdmin):
    """A list that whoever has `EXPORT` keeps as a file, as far as it is narrowed."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_list), name=name), *super().get_urls()]

    def export_list(self, request: HttpRequest) -> HttpResponseBase:
        """The rows of the list in their order, streamed; that they were exported is an act."""
        with misses_recorded(request, EXPORTING, lambda: None):
            if not (self.has_view_permission(request) and request.user.has_perm(EXPORT)):
                raise PermissionDenied
            return self.exported_list(request)

    def exported_list(self, request: HttpRequest) -> HttpResponseBase:
        query = QueryDict(request.POST.get("query", ""))
        listed = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        if request.method != "POST":
            return HttpResponseRedirect(listed)
        request.GET = query
        changelist = self.get_changelist_instance(request)
        rows = changelist.get_queryset(request)
        is_too_long, place = self.measure(request, rows)
        if is_too_long:
            words = _("More than {number} rows: narrow the list first.")
            messages.warning(request, words.format(number=f"{MOST_EXPORTED:,}"))
            return HttpResponseRedirect(f"{listed}?{query.urlencode()}")
        self.record_list_export(request, query)
        names = [str(name) for name in changelist.list_display if name != "action_checkbox"]
        with english():
            headers = [str(label_for_field(name, self.model, model_admin=self)) for name in names]
        return csv_stream(
            f"{self.opts.model_name}.csv", ["key", *headers], self.listed_rows(rows.using(place), names)
        )

    def measure(self, request: HttpRequest, rows: QuerySet[Any]) -> tuple[bool, str]:
        """Whether there are more rows than a file may have, and the database that they are read from."""

        def measured() -> tuple[bool, str]:
            return rows[MOST_EXPORTED : MOST_EXPORTED + 1].exists(), reader().alias

        if not self.reads_standby:  # type: ignore[attr-defined]
            return measured()
        return STANDBY.read(measured, own_change(request))

    @english()
    def record_list_export(self, request: HttpRequest, query: QueryDict) -> None:
        """Before the first row is sent. What was searched for may say something of a person, and is kept."""
        about = {"list": str(self.opts.verbose_name_plural), **query.dict()}
        note = f"The list of {self.opts.verbose_name_plural} was exported."
        with transaction.atomic():
            act = RecordedAct(action=EXPORTING, subject=None, after=about, note=note)
            RECORDING.there.record(request, act)

    def listed_rows(self, rows: QuerySet[Any], names: Sequence[str]) -> Iterator[list[Any]]:
        for row in read_surely(rows[:MOST_EXPORTED]):
            yield [row.pk, *(as_text(lookup_field(name, row, self)[2]) for name in names)]


def read_surely(rows: QuerySet[Any]) -> Iterator[Any]:
    """Each row once. If the standby fails meanwhile, the primary has the rest, in whatever order."""
    sent = set()
    if rows.db == ALIAS:
        try:
            for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
                sent.add(row.pk)
                yield row
        except FAILURES as problem:
            STANDBY.note_failure(problem)
        else:
            return
    for row in rows.using(DEFAULT_DB_ALIAS).iterator(chunk_size=ROWS_AT_ONCE):
        if row.pk not in sent:
            yield row


def as_text(value: Any) -> str:
    """What a cell shows, whole and without its looks."""
    if value is None or value == NOTHING:
        return ""
    html = str(value)
    whole = WHOLE.search(html)
    text = unescape(whole[1] if whole else strip_tags(html)).strip()
    return "" if text == NOTHING else text


class RawRow(AnyAdmin):
    """A page of a row as it is stored, without what is secret."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_raw"
        view = self.admin_site.admin_view(self.raw)
        # Before the others: Django leads whatever it does not know to a row's page.
        return [path("<path:object_id>/raw/", view, name=name), *super().get_urls()]

    def raw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if self.shows_person:  # type: ignore[attr-defined]
            RECORDING.there.record_look(request, row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": "JSON",
            "json": as_json(row),
        }
        return TemplateResponse(request, "admin/raw.html", context, headers={"Cache-Control": "no-store"})


def as_json(row: Model) -> str:
    """A row's columns, as the audit trail would have them: never a secret, nor what others have sent."""
    return json.dumps(RECORDING.there.state(row), ensure_ascii=False, indent=2)


def looked_back_to(key: Any) -> str:
    """How far conditions have looked back, as a person reads it; empty if they looked at all rows."""
    if key is None:
        return ""
    at = conditions.made_at(key)
    newest = _("the newest {number} rows")
    return moment(at) if at else newest.format(number=f"{conditions.MOST_LOOKED_THROUGH:,}")


def is_searched(request: HttpRequest) -> bool:
    """Whether the list is one of a search, which an index has narrowed already."""
    return bool(request.GET.get(SEARCH_VAR))
