"""The audit trail: found by operator, action, outcome, object, address and time, and exported."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.exports import csv_file
from lib.backoffice.filters import SelectedList
from lib.backoffice.formatting import NOTHING, badge, clipped, excerpt, link, wrapped
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.lists import EXPORT
from lib.backoffice.pages import Section
from lib.backoffice.pagination import BigTableAdmin
from lib.backoffice.recorded_acts import Outcome, misses_recorded
from lib.clock import timestamp
from players.audit_trail.conditions import LABELS, found, narrowed
from players.audit_trail.display import READ, changes_of, label_of, said, show, show_outcome
from players.audit_trail.names import name_of
from players.audit_trail.record import SUPERUSER, Origin, record_act
from players.models import AuditEvent

EXPORTING = "export_audit_trail"
# A file of more would be neither read nor opened: the conditions must find fewer.
MOST_EXPORTED = 20_000
EXPORTED: dict[str, Callable[[AuditEvent], Any]] = {
    "id": lambda event: event.pk,
    "time": lambda event: timestamp(event.at),
    "operator": lambda event: event.username,
    "roles": lambda event: " ".join(event.roles),
    "address": lambda event: event.address,
    "request": lambda event: event.request_id,
    "session": lambda event: event.session,
    "action": lambda event: event.action,
    "outcome": lambda event: event.outcome,
    "object type": lambda event: event.subject_type,
    "object id": lambda event: event.subject_id,
    "object": lambda event: event.subject_name,
    "reason": lambda event: event.reason,
    "note": lambda event: event.note,
    "approval": lambda event: event.approval_id,
    "before": lambda event: as_json(event.before),
    "after": lambda event: as_json(event.after),
}


def as_json(state: Mapping[str, Any] | None) -> str:
    return "" if state is None else json.dumps(state, ensure_ascii=False, sort_keys=True)


class Condition(SimpleListFilter):
    """One of `LABELS` in the address of the list. It is entered in the form above the list."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        value = (self.value() or "").strip()
        return narrowed(queryset, str(self.parameter_name), value) if value else queryset


def wanted(given: Mapping[str, str]) -> dict[str, str]:
    """The conditions that an address or a form names."""
    return {name: value for name in LABELS if (value := given.get(name, "").strip())}


def show_operator(event: AuditEvent) -> SafeString:
    """Who acted; that he was a superuser is marked."""
    mark = badge(SUPERUSER, "danger") if SUPERUSER in event.roles else ""
    return format_html("{} {}", clipped(event.username), mark)


def show_object(event: AuditEvent) -> SafeString:
    """The object of an act, linked to its page if there is one."""
    if not event.subject_id:
        return SafeString(NOTHING)
    view = f"{event.subject_type.replace('.', '_')}_change"
    words = f"{kind_of(event)} {event.subject_name}"
    try:
        return link(words, view, event.subject_id)
    except NoReverseMatch:
        return format_html("{}", words)


def kind_of(event: AuditEvent) -> str:
    """What the object is, in words."""
    try:
        return str(apps.get_model(event.subject_type)._meta.verbose_name)  # noqa: SLF001 (documented)
    except (LookupError, ValueError):
        return event.subject_type


class ActList(SelectedList):
    """The acts that meet the conditions."""

    @property
    def empty_words(self) -> str:
        given = wanted({name: str(value) for name, value in self.params.items()})
        return _("No act meets these conditions.") if given else _("No operator has done anything yet.")


