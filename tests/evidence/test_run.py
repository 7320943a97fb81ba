"""What becomes of a test is noted once for all of its parameters and phases."""

from typing import Any

import pytest

from tests.evidence.run import Recorder

TEST = "tests/a.py::test_one"


def report(
    id: str = TEST, when: Any = "call", outcome: Any = "passed", longrepr: Any = None
) -> pytest.TestReport:
    return pytest.TestReport(id, ("tests/a.py", 1, "test_one"), {}, outcome, longrepr, when, duration=0.5)


def noted(*reports: pytest.TestReport) -> Any:
    recorder = Recorder([TEST])
    for one in reports:
        recorder.pytest_runtest_logreport(one)
    return recorder.results[TEST]


def test_result__of_nothing_is_not_run() -> None:
    assert noted().outcome == "not run"


def test_result__counts_calls_and_not_phases() -> None:
    result = noted(
        *(report(f"{TEST}[{one}]", when) for one in "ab" for when in ("setup", "call", "teardown"))
    )
    assert (result.outcome, result.passed, result.seconds) == ("passed", 2, 3.0)


def test_result__one_failure_fails_all() -> None:
    failed = report(f"{TEST}[EUR-1]", outcome="failed", longrepr="line\nE   assert 1 == 2\nE    where")
    result = noted(report(f"{TEST}[XAG-1]"), failed)
    assert (result.outcome, result.failures) == ("failed", ["[EUR-1] assert 1 == 2"])


def test_result__failed_set_up_is_a_failure() -> None:
    result = noted(report(when="setup", outcome="failed", longrepr="nothing to see"))
    assert (result.outcome, result.failures) == ("failed", ["setup"])


def test_result__skips_have_their_reasons_once() -> None:
    skip = ("tests/a.py", 1, "Skipped: there is no nginx")
    result = noted(*(report(f"{TEST}[{one}]", "setup", "skipped", skip) for one in "ab"))
    assert (result.outcome, result.skipped) == ("skipped", {"there is no nginx": 2})
    assert noted(report(), report(when="setup", outcome="skipped", longrepr=skip)).outcome == "passed"


def test_result__of_a_file_that_cannot_be_imported_is_a_failure() -> None:
    recorder = Recorder([TEST, "tests/b.py::test_two"])
    recorder.pytest_collectreport(pytest.CollectReport("tests/a.py", "failed", "E ImportError", []))
    assert [result.outcome for result in recorder.results.values()] == ["failed", "not run"]
