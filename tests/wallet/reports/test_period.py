"""Periods: which days they have, when they begin and end in the platform's zone, and what is none."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from wallet.reports.period import Kind, UnreadablePeriod, in_words, read_period

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "day", "first", "last", "is_over"),
    [
        ("day", "2026-03-31", "2026-03-31", "2026-03-31", False),
        ("day", "2026-03-30", "2026-03-30", "2026-03-30", True),
        ("month-to-date", "2026-03-31", "2026-03-01", "2026-03-31", False),
        ("month-to-date", "2026-02-10", "2026-02-01", "2026-02-10", True),
        ("month", "2026-02-10", "2026-02-01", "2026-02-28", True),
        ("month", "2024-02-10", "2024-02-01", "2024-02-29", True),
        ("month", "2025-12-31", "2025-12-01", "2025-12-31", True),
        ("month", "2026-03-01", "2026-03-01", "2026-03-31", False),
        ("year-to-date", "2026-03-31", "2026-01-01", "2026-03-31", False),
        ("year", "2025-06-30", "2025-01-01", "2025-12-31", True),
        ("year", "2026-01-01", "2026-01-01", "2026-12-31", False),
    ],
)
def test_period__has_these_days(kind: str, day: str, first: str, last: str, is_over: bool) -> None:
    found = read_period(kind, day, NOON)
    assert (str(found.first), str(found.last), found.is_over) == (first, last, is_over)
    assert found.since == datetime.combine(found.first, datetime.min.time(), UTC)
    end = datetime.combine(found.last, datetime.min.time(), UTC) + timedelta(days=1)
    assert found.until == (end if is_over else NOON)


def test_period__without_words_is_today() -> None:
    assert read_period("", "", NOON) == read_period("day", "2026-03-31", NOON)


def test_period__begins_in_the_platforms_zone(settings: Any) -> None:
    settings.PLATFORM_ZONE = "Europe/Vienna"
    # Summer time begins on that day: it has 23 hours.
    found = read_period("day", "2026-03-29", NOON)
    assert found.since == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert found.until == datetime(2026, 3, 29, 22, tzinfo=UTC)
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    assert read_period("", "", late).first == date(2026, 4, 1)
    assert in_words(found) == "2026-03-29 (Europe/Vienna)"
    assert in_words(read_period("month", "2026-04-09", late)) == (
        "2026-04-01 to 2026-04-30 (Europe/Vienna), up to 2026-04-01 00:30:00"
    )


@pytest.mark.parametrize(
    ("kind", "day"),
    [
        ("week", "2026-03-31"),
        ("day", "2026-04-01"),
        ("year", "2027-01-01"),
        ("day", "31.3.2026"),
        ("day", "1999-12-31"),
        ("year", "9999-12-31"),
        ("day", "x"),
    ],
)
def test_period__that_is_none_or_has_not_begun_is_refused(kind: str, day: str) -> None:
    with pytest.raises(UnreadablePeriod):
        read_period(kind, day, NOON)


def test_period__names_a_file() -> None:
    assert read_period(Kind.MONTH.value, "2026-02-10", NOON).name == "month-2026-02-10"
