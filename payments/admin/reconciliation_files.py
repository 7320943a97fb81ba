"""Files that are compared with the ledger: uploaded in parts, with a bar that says how far they have come."""

import json
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from lib.backoffice import columns
from lib.backoffice.conditions import choice, read_moment, since, slugs, until
from lib.backoffice.confirmation import Act, ListAction, Page, PageAction, lock_row, page_of
from lib.backoffice.exports import csv_stream
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, moment
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, english
from lib.backoffice.pages import Section, actor
from lib.backoffice.pagination import read_number
from lib.backoffice.recorded_acts import RECORDING, RecordedAct, misses_recorded
from lib.backoffice.recorded_forms import acts_section
from lib.texts import storable
from payments.admin.difference_words import KINDS
from payments.models import Difference, ReconciliationFile, ReconciliationSource
from payments.nudges import nudge
from payments.reconciliation.decision_files import HEADERS, rows_of
from payments.reconciliation.files import PART_SIZE, NotTaken, add_part, begin_file, compare_again, end_file
from payments.reconciliation.leftovers import covered_by
from payments.reconciliation.progress import progress_of
from payments.tasks import reconcile_task

UPLOAD, DECIDE = "payments.upload_reconciliation", "payments.decide_difference"
State = ReconciliationFile.State
# What the record calls what is sent and fetched without a page of an action.
BEGINNING, ENDING, EXPORTING = "upload", "upload_file", "export_differences"
COLOURS = {State.DONE: "success", State.FAILED: "danger", State.WAITING: "warning"}
NO_TIMES = _("Not looked for: nothing says which time the file covers.")
NOT_STORED = {"Cache-Control": "no-store"}


class Upload(ListAction):
    """The page from which a browser sends a file, in parts that every web server takes."""

    title, permission = _("Upload a file"), UPLOAD

    def answer(self, admin: Any, request: HttpRequest, row: None) -> HttpResponse:
        if request.method == "POST":
            return begun(request)
        context = {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": _("Upload a file"),
            "sources": ReconciliationSource.objects.order_by("name"),
            "chosen": request.GET.get("source", ""),
            "back": self.place(admin, row),
        }
        return TemplateResponse(request, "admin/payments/upload.html", context, headers=NOT_STORED)


def begun(request: HttpRequest) -> HttpResponse:
    """A file is about to arrive: where its parts go."""
    try:
        with misses_recorded(request, BEGINNING, lambda: None, refusals=(NotTaken,)):
            file = begin(request)
    except NotTaken as problem:
        return told(problem.args[0])
    base = reverse("admin:payments_reconciliationfile_changelist")
    return JsonResponse({"place": f"{base}{file.pk}/", "partSize": PART_SIZE}, headers=NOT_STORED)


def begin(request: HttpRequest) -> ReconciliationFile:
    """Makes it as the page asks, and records that. Raises `NotTaken`."""
    given = read_json(request)
    source = ReconciliationSource.objects.filter(name=storable(str(given.get("source")), 40)).first()
    if source is None:
        raise NotTaken(_("Choose a source."))
    times = [read_period(given.get(name)) for name in ("from", "until")]
    size = given.get("size")
    with english(), transaction.atomic():
        file = begin_file(
            source,
            name=str(given.get("name", "")),
            size=size if isinstance(size, int) else 0,
            actor=actor(request.user),
            covers_from=times[0],
            covers_until=times[1],
        )
        after = RECORDING.there.state(file)
        RECORDING.there.record(request, RecordedAct(action=BEGINNING, subject=file, after=after))
    return file


def end(request: HttpRequest, file: ReconciliationFile) -> ReconciliationFile:
    """All its parts were sent; recorded once, however often it is said. Raises `NotTaken`."""
    with english(), transaction.atomic():
        lock_row(file)
        before = RECORDING.there.state(file)
        ended = end_file(file)
        after = RECORDING.there.state(file)
        if after != before:
            note = f"{ended.name}: {ended.size} bytes."
            done = RecordedAct(action=ENDING, subject=ended, before=before, after=after, note=note)
            RECORDING.there.record(request, done)
    return ended


def read_json(request: HttpRequest) -> dict[str, Any]:
    try:
        given = json.loads(request.body)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def read_period(text: Any) -> datetime | None:
    return read_moment(text) if isinstance(text, str) and text else None


def told(problem: Any) -> JsonResponse:
    return JsonResponse({"problem": str(problem)}, headers=NOT_STORED)


