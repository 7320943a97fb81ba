"""One run after another, each from where the last one that came to its end had read."""

from datetime import datetime, timedelta

from lib.clock import now
from wallet.job_runs import Run
from wallet.models import JobRun
from wallet.watch.access import watch_access
from wallet.watch.deposits import watch_deposits
from wallet.watch.money_by_hand import watch_money_by_hand
from wallet.watch.standbys import watch_standbys

# What was written before may be committed, and seen, so much later.
MARGIN = timedelta(minutes=2)
FIRST_LOOK = timedelta(hours=1)
RULES = (watch_money_by_hand, watch_access, watch_deposits, watch_standbys)


def watch(run: Run) -> None:
    """Raises an alert for each thing since the last run that a rule names."""
    at = now()
    since = read_up_to() or at - FIRST_LOOK
    for rule in RULES:
        run.done += rule(since - MARGIN, at)
    run.read_up_to = at


def read_up_to() -> datetime | None:
    """How far the last run that came to its end had read."""
    runs = JobRun.objects.filter(task="watch", ended_at__isnull=False, error="").exclude(read_up_to=None)
    return runs.order_by("-began_at", "-pk").values_list("read_up_to", flat=True).first()
