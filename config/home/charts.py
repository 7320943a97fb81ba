"""Bars of the last days, drawn on the server: a picture with a name, and beside it a table for everybody."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from lib.backoffice.languages import _

# A bar with the gap after it, and the picture's height, in whole units: no language writes them otherwise.
STEP, HEIGHT = 10, 100


class Bar(NamedTuple):
    """One day's bar: where it is, how high, and what it stands for in words."""

    x: int
    y: int
    height: int
    words: str


class Chart(NamedTuple):
    """A picture of bars with its caption, and in words what it shows."""

    title: str
    bars: list[Bar]
    words: str

    @property
    def width(self) -> int:
        return STEP * len(self.bars)

    @property
    def height(self) -> int:
        return HEIGHT


def chart(title: str, values: dict[date, int], show: Callable[[int], str]) -> Chart | None:
    """A bar for each day; nothing if all are nothing. What is below nothing has no bar."""
    most = max(values.values(), default=0)
    if most <= 0:
        return None
    bars = [bar(place, day, value, most, show) for place, (day, value) in enumerate(values.items())]
    highest = next(day for day, value in values.items() if value == most)
    today = list(values.values())[-1]
    words = _("Highest on {day}: {most}. Today so far: {today}.")
    return Chart(title, bars, words.format(day=highest, most=show(most), today=show(today)))


def bar(place: int, day: date, value: int, most: int, show: Callable[[int], str]) -> Bar:
    height = HEIGHT * max(value, 0) // most
    return Bar(place * STEP, HEIGHT - height, height, f"{day}: {show(value)}")
