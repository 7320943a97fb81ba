"""Reports by days: each row once, in the order of time, however many are read at once."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from wallet.reports import days
from wallet.reports import report as reports
from wallet.reports.days import Span, by_days
from wallet.reports.period import read_period
from wallet.reports.report import Asked, Batch, Report, Row, read_page, rows_of

AT = datetime(2026, 3, 10, 18, tzinfo=UTC)
ASKED = Asked(read_period("month-to-date", "2026-03-10", AT))
HOUR = timedelta(hours=1)


def early(asked: Asked, span: Span) -> list[Row]:
    """Two on each day whose number is even."""
    if span.since.day % 2:
        return []
    return [Row((span.since + number * HOUR, "early")) for number in (5, 1)]


def late(asked: Asked, span: Span) -> list[Row]:
    return [Row((span.since + 3 * HOUR, "late"))] if span.since.day == 4 else []


def report(read: Any) -> Report:
    return Report(name="r", title="", question="", rule="", note="", columns=(), permissions=(), read=read)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 11, 12, 200])
def test_rows__come_in_order_each_once(size: int) -> None:
    found = [
        (row.values[0].day, row.values[0].hour)
        for row in rows_of(report(by_days([early, late])), ASKED, size)
    ]
    assert found == [
        *((2, 1), (2, 5), (4, 1), (4, 3), (4, 5)),
        *((day, hour) for day in (6, 8, 10) for hour in (1, 5)),
    ]


def test_day__that_is_not_over_ends_now() -> None:
    spans: list[Span] = []

    def noting(asked: Asked, span: Span) -> list[Row]:
        spans.append(span)
        return []

    assert by_days([noting])(ASKED, "", 5) == Batch([])
    assert (spans[0].since, spans[-1].until, len(spans)) == (ASKED.period.since, AT, 10)
    assert all(one.until == other.since for one, other in pairwise(spans))


def test_batch__passes_over_a_bounded_number_of_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "MOST_DAYS", 3)
    read = by_days([late])
    assert read(ASKED, "", 5) == Batch([], "2026-03-04/0")
    assert [row.values[1] for row in rows_of(report(read), ASKED, 5)] == ["late"]


def test_page__looks_on_where_there_is_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "MOST_DAYS", 1)
    found = report(by_days([early, late]))
    assert read_page(found, ASKED, "", 4) == Batch(rows_until(4), "2026-03-04/2")
    assert read_page(found, ASKED, "", 50) == Batch(rows_until(50), "")
    monkeypatch.setattr(reports, "PAGE_SECONDS", -1.0)
    assert read_page(found, ASKED, "", 50) == Batch([], "2026-03-02/0")


def rows_until(number: int) -> list[Row]:
    return list(rows_of(report(by_days([early, late])), ASKED))[:number]


@pytest.mark.parametrize("place", ["x", "2026-03-01", "2026-03-01/x", "x/1"])
def test_place__that_is_none_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        by_days([early])(ASKED, place, 5)


def test_place__of_another_day_goes_on_there() -> None:
    rows = by_days([early, late])(ASKED, f"{date(2026, 3, 4)}/1", 2).rows
    assert [row.values[0].hour for row in rows] == [3, 5]
