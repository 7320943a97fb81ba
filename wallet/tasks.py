"""What beat starts and what nudges start: each task is safe to run twice, at any time, or not at all until
the next.
"""

import logging
from collections.abc import Callable

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from players.approvals.operations import expire_due
from players.exclusions import end_exclusions
from wallet.alert_messages.worker import tell_alerts
from wallet.audit.daily_totals import close_days
from wallet.audit.operators_acts import link_acts
from wallet.audit.scheduled import audit_all, audit_recent
from wallet.call_hours import fold_calls
from wallet.checkpoints import make_checkpoint
from wallet.events.positions import number_all
from wallet.figures import fold_figures
from wallet.job_runs import Run, alone, recorded
from wallet.models import Pulse
from wallet.outages import leave_pulse
from wallet.retention import purge_expired
from wallet.settlement.sweep import settle_due
from wallet.watch.worker import watch

logger = logging.getLogger(__name__)
# The checks read the whole ledger, and wait in a queue of their own (CELERY_TASK_ROUTES) so that nothing
# waits for them.
CHECK = {"soft_time_limit": settings.CHECK_TIME_LIMIT - 60, "time_limit": settings.CHECK_TIME_LIMIT}


def run_alone(task: str, work: Callable[[Run], object]) -> None:
    """Does `work` with a run's row, unless another worker does it at this moment."""
    with alone(task) as is_ours:
        if is_ours:
            with recorded(task) as run:
                work(run)


@shared_task(name="wallet.pulse")
def pulse() -> None:
    """A message has come through the queue to a worker."""
    leave_pulse(Pulse.Part.QUEUE)


@shared_task(name="wallet.settle_due")
def settle_due_task() -> None:
    """Settles what is due.

    Several may run at once; one that has not finished in its time is followed by another. What follows is
    dropped if nobody has taken it when beat begins the next, so that runs do not pile up.
    """
    with recorded("settle_due") as run:
        is_finished = settle_due(run)
    if not is_finished:
        try:
            settle_due_task.apply_async(expires=settings.SETTLE_SECONDS)
        except (OperationalError, RedisError, OSError) as problem:
            logger.warning("no further run can be begun: %s", type(problem).__name__)


@shared_task(name="wallet.tell_alerts")
def tell_alerts_task() -> None:
    """Tells people of alerts."""
    run_alone("tell_alerts", tell_alerts)


@shared_task(name="wallet.watch", **CHECK)
def watch_task() -> None:
    """Looks for what people should hear of."""
    run_alone("watch", watch)


@shared_task(name="wallet.audit_recent", **CHECK)
def audit_recent_task() -> None:
    """Replays the wallets that something happened to lately."""
    run_alone("audit_recent", audit_recent)


@shared_task(name="wallet.audit_all", **CHECK)
def audit_all_task() -> None:
    """Replays the whole ledger."""
    run_alone("audit_all", audit_all)


@shared_task(name="wallet.link_acts", **CHECK)
def link_acts_task() -> None:
    """Chains the acts of operators that were recorded lately."""
    run_alone("link_acts", link_acts)


@shared_task(name="wallet.daily_totals", **CHECK)
def daily_totals_task() -> None:
    """Sums up the days that are over."""
    run_alone("daily_totals", close_days)


@shared_task(name="wallet.fold_figures", **CHECK)
def fold_figures_task() -> None:
    """Sums up what the admin's first page shows."""
    run_alone("fold_figures", fold_figures)


@shared_task(name="wallet.fold_calls", **CHECK)
def fold_calls_task() -> None:
    """Sums up what the pages about games' integrations show."""
    run_alone("fold_calls", fold_calls)


@shared_task(name="wallet.number_events", **CHECK)
def number_events_task() -> None:
    """Gives positions to events that nobody has read yet."""
    run_alone("number_events", number_all)


@shared_task(name="wallet.make_checkpoint", **CHECK)
def make_checkpoint_task() -> None:
    """Verifies the last checkpoint, and makes the next."""
    run_alone("make_checkpoint", make_checkpoint)


@shared_task(name="wallet.expire_approvals")
def expire_approvals_task() -> None:
    """Ends requests for a second person that nobody decided in time."""
    with recorded("expire_approvals") as run:
        run.looked_at = run.done = expire_due()


@shared_task(name="wallet.end_exclusions")
def end_exclusions_task() -> None:
    """Frees players whose self-exclusion has reached its end."""
    with recorded("end_exclusions") as run:
        run.looked_at = run.done = end_exclusions()


@shared_task(name="wallet.purge_expired", **CHECK)
def purge_expired_task() -> None:
    """Clears what is kept for a time only."""
    run_alone("purge_expired", purge_expired)
