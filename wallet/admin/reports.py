"""The pages of reports: all of them, and one with its period, as a page, a file, or a page to print."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from lib.backoffice.confirmation import NOT_STORED
from lib.backoffice.exports import csv_stream
from lib.backoffice.formatting import link, mono
from lib.backoffice.languages import _, english
from lib.backoffice.lists import EXPORT
from lib.backoffice.own_changes import own_change
from lib.backoffice.pages import Section
from lib.backoffice.recorded_acts import RECORDING, RecordedAct, misses_recorded
from lib.backoffice.standby_words import read_from
from lib.clock import in_words, now
from lib.standby import STANDBY
from wallet.admin.report_cells import (
    counted,
    file_headers,
    file_rows,
    headers,
    is_number,
    shown_row,
    total_rows,
    verdict_on,
)
from wallet.admin.report_forms import Form, read_form
from wallet.models import ClosedDay
from wallet.reports import period
from wallet.reports.registry import REPORTS
from wallet.reports.report import Asked, Report, Row, Totals, read_page, rows_of, sum_up

EXPORTING = "export_report"
PAGE = 50
# More rows are for a file, not for paper.
MOST_PRINTED = 2_000
TOO_LONG = _("More than {number} rows are too many to print: take the file, or a shorter period.")


def allowed(request: HttpRequest) -> list[Report]:
    """The reports that this operator may see."""
    return [one for one in REPORTS.values() if request.user.has_perms(one.permissions)]


def find_report(request: HttpRequest, name: str) -> Report:
    """Raises `Http404`, or `PermissionDenied` for a report that is not for this operator."""
    if name not in REPORTS:
        raise Http404
    if REPORTS[name] not in allowed(request):
        raise PermissionDenied
    return REPORTS[name]


def show_reports(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """All reports, and what each answers."""
    reports = allowed(request)
    if not reports:
        raise PermissionDenied
    rows = [(link(one.title, "report", one.name), one.question, mono(one.rule)) for one in reports]
    listed = Section(ClosedDay, _("All reports"), (_("Report"), _("Answers"), _("Asked by")), rows, "")
    context = {**site.each_context(request), "title": _("Reports"), "sections": [listed]}
    return TemplateResponse(request, "admin/wallet/reports.html", context)


def show_report(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """One report: its form, what all rows come to, and a page of them."""
    report = find_report(request, name)
    form = read_form(report, request.GET, now())
    context = {
        **site.each_context(request),
        "title": report.title,
        "report": report,
        "form": form,
        "may_export": request.user.has_perm(EXPORT),
    }
    if form.asked:
        shown = partial(rows_shown, report, form.asked, form.given, request.GET.get("after", ""))
        context |= STANDBY.read(shown, own_change(request))
    return TemplateResponse(request, "admin/wallet/report.html", context, headers=NOT_STORED)


def rows_shown(report: Report, asked: Asked, given: dict[str, str], place: str) -> dict[str, Any]:
    """A page of rows; the first page has the totals of all. Raises `Http404` for what is no place."""
    try:
        batch = read_page(report, asked, place, PAGE)
    except ValueError as problem:
        raise Http404 from problem
    rows = [shown_row(report, row) for row in batch.rows]
    following = urlencode(given | {"after": batch.following}) if batch.following else ""
    found = {
        "period": period.in_words(asked.period),
        "table": Section(ClosedDay, report.title, headers(report), rows, ""),
        "first": urlencode(given) if place else "",
        "following": following,
        "is_empty": not (rows or place or following),
        "read_from": read_from(),
    }
    return found if place else found | shown_totals(report, sum_up(report, asked))


def shown_totals(report: Report, totals: Totals) -> dict[str, Any]:
    """What stands at the top, and the sums, if they are those of all rows."""
    sums = total_rows(report, totals) if totals.is_whole else []
    return {
        "verdict": verdict_on(report, totals),
        "counted": counted(totals),
        "has_faults": totals.faults > 0,
        "totals": Section(ClosedDay, _("Totals"), headers(report), sums, "") if sums else None,
    }


def export_report(site: AdminSite, request: HttpRequest, name: str) -> HttpResponseBase:
    """The report as a file, or as a page to print; that it was exported is an act."""
    with misses_recorded(request, EXPORTING, lambda: None):
        report = find_report(request, name)
        if not request.user.has_perm(EXPORT):
            raise PermissionDenied
    page = reverse("admin:report", args=[name])
    if request.method != "POST":
        return HttpResponseRedirect(page)
    form = read_form(report, request.POST, now())
    if form.asked is None:
        return HttpResponseRedirect(f"{page}?{urlencode(form.given)}")
    with misses_recorded(request, EXPORTING, lambda: None):
        if request.POST.get("as") == "page":
            return printed(request, report, form.asked, form)
        record_export(request, report, form.asked, form)
        rows = file_rows(report, rows_of(from_standby(report), form.asked))
        return csv_stream(f"{report.name}-{form.asked.period.name}.csv", file_headers(report), rows)


def from_standby(report: Report) -> Report:
    """The same, each batch of which is read from the standby, if that serves."""

    def read(*given: Any) -> Any:
        return STANDBY.read(lambda: report.read(*given))

    return replace(report, read=read)


@english()
def record_export(request: HttpRequest, report: Report, asked: Asked, form: Form) -> None:
    """Before the first row is sent."""
    note = f"{report.title} was exported: {period.in_words(asked.period)}."
    with transaction.atomic():
        act = RecordedAct(
            action=EXPORTING, subject=None, after={"report": report.name, **form.given}, note=note
        )
        RECORDING.there.record(request, act)


def printed(request: HttpRequest, report: Report, asked: Asked, form: Form) -> HttpResponse:
    """A page without menus. More rows than that leads back to the report."""
    back = f"{reverse('admin:report', args=[report.name])}?{urlencode(form.given)}"
    rows = list(islice(rows_of(from_standby(report), asked), MOST_PRINTED + 1))
    if len(rows) > MOST_PRINTED:
        messages.warning(request, TOO_LONG.format(number=f"{MOST_PRINTED:,}"))
        return HttpResponseRedirect(back)
    record_export(request, report, asked, form)
    context = {
        "report": report,
        "period": period.in_words(asked.period),
        "chosen": chosen(form),
        "headers": [(label, is_number(report, place)) for place, label in enumerate(headers(report))],
        "rows": [shown_row(report, row) for row in rows],
        **shown_totals(report, added_up(report, rows)),
        "made": in_words(now()),
        "back": back,
    }
    return TemplateResponse(request, "admin/wallet/printed_report.html", context, headers=NOT_STORED)


def added_up(report: Report, rows: list[Row]) -> Totals:
    totals = Totals()
    for row in rows:
        totals.add(report, row)
    return totals


def chosen(form: Form) -> Iterator[tuple[Any, Any]]:
    """What narrows the report, besides its period: labels and values in words."""
    for field in form.fields[2:]:
        if field.value:
            yield field.label, dict(field.choices)[field.value]
