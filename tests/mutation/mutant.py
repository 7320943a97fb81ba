"""One small mistake in one file."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """The text from `start` to `end` of a file, replaced by `new`."""

    path: str
    start: int
    end: int
    new: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]

    def told(self, text: str) -> str:
        """`file:line: before → after`, by the lines that differ."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end)
        before = text[first : last if last >= 0 else len(text)]
        after = text[first : self.start] + self.new + text[self.end : last if last >= 0 else len(text)]
        line = text.count("\n", 0, self.start) + 1
        return f"{self.path}:{line}: {shown(before)}  →  {shown(after)}"


def shown(lines: str) -> str:
    """On one line, and not too long."""
    text = " ".join(lines.split())
    return text if len(text) <= 140 else text[:137] + "…"


class Verdict(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"  # a test waits for ever, which is noticed too
    STILLBORN = "stillborn"  # could not be installed or imported


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a mutant; `seconds` of wall time."""

    mutant: Mutant
    verdict: Verdict
    seconds: float
    killer: str
