"""Providers whose callbacks are refused: a secret that was changed at one side only stops all payments.

Rule: of a provider at least LEAST callbacks were refused within WINDOW, and none was accepted since the first
of them.
"""

from datetime import datetime, timedelta

from django.db.models import Count, Min

from lib.clock import now
from payments.models import Callback, Provider, RefusedCallback
from wallet.alerts import clear_alert, raise_alert
from wallet.job_runs import Run
from wallet.models import Alert
from wallet.retention import first_id

Kind = Alert.Kind
# What is kept of them is a sample: one a second of each process, and a hundred of each provider.
LEAST, WINDOW = 3, timedelta(minutes=10)


def watch_callbacks(run: Run) -> None:
    """Raises an alert for each such provider, and ends those that are over."""
    at = now()
    recent = RefusedCallback.objects.filter(at__gte=at - WINDOW).values("provider")
    for found in recent.annotate(times=Count("pk"), first=Min("at")).order_by("provider"):
        provider = Provider.objects.get(pk=found["provider"])
        run.looked_at += 1
        if found["times"] >= LEAST and not is_heard(provider.slug, found["first"], at):
            text = f"At least {found['times']} callbacks were refused since {found['first']:%H:%M:%S} UTC."
            run.done += raise_alert(Kind.CALLBACKS_REFUSED, provider.slug, text)
    for alert in Alert.objects.filter(kind=Kind.CALLBACKS_REFUSED, resolved_at=None):
        if is_heard(alert.subject, alert.last_seen_at, at):
            clear_alert(alert.kind, alert.subject, reason="A callback was accepted again.")


def is_heard(slug: str, since: datetime, at: datetime) -> bool:
    """Whether a new callback of a provider was accepted lately, after `since`."""
    # The newest rows, by their ids, which are made by other clocks than the database's.
    newest = Callback.objects.filter(pk__gte=first_id(at - WINDOW - WINDOW), outcome__in=Callback.TAKEN)
    return newest.filter(provider__slug=slug, received_at__gt=since).exists()
