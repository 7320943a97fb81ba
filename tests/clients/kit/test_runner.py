import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from clients.kit.check import Body, Check
from clients.kit.expectations import Skipped, Unmet
from clients.kit.parties import Login, Target
from clients.kit.reports.json_report import write_json
from clients.kit.runner import Outcome, Run
from clients.kit.trial import Trial

TARGET = Target("http://127.0.0.1:9", Login("g", "secret-1", "a"), Login("o", "p2", "b"), Login("f", "p3"))


def passing(trial: Trial) -> None:
    """Proves nothing."""


def raising(problem: BaseException) -> Body:
    def body(trial: Trial) -> None:
        raise problem

    return body


@pytest.fixture
def run_bodies() -> Callable[..., Run]:
    def run(*bodies: Body) -> Run:
        run = Run(TARGET, TARGET.redactor())
        checks = [Check(f"happy.{number}", "A title", "2.3", body) for number, body in enumerate(bodies)]
        with suppress(KeyboardInterrupt):
            list(run.run(checks))
        return run

    return run


def test_run__tells_what_differed_without_secrets(run_bodies: Callable[..., Run]) -> None:
    run = run_bodies(raising(Unmet("The answer", "yes", "no, secret-1")), passing)
    failure = run.results[0].failure
    assert failure is not None
    assert (failure.expected, failure.got, failure.paragraph) == ("yes", "no, [hidden]", "2.3")
    assert (run.verdict, run.is_passed) == ("failed: 1 of 2 checks", False)


def test_run__names_the_paragraph_of_the_difference(run_bodies: Callable[..., Run]) -> None:
    failure = run_bodies(raising(Unmet("The status", 200, 500, "1.5"))).results[0].failure
    assert failure is not None
    assert failure.paragraph == "1.5"


def test_run__is_red_where_a_check_cannot_read_an_answer(run_bodies: Callable[..., Run]) -> None:
    run = run_bodies(raising(KeyError("lines")))
    failure = run.results[0].failure
    assert failure is not None
    assert failure.got == "KeyError: 'lines'"
    assert not run.is_passed


def test_run__is_passed_although_some_were_skipped(run_bodies: Callable[..., Run]) -> None:
    run = run_bodies(passing, raising(Skipped("no clock")))
    assert [result.outcome for result in run.results] == [Outcome.PASSED, Outcome.SKIPPED]
    assert (run.verdict, run.is_passed, run.results[1].reason) == ("passed, 1 skipped", True, "no clock")


def test_run__proves_nothing_where_all_were_skipped(run_bodies: Callable[..., Run]) -> None:
    run = run_bodies(raising(Skipped("no clock")))
    assert (run.verdict, run.is_passed) == ("nothing was proven, 1 skipped", False)


def test_run__is_not_passed_where_it_was_interrupted(run_bodies: Callable[..., Run]) -> None:
    run = run_bodies(passing, raising(KeyboardInterrupt()), passing)
    assert (run.verdict, run.is_passed) == ("interrupted after 1 of 3 checks", False)
    assert json.loads(write_json(run))["passed"] is False
