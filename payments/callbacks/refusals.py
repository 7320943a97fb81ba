"""Providers whose callbacks are refused: a secret that was changed at one side only stops all payments.

Rule: of a provider at least LEAST callbacks were refused within WINDOW, and they are more than SHARE of those
that came. It is over when a callback was accepted since, and none was refused for CALM.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Max, Min, Q, Sum

from lib.clock import in_words, now
from lib.ids import id_at
from payments.callbacks.rejected import KEPT_DAYS
from payments.models import Callback, Provider, RefusalCount, RefusedCallback
from wallet.alerts import clear_alert, raise_alert
from wallet.job_runs import Run
from wallet.models import Alert

Kind = Alert.Kind
LEAST, WINDOW, CALM, SHARE = 3, timedelta(hours=1), timedelta(minutes=1), 0.05
# Accepted ones are counted no further: with so many, only a flood is more than a small share.
MOST_ACCEPTED = 2000
# Orders that an alert names.
MOST_ORDERS = 10


class Refused(NamedTuple):
    """The refusals of a provider since a time: how many, and when the first and last ones were."""

    provider_id: UUID
    times: int
    first: datetime
    last: datetime


class Trouble(NamedTuple):
    """A provider whose callbacks are refused, for whoever has to look after it.

    `times` is how many were refused in the last days, exactly. `kept` of these can be verified again, and
    `orders` are how many orders they name, which nobody has vouched for.
    """

    provider: Provider
    since: datetime
    times: int
    kept: int
    orders: int


# --- The alert --------------------------------------------------------------------------------------------


def watch_callbacks(run: Run) -> None:
    """Raises an alert for each such provider, and ends those that are over."""
    at = now()
    troubled = set[str]()
    for found in refused_since(at - WINDOW):
        provider = Provider.objects.get(pk=found.provider_id)
        run.looked_at += 1
        accepted = count_accepted(provider, at - WINDOW)
        is_much = found.times >= LEAST and found.times > SHARE * (found.times + accepted)
        if is_much and not is_over(found, provider, at):
            troubled.add(provider.slug)
            text = describe(found, provider, accepted)
            run.done += raise_alert(Kind.CALLBACKS_REFUSED, provider.slug, text)
    for alert in Alert.objects.filter(kind=Kind.CALLBACKS_REFUSED, resolved_at=None):
        if alert.subject not in troubled and is_heard(alert.subject, last_refusal(alert.subject), at):
            clear_alert(alert.kind, alert.subject, reason="A callback was accepted again.")


def refused_since(since: datetime, providers: Iterable[UUID] | None = None) -> list[Refused]:
    """What was refused since a time, by provider; of these providers, if they are named."""
    rows = RefusalCount.objects.filter(last_at__gte=since, minute__gte=since - CALM)
    rows = rows if providers is None else rows.filter(provider__in=list(providers))
    sums = rows.values("provider").annotate(sum=Sum("times"), first=Min("minute"), last=Max("last_at"))
    found = sums.order_by("provider")
    return [Refused(row["provider"], row["sum"], row["first"], row["last"]) for row in found]


def count_accepted(provider: Provider, since: datetime) -> int:
    """How many genuine callbacks came since, as far as `MOST_ACCEPTED`."""
    newest = Callback.objects.filter(pk__gte=id_at(since - CALM), received_at__gte=since)
    return len(newest.filter(provider=provider).order_by("-pk").values_list("pk", flat=True)[:MOST_ACCEPTED])


def is_over(found: Refused, provider: Provider, at: datetime) -> bool:
    """Whether nothing was refused lately, and something was accepted after it."""
    return at - found.last >= CALM and is_heard(provider.slug, found.last, at)


def is_heard(slug: str, since: datetime | None, at: datetime) -> bool:
    """Whether a new callback of a provider was accepted lately, after `since`."""
    # The newest rows, by their ids, which are made by other clocks than the database's.
    newest = Callback.objects.filter(pk__gte=id_at(at - WINDOW - WINDOW), outcome__in=Callback.TAKEN)
    heard = newest.filter(provider__slug=slug)
    return (heard if since is None else heard.filter(received_at__gt=since)).exists()


def last_refusal(slug: str) -> datetime | None:
    """When a callback of a provider was last refused."""
    rows = RefusalCount.objects.filter(provider__slug=slug).order_by("-minute")
    return rows.values_list("last_at", flat=True).first()


def describe(found: Refused, provider: Provider, accepted: int) -> str:
    """What operators read: how many, why, and which orders they say they are about."""
    said = [
        f"{found.times:,} callbacks were refused since {in_words(found.first)}, {counted(accepted)} accepted."
    ]
    rows = RefusedCallback.objects.filter(provider=provider, verified_at=None, at__gte=found.first)
    newest = rows.order_by("-pk").values_list("problem", flat=True).first()
    if newest:
        said.append(f"The reason: {newest}")
    likely = rows.filter(is_likely=True).order_by("said_order").values_list("said_order", flat=True)
    orders = list(likely.distinct())
    if orders:
        named = ", ".join(str(id) for id in orders[:MOST_ORDERS])
        more = f", and {len(orders) - MOST_ORDERS:,} more" if len(orders) > MOST_ORDERS else ""
        said.append(f"They name orders that were started there, unverified: {named}{more}.")
    return " ".join(said)


def counted(accepted: int) -> str:
    if accepted >= MOST_ACCEPTED:
        return f"{MOST_ACCEPTED:,} or more were"
    return f"{accepted:,} {'was' if accepted == 1 else 'were'}"


# --- For pages --------------------------------------------------------------------------------------------


def troubles(slug: str | None = None) -> list[Trouble]:
    """The providers that have such an alert, the longest first; by three queries, however many there are."""
    alerts = Alert.objects.filter(kind=Kind.CALLBACKS_REFUSED, resolved_at=None)
    alerts = alerts if slug is None else alerts.filter(subject=slug)
    since = dict(alerts.values_list("subject", "raised_at"))
    kept = Count("refused_callbacks", filter=Q(refused_callbacks__verified_at=None))
    orders = Count(
        "refused_callbacks__said_order",
        filter=Q(refused_callbacks__verified_at=None, refused_callbacks__is_likely=True),
        distinct=True,
    )
    found = list(Provider.objects.filter(slug__in=since).annotate(kept=kept, orders=orders)) if since else []
    times = {one.provider_id: one.times for one in refused_since(kept_since(), [row.pk for row in found])}
    rows = [Trouble(row, since[row.slug], times.get(row.pk, 0), row.kept, row.orders) for row in found]
    return sorted(rows, key=lambda row: row.since)


def kept_since() -> datetime:
    """Since when refused callbacks are kept and counted."""
    return now() - timedelta(days=KEPT_DAYS)
