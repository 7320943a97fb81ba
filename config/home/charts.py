"""Bars of the last days, drawn on the server: a picture with a name, and beside it a table for everybody."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from lib.backoffice.languages import _

# A bar with the gap after it, and the picture's height, in whole units: no language writes them otherwise.
STEP, HEIGHT = 10, 100
BAR = (
    '<g><title>{0}</title><rect class="wallet-bar-room" x="{1}" y="0" width="8" height="{2}" />'
    '<rect class="wallet-bar" x="{1}" y="{3}" width="8" height="{4}" /></g>'
)


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

    @property
    def drawn(self) -> SafeString:
        """The bars as SVG. A template would take many times longer for as many of them."""
        return format_html_join("", BAR, ((bar.words, bar.x, HEIGHT, bar.y, bar.height) for bar in self.bars))


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
