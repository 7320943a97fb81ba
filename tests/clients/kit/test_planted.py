"""Whether the kit sees what is wrong, and only that."""

import io
from dataclasses import replace

import pytest

from clients.kit.checks import CHECKS
from clients.kit.checks.expired import NEEDS_CLOCK
from clients.kit.parties import Target
from clients.kit.reports.junit_report import write_junit
from clients.kit.runner import Outcome, Run
from clients.kit.terminal import Terminal
from tests.clients.kit.planted.fault import Fault
from tests.clients.kit.planted.faults import FAULTS


def run_checks(target: Target, ids: tuple[str, ...] = ()) -> Run:
    run = Run(target, target.redactor())
    list(run.run([check for check in CHECKS if not ids or check.id in ids]))
    return run


def test_kit__is_green_on_the_platform(target: Target) -> None:
    run = run_checks(target)
    assert [(result.check.id, result.failure) for result in run.results if result.failure] == []
    assert {result.reason for result in run.results if result.outcome is Outcome.SKIPPED} == {NEEDS_CLOCK}
    assert run.verdict == "passed, 7 skipped"
    assert run.is_passed


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_kit__turns_red_on_a_planted_bug(target: Target, fault: Fault) -> None:
    run = run_checks(replace(target, url=f"{target.url}/planted/{fault.name}"), fault.checks)
    red = {result.check.id: result.failure.paragraph for result in run.results if result.failure}
    assert red == dict.fromkeys(fault.checks, fault.paragraph)
    assert not run.is_passed
    told = io.StringIO()
    for result in run.results:
        Terminal(told).tell(result)
    assert f"contract  {fault.paragraph} " in told.getvalue()
    assert f'type="contract {fault.paragraph}"' in write_junit(run)


def test_faults__are_at_least_twenty() -> None:
    assert len(FAULTS) >= 20
