"""The texts of a page that were not marked for translation: what is left without marked texts and data."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from tests.german.marked_language import BEGIN, END

MARKS = re.compile(f"([{BEGIN}{END}])")
ATTRIBUTES = ("aria-label", "title", "placeholder", "alt", "aria-description")
VOID = {*("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr")}
# Nobody reads them, or they hold names and moments, which no language has.
SILENT = {"script", "style", "template", "svg", "time", "code", "pre", "bdi"}
DATA = {"wallet-id", "wallet-name", "wallet-clip", "material-symbols-outlined", "wallet-time"}
# Actors, numbers, amounts, moments, addresses, hashes, what tests call things (game-0f3a…), constants, slugs.
NO_WORDS = re.compile(
    r"\b(game|machine|operator|provider|worker):\S*|"
    r"https?://\S+|\S+@\S+|/[\w/.-]+/|\b[0-9a-fA-F]{6,}\b|\b[\w.]+-[\w.-]*\b|\b\w*\d\w*\b|\b[A-Z][A-Z0-9_]+\b|\b\w+[_.]\w+\b"
)
WORD = re.compile(r"[A-Za-zÄÖÜäöüß]{2,}")
# The same in both languages, or names.
SAME = {
    *("Quantum", "Wallet", "English", "Deutsch", "Name", "Status", "Token", "Code", "Port"),
    "Standard",
    "ms",
}


class Reader(HTMLParser):
    """Collects what stands outside of marks, in texts and in attributes that are read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.depth = 0
        self.found: list[str] = []

    @property
    def is_silent(self) -> bool:
        return bool(self.open) and self.open[-1][1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        is_data = given.get("lang") == "en" or not DATA.isdisjoint(given.get("class", "").split())
        is_silent = self.is_silent or is_data or tag in SILENT
        if not is_silent:
            self.found += [part for name in ATTRIBUTES for part in outside(given.get(name, ""))[0]]
        if tag not in VOID:
            self.open.append((tag, is_silent))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        parts, self.depth = outside(data, self.depth)
        if not self.is_silent:
            self.found += parts


def outside(text: str, depth: int = 0) -> tuple[list[str], int]:
    """What of a text stands outside of marks, and how many marks are open after it."""
    parts = []
    for part in MARKS.split(text):
        depth += (part == BEGIN) - (part == END)
        if depth == 0 and part.strip(f" \n{END}"):
            parts.append(" ".join(part.split()))
    return parts, depth


def unmarked(page: str, names: Iterable[str] = (), given: Iterable[str] = ()) -> list[str]:
    """The texts of a page that no one marked, without data.

    Of a test's data, `names` are whole texts, and what was `given` stands anywhere in one.
    """
    reader = Reader()
    reader.feed(page)
    assert reader.depth == 0, "a marked text was cut off"
    own = sorted({*map(re.escape, given)}, key=len, reverse=True)
    data = re.compile(rf"\b({'|'.join(own)})\b" if own else "$")
    texts = {text: NO_WORDS.sub(" ", data.sub(" ", text)) for text in set(reader.found) - set(names)}
    return sorted(text for text, left in texts.items() if set(WORD.findall(left)) - SAME)
