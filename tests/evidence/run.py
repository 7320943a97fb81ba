"""One run of pytest with the named tests, and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest


@dataclass
class Result:
    """What became of a test: of each of its parameters, if it has some."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)
    # Why, each reason once.
    skipped: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def outcome(self) -> str:
        """One of `passed`, `failed`, `skipped`, `not run`. A single failure makes it failed, and else
        a single pass makes it passed.
        """
        if self.failures:
            return "failed"
        if self.passed:
            return "passed"
        return "skipped" if self.skipped else "not run"


class Recorder:
    """Notes what pytest tells of each test, from its own process or from workers."""

    def __init__(self, tests: Iterable[str]) -> None:
        self.results = {test: Result() for test in tests}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test, _, parameters = report.nodeid.partition("[")
        result = self.results.setdefault(test, Result())
        result.seconds += report.duration
        if report.failed:
            result.failures.append(failure(report, parameters.rstrip("]")))
        elif report.skipped:
            reason = skip_reason(report)
            result.skipped[reason] = result.skipped.get(reason, 0) + 1
        elif report.when == "call":
            result.passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported fails all of its tests."""
        if report.failed:
            for test, result in self.results.items():
                if test.partition("::")[0] == report.nodeid:
                    result.failures.append("cannot be imported")


def failure(report: pytest.TestReport, parameters: str) -> str:
    """Where and with which parameters; the last line of what pytest says of it."""
    lines = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
    said = lines[0].removeprefix("E").strip() if lines else report.when
    return f"[{parameters}] {said}" if parameters else str(said)


def skip_reason(report: pytest.TestReport) -> str:
    told = report.longrepr
    reason = told[2] if isinstance(told, tuple) else report.longreprtext
    return reason.removeprefix("Skipped: ")


def run_tests(tests: list[str], workers: int) -> dict[str, Result]:
    """Runs them together, in so many processes. Each has a result, whatever happens."""
    recorder = Recorder(tests)
    pytest.main(["-q", "--tb=short", "-n", str(workers), *tests], plugins=[recorder])
    return recorder.results
