"""Job runs: what the platform did by itself, and whether it came to an end."""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.filters import Rows, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, clock, moment, mono
from lib.clock import WalletNow
from wallet.models import JobRun

# A sweep is killed by its time limit before this.
SWEEP_LOST = timedelta(minutes=10)
CHECKS = ("audit_recent", "audit_all", "daily_totals", "make_checkpoint", "purge_expired")
TASKS = ("settle_due", "deliver_due", "settle_refunds", "expire_orders", *CHECKS)
NEWEST = (F("began_at").desc(), "-pk")


def lost_after(task: str) -> timedelta:
    """After what time without an end nobody works on a run any more."""
    return SWEEP_LOST if task not in CHECKS else max(SWEEP_LOST, timedelta(seconds=settings.CHECK_TIME_LIMIT))


def show_outcome(run: Any) -> SafeString:
    """How a run ended, read with `seen_at`, the time of reading."""
    if run.error:
        return badge("broken off", "danger")
    if run.ended_at is None:
        return (
            badge("lost", "warning")
            if run.seen_at - run.began_at > lost_after(run.task)
            else badge("under way", "info")
        )
    return badge(f"{run.failed:,} failed", "danger") if run.failed else badge("finished", "success")


def lasted(run: JobRun) -> str:
    """How long a run took, in seconds."""
    return f"{(run.ended_at - run.began_at).total_seconds():,.1f} s" if run.ended_at else NOTHING


def failed(rows: Rows) -> Rows:
    return rows.filter(Q(failed__gt=0) | ~Q(error=""))


class Tasks(Selections):
    title = "task"
    parameter_name = "task"
    orders = False
    offered: ClassVar[dict[str, Selection]] = {
        "": Selection("Every task"),
        **{name: Selection(name, lambda rows, name=name: rows.filter(task=name)) for name in TASKS},  # type: ignore[misc]
    }


class Outcomes(Selections):
    """Most runs find nothing to do."""

    title = "outcome"
    parameter_name = "outcome"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection("All runs", order=NEWEST),
        "busy": Selection(
            "With something to do",
            lambda rows: rows.filter(looked_at__gt=0),
            NEWEST,
            "No run found anything to do.",
        ),
        "failed": Selection("Failed", failed, NEWEST, "No run has failed."),
        "unfinished": Selection(
            "Not finished", lambda rows: rows.filter(ended_at=None), NEWEST, "Every run has come to its end."
        ),
    }


@admin.register(JobRun)
class JobRunAdmin(SelectingAdmin):
    """One run of a sweep. Old ones are cleared."""

    list_display = (
        "began_clock",
        "task",
        "outcome",
        "took",
        "looked_shown",
        "done_shown",
        "failed_shown",
        "words",
        "worker_shown",
    )
    list_filter = (Outcomes, Tasks)
    empty_text = "Runs appear when a worker and beat are started."
    fields = (
        "task",
        "outcome",
        "began",
        "ended",
        "took",
        "looked_shown",
        "done_shown",
        "failed_shown",
        "note_shown",
        "error_shown",
        "worker_shown",
    )

    @admin.display(description="began (UTC)")
    def began_clock(self, obj: JobRun) -> SafeString:
        return clock(obj.began_at)

    @admin.display(description="began")
    def began(self, obj: JobRun) -> str:
        return moment(obj.began_at)

    @admin.display(description="ended")
    def ended(self, obj: JobRun) -> str:
        return moment(obj.ended_at)

    @admin.display(description="outcome")
    def outcome(self, obj: JobRun) -> SafeString:
        return show_outcome(obj)

    @admin.display(description="took")
    def took(self, obj: JobRun) -> str:
        return lasted(obj)

    @admin.display(description="looked at")
    def looked_shown(self, obj: JobRun) -> str:
        return f"{obj.looked_at:,}"

    @admin.display(description="done")
    def done_shown(self, obj: JobRun) -> str:
        return f"{obj.done:,}"

    @admin.display(description="failed")
    def failed_shown(self, obj: JobRun) -> str:
        return f"{obj.failed:,}"

    @admin.display(description="note or error")
    def words(self, obj: JobRun) -> SafeString:
        text = obj.error or obj.note or NOTHING
        return format_html('<span class="wallet-clip wallet-wide" title="{}">{}</span>', text, text)

    @admin.display(description="note")
    def note_shown(self, obj: JobRun) -> str:
        return obj.note or NOTHING

    @admin.display(description="error")
    def error_shown(self, obj: JobRun) -> str:
        return obj.error or NOTHING

    @admin.display(description="worker")
    def worker_shown(self, obj: JobRun) -> SafeString:
        return mono(obj.worker)

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobRun]:
        runs: QuerySet[JobRun] = super().get_queryset(request)
        return runs.annotate(seen_at=WalletNow())
