"""Whose CPU it was: what /proc says, and what is made of it."""

import os
import subprocess
import sys

import pytest

from benchmarks.cpu import (
    TICKS,
    ProcessStat,
    Reading,
    family_of,
    family_seconds,
    parse_machine,
    parse_process,
    postmaster_of,
    usage,
)

BUSY = "import time; end = time.process_time() + {}\nwhile time.process_time() < end: pass"


def test_process__counts_its_own_time_and_that_of_ended_children() -> None:
    line = "12 (postgres) S 7 12 12 0 -1 4194304 91 92 93 94 100 20 300 4000 20 0 1 0 55 1000 9"
    assert parse_process(line) == ProcessStat("postgres", 7, 4420 / TICKS)


def test_process__reads_a_name_with_spaces_and_brackets() -> None:
    line = "12 (a) R 1 (b) S 7 12 12 0 -1 4194304 91 92 93 94 1 2 3 4 20 0 1 0 55 1000 9"
    assert parse_process(line) == ProcessStat("a) R 1 (b", 7, 10 / TICKS)


def test_machine__counts_work_and_neither_idleness_nor_interrupts() -> None:
    assert parse_machine("cpu  100 20 30 7000 800 90 50 4 0 0") == 154 / TICKS


def test_family__is_all_descendants_and_nobody_else() -> None:
    everybody = {
        1: ProcessStat("init", 0, 1000.0),
        10: ProcessStat("gunicorn", 1, 1.0),
        11: ProcessStat("gunicorn", 10, 2.0),
        12: ProcessStat("gunicorn", 11, 4.0),
        20: ProcessStat("other", 1, 500.0),
    }
    assert family_of(10, everybody) == {10: 1.0, 11: 2.0, 12: 4.0}
    assert family_of(99, everybody) == {}


def test_family__keeps_what_an_ended_child_used() -> None:
    before = family_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", BUSY.format(0.2)], check=True)
    assert family_seconds(os.getpid()) - before >= 0.15


def test_family__is_read_again_if_somebody_ends_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a child's time has gone to its parent, which was read before."""
    parent, child = ProcessStat("postgres", 1, 10.0), ProcessStat("postgres", 10, 5.0)
    reads = iter([{10: parent, 11: child}, {10: parent}, {10: ProcessStat("postgres", 1, 15.0)}])
    monkeypatch.setattr("benchmarks.cpu.everybody", lambda: next(reads))
    assert family_seconds(10) == 15.0


def test_usage__others_have_what_is_not_ours() -> None:
    used = usage(Reading(10.0, 1.0, 2.0, 3.0, 100.0), Reading(20.0, 3.0, 5.0, 4.0, 108.0))
    assert (used.web, used.postgresql, used.generator) == (2.0, 3.0, 1.0)
    assert used.others == pytest.approx(2.0 / 10.0 / (os.cpu_count() or 1))


def test_usage__rounding_makes_nobody_use_less_than_nothing() -> None:
    assert usage(Reading(0, 0, 0, 0, 0), Reading(1, 1, 0, 0, 0.5)).others == 0.0


def test_postmaster__is_no_process_of_another_kind() -> None:
    assert postmaster_of(os.getpid()) is None
    assert postmaster_of(2**22 + 1) is None