@admin.register(AuditEvent)
class AuditEventAdmin(BigTableAdmin):
    """Acts of operators, which nobody changes."""

    list_before_template = "admin/audit_conditions.html"
    list_filter: ClassVar[tuple[Any, ...]] = tuple(
        type(f"{name.capitalize()}Condition", (Condition,), {"title": label, "parameter_name": name})
        for name, label in LABELS.items()
    )
    list_display = ("when", "who", "what", "object_short", "outcome_shown", "address_shown", "said_short")
    head_columns = HeadColumns(["outcome_shown"], ["reason", "note"], ["object_link", "who", "at_utc"])
    fields = (*("roles_shown", "address_shown", "session_shown", "request_shown", "approval_shown"),)

    def title_of(self, row: AuditEvent) -> str:
        return _("{act}, by {username}").format(act=name_of(row.action), username=row.username)

    when = columns.clock(_("when (UTC)"), "at")
    at_utc = columns.moment(_("when"), "at")
    who = columns.text(_("operator"), show_operator)
    roles_shown = columns.text(_("roles held then"), lambda row: ", ".join(row.roles) or NOTHING)
    what = columns.text(_("act"), lambda row: name_of(row.action))
    outcome_shown = columns.text(_("outcome"), show_outcome)
    object_short = columns.text(_("object"), lambda row: wrapped(show_object(row)))
    object_link = columns.text(_("object"), show_object)
    said_short = columns.text(_("note and reason"), lambda row: excerpt(said(row)))
    address_shown = columns.mono(_("address"), "address")
    session_shown = columns.mono(_("session"), "session")
    request_shown = columns.mono(_("request id"), "request_id")
    approval_shown = columns.mono(_("approval"), "approval_id")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SelectedList]:
        return ActList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        given = wanted(request.GET.dict())
        conditions = {
            "conditions": [
                {
                    "name": name,
                    "label": label,
                    "value": given.get(name, ""),
                    "choices": Outcome.choices if name == "outcome" else (),
                    "type": "datetime-local" if name in ("since", "until") else "text",
                }
                for name, label in LABELS.items()
            ],
            "given": given,
            "may_export": request.user.has_perm(EXPORT),
        }
        response: HttpResponse = super().changelist_view(request, {**conditions, **(extra_context or {})})
        return response

    def sections(self, request: HttpRequest, obj: AuditEvent) -> list[Section]:
        return [values_section(obj)]

    def export_list(self, request: HttpRequest) -> HttpResponse:
        """The acts that meet the conditions, as a file; that they were exported is an act too."""
        with misses_recorded(request, EXPORTING, lambda: None):
            if not request.user.has_perms([READ, EXPORT]):
                raise PermissionDenied
            return self.exported(request)

    def exported(self, request: HttpRequest) -> HttpResponse:
        """The file, if the form was sent and asks for no more than a file may hold."""
        given = wanted(request.POST.dict())
        listed = reverse("admin:players_auditevent_changelist", query=given)
        if request.method != "POST":
            return HttpResponseRedirect(listed)
        events = list(found(AuditEvent.objects.all(), given).order_by("-pk")[: MOST_EXPORTED + 1])
        if len(events) > MOST_EXPORTED:
            words = _("More than {number} acts: narrow the conditions.")
            messages.warning(request, words.format(number=f"{MOST_EXPORTED:,}"))
            return HttpResponseRedirect(listed)
        rows = ([read(event) for read in EXPORTED.values()] for event in events)
        with transaction.atomic():
            note = f"{len(events):,} acts were exported."
            record_act(Origin.of(request), action=EXPORTING, subject=None, after=given, note=note)
            return csv_file("audit-trail.csv", list(EXPORTED), rows)


def values_section(event: AuditEvent) -> Section:
    """What was known before and after, side by side; what differs comes first and is marked."""
    before, after = event.before or {}, event.after or {}
    differing = changes_of(event) if event.before is not None and event.after is not None else []
    marked = {name for name, _, _ in differing}
    names = [*marked_first(marked, before, after)]
    rows = [
        (
            badge(label_of(name), "warning") if name in marked else label_of(name),
            wrapped(show(before.get(name))),
            wrapped(show(after.get(name))),
        )
        for name in names
    ]
    headers, empty = (_("Field"), _("Before"), _("After")), _("Nothing is recorded of the object.")
    return Section(AuditEvent, _("Before and after"), headers, rows, empty)


def marked_first(marked: set[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """All recorded names: those that differ, then the others."""
    names = list({**before, **after})
    return [name for name in names if name in marked] + [name for name in names if name not in marked]
