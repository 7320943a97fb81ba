"""Columns: where they find their values, how these look, and what stands for none."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lib.backoffice import columns
from lib.backoffice.formatting import NOTHING, mono

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
ROW = SimpleNamespace(
    at=AT, never=None, count=1_234_567, note="", name="<b>", game=SimpleNamespace(slug="starfall"), gone=None
)
COLUMNS = [
    (columns.text("x", "game.slug"), "starfall"),
    (columns.text("x", "gone.slug"), NOTHING),
    (columns.text("x", "note", empty="none"), "none"),
    (columns.text("x", lambda row: row.count + 1), 1_234_568),
    (columns.sentence("x", "game.slug"), "Starfall"),
    (columns.number("x", "count"), "1,234,567"),
    (columns.moment("x", "at"), "2026-01-02 03:04:05 UTC"),
    (columns.moment("x", "never"), NOTHING),
    (
        columns.clock("x", "at"),
        '<time class="wallet-time" datetime="2026-01-02T03:04:05.678Z">2026-01-02 03:04:05</time>',
    ),
    (columns.mono("x", "name"), '<span class="wallet-id">&lt;b&gt;</span>'),
    (columns.wrapped("x", "note"), NOTHING),
    (columns.link("x", "nowhere", "never", look=mono, empty="unknown"), "unknown"),
]


@pytest.mark.parametrize(("column", "shown"), COLUMNS)
def test_column__shows_its_value(column: columns.Column, shown: Any) -> None:
    assert column(ROW) == shown


def test_column__is_not_bound_as_a_method() -> None:
    class Page:
        seen = columns.number("times", "count")

    assert (Page().seen(ROW), Page().seen.short_description) == ("1,234,567", "times")


def test_flag__is_shown_as_an_icon() -> None:
    column = columns.flag("kept", "count")
    assert (column.boolean, columns.text("x", "count").boolean) == (True, False)
