"""A language whose texts are the English ones within marks: what has none was not marked for translation."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import trans_real

BEGIN, END = "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}", "\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}"
CONTEXT = "\x04"


class MarkedTexts:
    """What Django asks of a catalogue."""

    def gettext(self, text: str) -> str:
        return f"{BEGIN}{text.rpartition(CONTEXT)[2]}{END}" if text else text

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)


@contextmanager
def marked_german() -> Iterator[None]:
    """German is the marked language within."""
    german: Any = trans_real.translation("de")
    marked: Any = copy.copy(german)
    marked.gettext, marked.ngettext = MarkedTexts().gettext, MarkedTexts().ngettext
    known: dict[str, Any] = trans_real._translations  # type: ignore[attr-defined]
    known["de"] = marked
    try:
        yield
    finally:
        known["de"] = german
