"""A run goes on with whatever file is under way: each batch and its position are one commit."""

import logging
import time
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.texts import storable
from payments.models import ReconciliationFile
from payments.reconciliation import staged
from payments.reconciliation.content import FileRefused
from payments.reconciliation.decisions import follow_approvals
from payments.reconciliation.first_pass import Reading
from payments.reconciliation.leftovers import Ending, Search
from wallet.job_runs import Run

logger = logging.getLogger(__name__)
State = ReconciliationFile.State
# After this a run begins nothing more; another one goes on at once.
RUN_SECONDS = 120.0


class Pass(Protocol):
    def go_on(self) -> bool:
        """The next batch; False after the last."""


PASSES: dict[str, Callable[[ReconciliationFile], Pass]] = {
    State.READING: Reading,
    State.SEARCHING: Search,
    State.ENDING: Ending,
}


def reconcile_due(run: Run) -> bool:
    """Goes on with the files that are under way, the oldest first. One run at a time. Returns whether all are
    done.
    """
    ends = time.monotonic() + RUN_SECONDS
    follow_approvals()
    under_way = ReconciliationFile.objects.filter(state__in=ReconciliationFile.WORKED_ON).order_by("pk")
    for id in list(under_way.values_list("pk", flat=True)):
        if not has_time(ends):
            return False
        run.looked_at += 1
        try:
            run.done += compare_file(id, ends)
        except FAILURES as problem:
            drop_unfit_connection(problem)
            run.failed += 1
            logger.exception("the comparison of file %s cannot go on", id)
    return not under_way.exists() or bool(run.failed)


def has_time(ends: float) -> bool:
    return time.monotonic() < ends


def compare_file(id: UUID, ends: float) -> bool:
    """Goes on with a file until a time. Returns whether it has come to its end."""
    file = ReconciliationFile.objects.select_related("source").get(pk=id)
    try:
        if file.state == State.READING and not file.lines_read:
            staged.clear(file.pk)
        while file.state in PASSES:
            one = PASSES[file.state](file)
            while one.go_on():
                if not has_time(ends):
                    return False
    except FileRefused as problem:
        fail(file.pk, str(problem))
    return True


def fail(id: UUID, problem: str) -> None:
    """The file cannot be compared; the differences that were found stay."""
    staged.clear(id)
    ReconciliationFile.objects.filter(pk=id).update(
        state=State.FAILED, problem=storable(problem, 255), ended_at=now()
    )
