"""Job runs: the periodic jobs of the platform, and their outcomes."""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, until
from lib.backoffice.filters import Rows, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, moment
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.stored_texts import reworded
from lib.clock import WalletNow
from wallet.models import JobRun

# A sweep's time limit ends it before this.
SWEEP_LOST = timedelta(minutes=10)
# What each job does, by its name in the code.
SWEEPS = {
    "settle_due": _("Settle due transactions"),
    "deliver_due": _("Deliver paid orders"),
    "settle_refunds": _("Settle refunds"),
    "push_events": _("Send events"),
    "expire_orders": _("Expire unpaid orders"),
    "tell_alerts": _("Tell people of alerts"),
    "watch_callbacks": _("Watch for refused callbacks"),
    "verify_refused": _("Verify refused callbacks again"),
    "query_payments": _("Ask providers about payments"),
    "reconcile": _("Compare files with the ledger"),
    "expire_approvals": _("End requests that nobody decided"),
    "end_exclusions": _("End exclusions whose time is over"),
}
CHECKS = {
    "link_acts": _("Chain the audit trail"),
    "watch": _("Watch for unusual money and access"),
    "fold_figures": _("Sum up the figures of the first page"),
    "fold_calls": _("Sum up calls of games"),
    "number_events": _("Number events"),
    "audit_recent": _("Audit what changed lately"),
    "audit_all": _("Audit the whole ledger"),
    "daily_totals": _("Sum up finished days"),
    "make_checkpoint": _("Sign a checkpoint"),
    "purge_expired": _("Remove what has expired"),
}
JOBS = {**SWEEPS, **CHECKS}
TASKS = tuple(JOBS)
NEWEST = (F("began_at").desc(), "-pk")


def lost_after(task: str) -> timedelta:
    """The time after which a run without an end is lost."""
    return SWEEP_LOST if task not in CHECKS else max(SWEEP_LOST, timedelta(seconds=settings.CHECK_TIME_LIMIT))


def show_outcome(run: Any) -> SafeString:
    """The outcome of a run, read with `seen_at`, the time of reading."""
    if run.error:
        return badge(_("aborted"), "danger")
    if run.ended_at is None:
        return (
            badge(_("lost"), "warning")
            if run.seen_at - run.began_at > lost_after(run.task)
            else badge(_("running"), "info")
        )
    if run.failed:
        return badge(_("{number} failed").format(number=f"{run.failed:,}"), "danger")
    return badge(_("finished"), "success")


def lasted(run: JobRun) -> str:
    """How long a run took, in seconds."""
    return f"{(run.ended_at - run.began_at).total_seconds():,.1f} s" if run.ended_at else NOTHING


def tally(run: JobRun) -> str:
    """What a run looked at, and what came of it, in a sentence."""
    if not run.looked_at:
        return _("It found nothing to do.")
    words = (
        _("It looked at {all}: {done} done, {failed} failed.")
        if run.failed
        else _("It looked at {all}: {done} done.")
    )
    return words.format(all=f"{run.looked_at:,}", done=f"{run.done:,}", failed=f"{run.failed:,}")


def failed(rows: Rows) -> Rows:
    return rows.filter(Q(failed__gt=0) | ~Q(error=""))


class Outcomes(Selections):
    """Most runs have no work."""

    title = _("outcome")
    parameter_name = "outcome"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection(_("All runs"), order=NEWEST),
        "busy": Selection(
            _("With work"),
            lambda rows: rows.filter(looked_at__gt=0),
            NEWEST,
            _("No run had any work."),
        ),
        "failed": Selection(_("Failed"), failed, NEWEST, _("No run has failed.")),
        "unfinished": Selection(
            _("Unfinished"), lambda rows: rows.filter(ended_at=None), NEWEST, _("Every run has finished.")
        ),
    }


@admin.register(JobRun)
class JobRunAdmin(SelectingAdmin):
    """One run of a periodic job. Old runs are purged."""

    list_display = (
        "began_clock",
        "job",
        "outcome",
        "took",
        "looked_shown",
        "done_shown",
        "failed_shown",
        "words",
        "worker_shown",
    )
    list_filter = (Outcomes,)
    conditions = (choice("task", _("Job"), "task", JOBS.items), since("began_at"), until("began_at"))
    empty_text = _("Runs are recorded once a worker and beat are started.")
    head_columns = HeadColumns(["outcome"], ["tally", "said"], ["began", "took"])
    fields = ("job", "ended", "worker_shown")

    job = columns.text(_("job"), lambda row: JOBS.get(row.task, row.task))
    began_clock = columns.clock(_("started (UTC)"), "began_at")
    began = columns.moment(_("started"), "began_at")
    ended = columns.moment(_("ended"), "ended_at")
    outcome = columns.text(_("outcome"), show_outcome)
    took = columns.text(_("duration"), lasted)
    looked_shown = columns.number(_("items"), "looked_at")
    done_shown = columns.number(_("done"), "done")
    failed_shown = columns.number(_("failed"), "failed")

    words = columns.excerpt(_("note or error"), lambda row: row.error or reworded(row.note))
    tally = columns.text(_("tally"), tally)
    said = columns.text(_("note or error"), lambda row: row.error or reworded(row.note))
    worker_shown = columns.mono(_("worker"), "worker")

    def title_of(self, row: JobRun) -> str:
        return f"{JOBS.get(row.task, row.task)}, {moment(row.began_at)}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobRun]:
        runs: QuerySet[JobRun] = super().get_queryset(request)
        return runs.annotate(seen_at=WalletNow())
