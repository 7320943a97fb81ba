"""The colours of the pages for players can be read by everybody (WCAG 2.2, AA)."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings

COLOURS = re.compile(r"--([a-z-]+): #([0-9a-f]{3}|[0-9a-f]{6});")
# What stands on what: text needs a contrast of 4.5,
# the edges of controls and the ring of the focus 3 (WCAG 2.2, AA).
PAIRS = [
    *[
        (ink, ground, 4.5)
        for ink in ("ink", "soft", "accent", "accent-strong")
        for ground in ("ground", "card")
    ],
    *[("ink", ground, 4.5) for ground in ("wait-ground", "good-ground", "bad-ground")],
    *[
        ("accent", "wait-ground", 4.5),
        ("on-accent", "accent", 4.5),
        ("on-accent", "accent-strong", 4.5),
        ("good-ground", "good", 4.5),
        ("bad-ground", "bad", 4.5),
    ],
    *[
        ("edge", "ground", 3.0),
        ("edge", "card", 3.0),
        ("accent", "bad-ground", 3.0),
        ("bad", "bad-ground", 3.0),
        ("edge", "wait-ground", 3.0),
    ],
]


def schemes() -> Iterator[dict[str, str]]:
    """The colours by day and by night."""
    css = (settings.BASE_DIR / "payments" / "static" / "payments" / "pages.css").read_text()
    day, _, rest = css.partition("@media (prefers-color-scheme: dark)")
    night = rest.partition("*,")[0]
    for part in (day, night):
        yield {
            name: value if len(value) == 6 else "".join(2 * digit for digit in value)
            for name, value in COLOURS.findall(part)
        }


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_colours__have_enough_contrast_by_day_and_by_night(ink: str, ground: str, least: float) -> None:
    for colours in schemes():
        darker, lighter = sorted((luminance(colours[ink]), luminance(colours[ground])))
        assert (lighter + 0.05) / (darker + 0.05) >= least, (ink, ground, colours[ink], colours[ground])
