"""How often a game called, and how long its calls took."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, Sum

from lib.backoffice.formatting import NOTHING, moment, mono
from lib.backoffice.languages import _
from lib.backoffice.sections import Section
from players.models import Game
from wallet.call_hours import LATE, percentile
from wallet.models import CallHour, CallLogReading

DAY, WEEK = timedelta(days=1), timedelta(days=7)
HEADERS = (
    _("Endpoint"),
    _("Calls in 24 h"),
    _("p50"),
    _("p99"),
    _("Calls in 7 days"),
    _("p50 in 7 days"),
    _("p99 in 7 days"),
    _("Refused"),
    _("Repeats"),
    _("Late"),
)


@dataclass(slots=True)
class EndpointCalls:
    """The calls to an endpoint by bucket of time, of a day and of a week; the rest is of the week."""

    day: Counter[int] = field(default_factory=Counter)
    week: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    repeats: int = 0
    late: int = 0


def read_calls(game: Game, at: datetime) -> dict[str, EndpointCalls]:
    """What is summed up of the last seven days, by endpoint, by one query."""
    hours = CallHour.objects.filter(game=game, hour__gt=at - WEEK)
    rows = hours.values("endpoint", "bucket").annotate(
        week=Sum("calls"),
        day=Sum("calls", filter=Q(hour__gt=at - DAY), default=0),
        refusals=Sum("refused"),
        repeated=Sum("repeats"),
        lates=Sum("late"),
    )
    found: dict[str, EndpointCalls] = {}
    for row in rows.order_by("endpoint", "bucket"):
        calls = found.setdefault(row["endpoint"], EndpointCalls())
        calls.day[row["bucket"]] += row["day"]
        calls.week[row["bucket"]] += row["week"]
        calls.refused += row["refusals"]
        calls.repeats += row["repeated"]
        calls.late += row["lates"]
    return found


def calls_by_game(at: datetime) -> dict[Any, int]:
    """How often each game called in the last 24 hours."""
    hours = CallHour.objects.filter(hour__gt=at - DAY)
    return dict(hours.values("game_id").annotate(number=Sum("calls")).values_list("game_id", "number"))


def read_up_to() -> datetime | None:
    """The moment up to which calls are summed up."""
    return CallLogReading.objects.values_list("up_to", flat=True).first()


def calls_section(calls: dict[str, EndpointCalls], up_to: datetime | None) -> Section:
    """The table of a game's page."""
    return Section(
        CallHour,
        _("Calls and their times"),
        HEADERS,
        [row_of(endpoint, one) for endpoint, one in calls.items()],
        _("No call that names a transaction in the last seven days."),
        note=note_of(up_to),
    )


def note_of(up_to: datetime | None) -> str:
    words = _(
        "Of the calls that name a transaction, as the call log has them up to {time}. Half of the calls took "
        "at most p50, 99 of 100 at most p99: milliseconds within the platform, estimated from counts by "
        "classes of time. Late are confirmations more than {minutes} minutes after the opening."
    )
    return words.format(time=moment(up_to), minutes=LATE // timedelta(minutes=1))


def row_of(endpoint: str, calls: EndpointCalls) -> tuple[Any, ...]:
    return (
        mono(endpoint),
        f"{calls.day.total():,}",
        took(calls.day, 0.5),
        took(calls.day, 0.99),
        f"{calls.week.total():,}",
        took(calls.week, 0.5),
        took(calls.week, 0.99),
        f"{calls.refused:,}",
        f"{calls.repeats:,}",
        f"{calls.late:,}",
    )


def took(calls: Counter[int], share: float) -> str:
    """A percentile in milliseconds."""
    found = percentile(calls, share)
    return NOTHING if found is None else f"{found:,.1f} ms"