class CompareAgain(PageAction[ReconciliationFile]):
    """Compares the same bytes with the ledger as it is now."""

    title, permission = _("Compare again"), UPLOAD
    refusals = (NotTaken,)

    def page(self, row: ReconciliationFile) -> Page:
        says = [
            _("All rows are read again, as the columns and the ledger are now."),
            _("Differences that are no more are closed; what was accepted stays accepted."),
        ]
        return Page(_("Compare this file again?"), says, _("Compare again"))

    def do(self, act: Act[ReconciliationFile]) -> str:
        compare_again(act.row)
        return _("The file is being compared again.")

    def afterwards(self, act: Act[ReconciliationFile], done: str) -> str:
        nudge(reconcile_task)
        return done


class States(Selections):
    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection(_("All"), empty=_("No file has been compared with the ledger yet.")),
        "under_way": Selection(
            _("Under way"),
            lambda rows: rows.exclude(state__in=(State.DONE, State.FAILED)),
            empty=_("No file is under way."),
        ),
        "failed": Selection(
            _("Failed"), lambda rows: rows.filter(state=State.FAILED), empty=_("No file has failed.")
        ),
    }


@admin.register(ReconciliationFile)
class ReconciliationFileAdmin(SelectingAdmin):
    """A file, and what its comparison has found."""

    list_filter = (States,)
    conditions = (
        since(),
        until(),
        choice("source", _("Source"), "source_id", slugs(ReconciliationSource, "name")),
    )
    reads_standby = False
    actions_list = ("upload",)
    actions_detail = ("again",)
    upload, again = Upload(), CompareAgain()
    empty_text = _("No file has been compared with the ledger yet.")
    change_form_outer_before_template = "admin/payments/reconciliation_file.html"
    head_columns = HeadColumns(["shown_state"], ["problem_shown"], ["source_link", "began", "by"])
    fields = (
        *("rows_shown", "matched_shown", "by_amount", "edges", "decided"),
        *("covers", "size_shown", "digest", "ended"),
    )

    began_clock = columns.clock(_("uploaded (UTC)"), "began_at")
    began = columns.moment(_("uploaded"), "began_at")
    ended = columns.moment(_("ended"), "ended_at")
    name_shown = columns.clipped(_("file"), "name")
    source_name = columns.text(_("source"), "source.name")
    source_link = columns.link(
        _("source"), "payments_reconciliationsource_change", "source_id", "source.name"
    )
    by = columns.text(_("uploaded by"), "uploaded_by")
    shown_state = columns.text(
        _("state"), lambda row: badge(str(row.get_state_display()), COLOURS.get(State(row.state), "info"))
    )
    problem_shown = columns.text(_("problem"), "problem", empty="")
    rows_shown = columns.number(_("rows"), "rows")
    matched_shown = columns.number(_("known here"), "matched")
    by_amount = columns.number(_("of these by amount and time"), "matched_by_amount")
    edges = columns.text(
        _("at the edges of its time, and not looked for"),
        lambda row: f"{row.at_edges:,}" if covered_by(row) else NO_TIMES,
    )
    found_shown = columns.number(_("differences"), "found")
    decided = columns.number(_("differences that were decided before"), "decided_before")
    covers = columns.text(
        _("covers"),
        lambda row: (
            _("{since} until {until}").format(since=moment(found.since), until=moment(found.until))
            if (found := covered_by(row))
            else NOTHING
        ),
    )
    size_shown = columns.text(_("size"), lambda row: f"{row.size:,} B")
    digest = columns.mono("SHA-256", "digest")

    class Media:
        js = ("payments/reconciliation.js",)

    def title_of(self, row: ReconciliationFile) -> str:
        return row.name

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
        return ("began_clock", "name_shown", "source_name", "shown_state", "rows_shown", "found_shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReconciliationFile]:
        rows: QuerySet[ReconciliationFile] = super().get_queryset(request)
        return rows.select_related("source__game", "source__provider")

    def pointless_actions(self, id: UUID) -> set[str]:
        over = ReconciliationFile.objects.filter(pk=id, state__in=(State.DONE, State.FAILED))
        return set() if over.filter(parts__isnull=False).exists() else {"again"}

    def sections(self, request: HttpRequest, obj: ReconciliationFile) -> list[Section]:
        return [kinds_section(obj), acts_section(request, obj, 1)]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        obj = kwargs.get("obj")
        if obj:
            context["progress"] = progress_of(obj)
            context["may_decide"] = request.user.has_perm(DECIDE)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        views = {
            "<uuid:id>/part/": ("part", self.take_part),
            "<uuid:id>/end/": ("end", self.take_end),
            "<uuid:id>/progress/": ("progress", self.tell_progress),
            "<uuid:id>/differences.csv": ("differences", self.export_differences),
        }
        own = [
            path(place, self.admin_site.admin_view(view), name=f"payments_reconciliationfile_{name}")
            for place, (name, view) in views.items()
        ]
        return [*own, *super().get_urls()]

    def sent_file(self, request: HttpRequest, id: UUID) -> ReconciliationFile:
        """A file whose parts this operator may send."""
        if not request.user.has_perm(UPLOAD):
            raise PermissionDenied
        return self.file_of(request, id)

    def file_of(self, request: HttpRequest, id: UUID) -> ReconciliationFile:
        file = ReconciliationFile.objects.select_related("source").filter(pk=id).first()
        if file is None:
            raise Http404
        if not self.has_view_permission(request, file):
            raise PermissionDenied
        return file

    def take_part(self, request: HttpRequest, id: UUID) -> HttpResponse:
        file, number = self.sent_file(request, id), read_number(request.GET.get("number", ""))
        if request.method != "POST":
            return HttpResponseRedirect(page_of(file))
        try:
            arrived = add_part(file, number or 0, request.body)
        except NotTaken as problem:
            return told(problem.args[0])
        return JsonResponse({"arrived": arrived}, headers=NOT_STORED)

    def take_end(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """All parts were sent. That they were is recorded as an act."""
        with misses_recorded(request, ENDING, lambda: self.row_named(request, str(id))):
            file = self.sent_file(request, id)
        if request.method != "POST":
            return HttpResponseRedirect(page_of(file))
        try:
            with misses_recorded(request, ENDING, lambda: file, refusals=(NotTaken,)):
                ended = end(request, file)
        except NotTaken as problem:
            return told(problem.args[0])
        nudge(reconcile_task)
        columns_page = reverse("admin:payments_reconciliationsource_choose_columns", args=[file.source_id])
        place = columns_page if ended.state == State.WAITING else page_of(ended)
        return JsonResponse({"place": place}, headers=NOT_STORED)

    def tell_progress(self, request: HttpRequest, id: UUID) -> HttpResponse:
        found = progress_of(self.file_of(request, id))
        told = {"percent": found.percent, "words": str(found.words), "isOver": found.is_over}
        return JsonResponse(told, headers=NOT_STORED)

    def export_differences(self, request: HttpRequest, id: UUID) -> HttpResponseBase:
        """Those of the file that wait for a decision, with columns to enter it."""
        with misses_recorded(request, EXPORTING, lambda: self.row_named(request, str(id))):
            file = self.file_of(request, id)
            if not request.user.has_perm(DECIDE):
                raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(page_of(file))
        with misses_recorded(request, EXPORTING, lambda: file), transaction.atomic():
            state, note = RECORDING.there.state(file), f"Differences of {file.name} were exported."
            done = RecordedAct(action=EXPORTING, subject=file, before=state, after=state, note=note)
            RECORDING.there.record(request, done)
            return csv_stream("differences.csv", HEADERS, rows_of(file))


def kinds_section(file: ReconciliationFile) -> Section:
    """How many differences there are of each kind, and how many wait for a decision."""
    rows = Difference.objects.filter(file=file).values("kind").annotate(number=Count("pk")).order_by("kind")
    waiting = dict(
        Difference.objects.filter(file=file, state__in=Difference.UNDECIDED)
        .values_list("kind")
        .annotate(number=Count("pk"))
    )
    listed = reverse("admin:payments_difference_changelist")
    table = [
        (
            link_to(f"{listed}?state=all&file={file.pk}&kind={row['kind']}", KINDS[row["kind"]][0]),
            f"{row['number']:,}",
            f"{waiting.get(row['kind'], 0):,}",
        )
        for row in rows
    ]
    headers = (_("Kind"), _("Differences"), _("Undecided"))
    return Section(
        Difference, _("What differs"), headers, table, _("Nothing differs, as far as it was compared.")
    )


def link_to(address: str, text: Any) -> Any:
    return format_html('<a href="{}" class="wallet-link">{}</a>', address, text)
