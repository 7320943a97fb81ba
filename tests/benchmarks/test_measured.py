"""Medians of rounds, CPU per request, and the figures and aims that are made of them."""

from array import array

import pytest

from benchmarks import bench
from benchmarks.cpu import Usage
from benchmarks.ledger import Raw
from benchmarks.load import Result
from benchmarks.measured import Measured, Round, round_of


def a_round(rate: float, p99_ms: float = 1.0) -> Round:
    return Round(rate, 1.0, p99_ms, 10.0, 20.0, 30.0, 0.0)


def test_round__cpu_is_shared_by_answers_of_the_warm_up_too() -> None:
    result = Result(seconds=2.0, answers=100, all_answers=200, latencies_ns=array("q", [2_000_000] * 100))
    found = round_of(result, Usage(web=0.1, postgresql=0.04, generator=0.01, others=0.25))
    assert found == Round(50.0, 2.0, 2.0, 500.0, 200.0, 50.0, 0.25)


def test_round__without_an_answer_is_no_division_by_zero() -> None:
    assert round_of(Result(seconds=1.0), Usage(0.1, 0.0, 0.0, 0.0)).rate == 0.0


def test_measured__takes_the_median_of_each_figure() -> None:
    measured = Measured()
    for rate, p99_ms in ((100.0, 9.0), (300.0, 5.0), (200.0, 7.0)):
        measured.add("withdraw", a_round(rate, p99_ms))
    assert measured.rate("withdraw") == 200.0
    assert measured.median("withdraw").p99_ms == 7.0


def test_measured__pgbench_has_its_mean_time() -> None:
    measured = Measured()
    measured.run_pgbench("pgbench", lambda: Raw(1000.0, 16.0, 4000))
    found = measured.median("pgbench")
    assert (found.rate, found.p50_ms, found.p99_ms) == (1000.0, 16.0, 16.0)


def everything(**rates: float) -> Measured:
    """All kinds of work at 1 000 per second, but those named otherwise."""
    measured = Measured()
    for name in (
        *(bench.WITHDRAW_16, bench.WITHDRAW_64, bench.WITHDRAW_256, bench.WITHDRAW_1024, bench.TURNS_1024),
        *(bench.ONE_WALLET, bench.PAIRS, bench.TEXTBOOK_16, bench.TEXTBOOK_64),
    ):
        measured.add(name.name, a_round(1000.0))
    for raw in (bench.OPENING, bench.SIMPLE_UPDATE):
        measured.add(raw, a_round(1000.0))
    for constant, rate in rates.items():
        measured.rounds[getattr(bench, constant).name] = [a_round(rate)]
    return measured


def test_figures__64_connections_stand_beside_the_textbooks_best() -> None:
    figures = bench.figures_of(everything(TEXTBOOK_16=100.0, TEXTBOOK_64=200.0))
    assert figures["withdraw_to_textbook"] == 10.0
    assert figures["withdraw_64_to_best_textbook"] == 5.0
    assert figures["textbook_cpu_to_withdraw"] == 1.0


@pytest.mark.parametrize("beside", [False, True])
def test_figures__pairs_have_an_aim_only_beside_another_checkout(beside: bool) -> None:
    others = {"BEFORE_16": 500.0, "BEFORE_PAIRS": 250.0} if beside else {}
    figures = bench.figures_of(everything(**others))
    assert ("pairs_to_other" in figures) is beside
    assert len(bench.aims(figures)) == 10 + beside
    if beside:
        assert (figures["withdraw_to_other"], figures["pairs_to_other"]) == (2.0, 4.0)
