"""Runs checks one after another, and says what came of each."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from clients.kit.check import Check
from clients.kit.expectations import Skipped, Unmet
from clients.kit.parties import Target
from clients.kit.redaction import Redactor
from clients.kit.trial import Trial
from clients.kit.wire import Exchange, Record, Wire


class Outcome(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Failure:
    """What differed, without secrets, and the paragraph of the contract that is not kept."""

    what: str
    expected: str
    got: str
    paragraph: str


@dataclass(frozen=True, slots=True)
class Result:
    """One check as it went. `exchanges` are its last ones, `calls` counts all."""

    check: Check
    outcome: Outcome
    seconds: float
    calls: int
    exchanges: Sequence[Exchange]
    failure: Failure | None = None
    # Why it was skipped.
    reason: str = ""


@dataclass
class Run:
    """The checks of one server."""

    target: Target
    redactor: Redactor
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    schema_hash: str = ""
    # How many checks were to run; less were, if somebody interrupted it.
    planned: int = 0
    results: list[Result] = field(default_factory=list)
    shared: dict[str, Any] = field(default_factory=dict)

    def run(self, checks: Sequence[Check]) -> Iterator[Result]:
        """Each result as it comes."""
        wire, self.planned = self.target.wire(), len(checks)
        try:
            for check in checks:
                result = self.run_one(check, wire)
                self.results.append(result)
                self.seconds = time.monotonic() - self.began
                yield result
        finally:
            wire.close()

    def run_one(self, check: Check, wire: Wire) -> Result:
        record, began = Record(self.redactor), time.monotonic()
        outcome, failure, reason = self.attempt(check, Trial(self.target, wire, record, self.shared))
        seconds = time.monotonic() - began
        return Result(check, outcome, seconds, record.count, record.exchanges, failure, reason)

    def attempt(self, check: Check, trial: Trial) -> tuple[Outcome, Failure | None, str]:
        """What came of it, and why."""
        clean = self.redactor.clean
        try:
            check.body(trial)
        except Skipped as why:
            return Outcome.SKIPPED, None, clean(str(why))
        except Unmet as unmet:
            paragraph = unmet.paragraph or check.paragraph
            told = Failure(clean(unmet.what), clean(unmet.expected), clean(unmet.got), paragraph)
            return Outcome.FAILED, told, ""
        except Exception as problem:  # noqa: BLE001 (a check that cannot read an answer has failed)
            got = clean(f"{type(problem).__name__}: {problem}")
            told = Failure("The answer", "an answer that the check can read", got, check.paragraph)
            return Outcome.FAILED, told, ""
        return Outcome.PASSED, None, ""

    def count(self, outcome: Outcome, category: str = "") -> int:
        """How many checks came out so, in all or in a category."""
        return sum(
            result.outcome == outcome and category in ("", result.check.category) for result in self.results
        )

    @property
    def is_passed(self) -> bool:
        is_whole = len(self.results) == self.planned
        return is_whole and self.count(Outcome.FAILED) == 0 and self.count(Outcome.PASSED) > 0

    @property
    def verdict(self) -> str:
        """The result in words."""
        failed, skipped, done = self.count(Outcome.FAILED), self.count(Outcome.SKIPPED), len(self.results)
        if failed:
            words = f"failed: {failed} of {done} checks"
        elif done < self.planned:
            words = f"interrupted after {done} of {self.planned} checks"
        else:
            words = "passed" if self.is_passed else "nothing was proven"
        return f"{words}, {skipped} skipped" if skipped else words
