"""Reports of acts on many rows: kept for whoever acted, the newest ones, and shown as they stand now."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.bulk_reports import MOST_REPORTED, Came, Report, RowOutcome, in_sum
from lib.backoffice.confirmation import page_of
from lib.backoffice.formatting import badge, mono, wrapped
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin, Section
from lib.backoffice.sections import read_page
from lib.backoffice.stored_texts import reworded
from lib.clock import now
from players.logins.factors import operator_of
from players.models import BulkReport

# For each operator; whoever needs more has the audit trail.
MOST_KEPT, PAGE_SIZE = 20, 100
COLOURS = {Came.DONE: "success", Came.WAITING: "info", Came.REFUSED: "warning", Came.FAILED: "danger"}
HEADERS = (_("Row"), _("What came of it"), _("Why"))
GONE = _("It is not kept any more.")
MORE = _("{words} These are the first {number} rows.")


class OwnReports:
    """The keeper: reports are rows of `BulkReport`."""

    def keep(self, request: HttpRequest, title: str, report: Report, back: str) -> None:
        operator, kept = operator_of(request), list(report.outcomes.items())[:MOST_REPORTED]
        more = len(report.outcomes) - len(kept)
        words = format_lazy(MORE, words=report.words, number=f"{MOST_REPORTED:,}") if more else report.words
        BulkReport.objects.create(
            id=report.id,
            operator=operator,
            title=title,
            words=str(words)[:500],
            list=report.model._meta.label_lower,  # noqa: SLF001 (documented)
            outcomes={str(key): [one.came, str(one.words)] for key, one in kept},
            back=back,
            made_at=now(),
        )
        own = BulkReport.objects.filter(operator=operator).order_by("-pk").values_list("pk", flat=True)
        BulkReport.objects.filter(pk__in=list(own[MOST_KEPT : 2 * MOST_KEPT])).delete()

    def place(self, report: Report) -> str:
        return reverse("admin:bulk_report", args=[report.id])


def show_report(request: HttpRequest, id: UUID) -> HttpResponse:
    """The report of an act of one's own: the sums, and a line for each row."""
    report = get_object_or_404(BulkReport, pk=id, operator=operator_of(request))
    page: Any = admin.site._registry[apps.get_model(report.list)]  # noqa: SLF001 (there is no other way to it)
    if not page.has_view_permission(request):
        raise PermissionDenied
    number = read_page(request.GET.get("p", ""))
    outcomes = outcomes_now(request, page, report)
    context = {
        **admin.site.each_context(request),
        "title": reworded(report.title),
        "report": report,
        "words": reworded(report.words),
        "sums": [show_sum(came, count) for came, count in in_sum(list(outcomes.values()))],
        "is_under_way": any(one.came == Came.WAITING for one in outcomes.values()),
        "sections": [lines(request, page, outcomes, number)],
    }
    return TemplateResponse(request, "admin/bulk_report.html", context, headers={"Cache-Control": "no-store"})


def outcomes_now(request: HttpRequest, page: PageAdmin, report: BulkReport) -> dict[UUID, RowOutcome]:
    """What was under way when the act ended, as it stands now; the rest as it was then."""
    kept = {UUID(key): RowOutcome(Came(came), words) for key, (came, words) in report.outcomes.items()}
    waiting = [key for key, one in kept.items() if one.came == Came.WAITING]
    rows = {row.pk: row for row in page.get_queryset(request).filter(pk__in=waiting)}
    later = {
        key: page.came_of(rows[key]) if key in rows else RowOutcome(Came.UNCHANGED, GONE) for key in waiting
    }
    return kept | later


def lines(request: HttpRequest, page: PageAdmin, outcomes: Mapping[UUID, RowOutcome], number: int) -> Section:
    """A page of the rows, those first that did not go well."""
    order = list(reversed(Came))
    keys = sorted(outcomes, key=lambda key: (order.index(outcomes[key].came), key))
    first = (number - 1) * PAGE_SIZE
    shown = keys[first : first + PAGE_SIZE]
    rows = {row.pk: row for row in page.get_queryset(request).filter(pk__in=shown)}
    table = [(named(page, rows.get(key), key), *in_cells(outcomes[key])) for key in shown]
    return Section(
        page.model,
        _("Row by row"),
        HEADERS,
        table,
        _("It was about no row."),
        more=(_("Next"), f"?p={number + 1}") if len(keys) > first + PAGE_SIZE else None,
        back=(_("Before"), f"?p={number - 1}") if number > 1 else None,
    )


def named(page: PageAdmin, row: Any, key: UUID) -> SafeString:
    """A row as a person calls it, linked to its page."""
    if row is None:
        return mono(key)
    return format_html('<a href="{}" class="wallet-link">{}</a>', page_of(row), page.title_of(row))


def in_cells(one: RowOutcome) -> tuple[SafeString, SafeString]:
    return badge(str(one.came.label), COLOURS.get(one.came, "")), wrapped(reworded(one.words))


def show_sum(came: Came, count: str) -> SafeString:
    return badge(f"{count} {came.label}", COLOURS.get(came, ""))
