"""What a run shows while it goes: a line for each check, and all about those that failed."""

import os
import re
import textwrap
from collections.abc import Sequence
from typing import Protocol

from clients.kit import VERSION
from clients.kit.check import Check
from clients.kit.checks import CATEGORIES
from clients.kit.contract import PARAGRAPHS
from clients.kit.runner import Failure, Outcome, Result, Run

GREEN, RED, YELLOW, BOLD, DIM = "32", "31", "33", "1", "2"
WORDS = {Outcome.PASSED: ("ok", GREEN), Outcome.FAILED: ("FAILED", RED), Outcome.SKIPPED: ("skipped", YELLOW)}
TITLES = {category.name: category.title for category in CATEGORIES}
# Exchanges that stand below a failure; the reports have more.
SHOWN_EXCHANGES = 2
MARGIN = "            "
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """A server's text without what would move the cursor, or turn the direction of writing."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Stream(Protocol):
    """Where a run is told: a text file, or what takes its place in `manage.py`."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...

    def isatty(self) -> bool: ...


def list_checks(checks: Sequence[Check], stream: Stream) -> None:
    """A line for each: its id, the contract's paragraph, what it proves."""
    width = max(len(check.id) for check in checks)
    for check in checks:
        stream.write(f"{check.id:<{width}}  {check.paragraph:<19}  {check.title}\n")
    stream.write(f"{len(checks)} checks\n")


class Terminal:
    """Tells a run on a stream; in colour if that is a terminal."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.is_coloured = stream.isatty() and "NO_COLOR" not in os.environ
        self.category = ""
        self.counts: dict[Outcome, int] = {}

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.is_coloured else text

    def line(self, text: str = "") -> None:
        self.stream.write(f"{text}\n")
        self.stream.flush()

    def begin(self, run: Run, count: int) -> None:
        self.line(self.paint(f"wallet-kit {VERSION}", BOLD) + f"   {run.target.url}   {count} checks")
        self.line(f"schema {run.schema_hash}")

    def tell(self, result: Result) -> None:
        """One result, below the heading of its category."""
        if result.check.category != self.category:
            self.end_category()
            self.category = result.check.category
            self.line(f"\n{self.paint(TITLES[self.category], BOLD)}")
        self.counts[result.outcome] = self.counts.get(result.outcome, 0) + 1
        word, colour = WORDS[result.outcome]
        took = self.paint(f"{result.seconds * 1000:6.0f} ms", DIM)
        self.line(f"  {self.paint(f'{word:<8}', colour)}{took}  {result.check.id}  {result.check.title}")
        if result.reason:
            self.line(f"{MARGIN}{result.reason}")
        if result.failure:
            self.explain(result, result.failure)

    def explain(self, result: Result, failure: Failure) -> None:
        """Why it failed, and what went over the wire last."""
        paragraph = f"{failure.paragraph} {PARAGRAPHS[failure.paragraph]}"
        for name, text in (
            ("what", failure.what),
            ("expected", failure.expected),
            ("got", failure.got),
            ("contract", paragraph),
        ):
            self.line(f"{MARGIN}{self.paint(f'{name:<9}', DIM)} {harmless(text)}")
        for exchange in result.exchanges[-SHOWN_EXCHANGES:]:
            self.line(textwrap.indent(harmless(exchange.request), f"{MARGIN}> ", lambda _: True))
            self.line(textwrap.indent(harmless(exchange.answer), f"{MARGIN}< ", lambda _: True))

    def end_category(self) -> None:
        """The sums of the category that is over."""
        if self.category:
            self.line(f"  {', '.join(f'{count} {outcome}' for outcome, count in self.counts.items())}")
        self.counts = {}

    def end(self, run: Run) -> None:
        self.end_category()
        colour = GREEN if run.is_passed else RED
        self.line(f"\n{self.paint(f'Verdict: {run.verdict}', colour)} ({run.seconds:.1f} s)")
        for result in run.results:
            if result.outcome is Outcome.FAILED and result.failure:
                self.line(f"  failed  {result.check.id}  contract {result.failure.paragraph}")
        for result in run.results:
            if result.outcome is Outcome.SKIPPED:
                self.line(f"  skipped {result.check.id}  {result.reason}")
