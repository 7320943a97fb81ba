"""The audit of the whole ledger at a standby: all that was committed, and no word of its own."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from lib.standby import ALIAS, STANDBY, is_read, reader, written
from tests.support.callers import PlayerSession
from tests.support.standby import OwnStandby
from wallet.audit import rows, whole
from wallet.audit.ledger import audit_ledger
from wallet.audit.report import Report
from wallet.audit.rows import snapshot
from wallet.audit.scheduled import AT_STANDBY, audit_all
from wallet.audit.whole import audit_whole
from wallet.job_runs import Run
from wallet.models import Entry


@pytest.fixture
def standby(own_standby: OwnStandby) -> Iterator[OwnStandby]:
    own_standby.follow()
    with own_standby.used():
        yield own_standby


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The databases of which a snapshot was taken."""
    found: list[str] = []

    def noting() -> Any:
        found.append(reader().alias)
        return reader()

    monkeypatch.setattr(rows, "reader", noting)
    return found


class Audit:
    """In the place of an audit, which would find what other tests have left. `at_standby` happens there."""

    def __init__(self) -> None:
        self.at_standby: Callable[[Report], None] = lambda report: None

    def __call__(self, progress: object) -> Report:
        report = Report()
        with snapshot() as raw:
            [report.entries] = raw.execute("SELECT count(*) FROM wallet_entry").fetchone() or [0]
            if is_read():
                self.at_standby(report)
        return report


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Audit:
    audit = Audit()
    monkeypatch.setattr(whole, "audit_ledger", audit)
    return audit


def test_audit__finds_the_same_at_both(standby: OwnStandby, player_session: PlayerSession) -> None:
    player_session.opened("withdraw", "1.00")
    standby.write()
    there, was_there = STANDBY.read(lambda: (audit_ledger(), is_read()), written(), is_long=True)
    assert was_there
    assert there == audit_ledger()


def test_audit__reads_the_standby_with_all_that_was_committed(
    standby: OwnStandby, player_session: PlayerSession, read: list[str], audit: Audit
) -> None:
    player_session.opened("withdraw", "1.00")
    standby.write()
    report, was_there = audit_whole()
    assert (was_there, read) == (True, [ALIAS])
    assert report.entries == Entry.objects.count()
    run = Run("audit_all")
    audit_all(run)
    assert run.note == f"0 wallets, {report.entries} entries: no difference. {AT_STANDBY}"


def test_audit__what_differs_there_is_looked_for_at_the_primary(
    standby: OwnStandby, read: list[str], audit: Audit
) -> None:
    audit.at_standby = lambda report: report.add_ledger("currency XAG", ["a fault of the standby's disk"])
    report, was_there = audit_whole()
    assert (was_there, read) == (False, [ALIAS, "default"])
    assert (report.problem_count, report.problems) == (0, [])


def test_audit__that_the_standby_cancels_is_done_at_the_primary(
    standby: OwnStandby, read: list[str], audit: Audit
) -> None:
    def cancel(report: Report) -> None:
        raise OperationalError("canceling statement due to conflict with recovery")

    audit.at_standby = cancel
    assert audit_whole()[1] is False
    assert read == [ALIAS, "default"]
    assert not connection.in_atomic_block


def test_audit__of_a_standby_that_does_not_come_so_far_is_the_primary_s(
    standby: OwnStandby, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch, audit: Audit
) -> None:
    monkeypatch.setattr("lib.standby.COMES_SECONDS", 0.2)
    with standby.standing_still():
        player_session.opened("withdraw", "1.00")
        standby.write()
        report, was_there = audit_whole()
        assert (was_there, report.entries) == (False, Entry.objects.count())


def said_by(*words: str) -> str:
    said = io.StringIO()
    call_command(*words, stdout=said, stderr=io.StringIO())
    return said.getvalue()


def test_command__reads_the_standby_or_the_primary(
    standby: OwnStandby, read: list[str], audit: Audit
) -> None:
    assert "A standby was read; with --primary the primary is.\n" in said_by("audit_ledger", "--quiet")
    assert "standby" not in said_by("audit_ledger", "--quiet", "--primary")
    assert read == [ALIAS, "default"]


def test_exports__read_the_standby_or_the_primary(
    standby: OwnStandby, read: list[str], tmp_path: Any
) -> None:
    for name in ("export_journal", "export_audit_trail"):
        for words in ([], ["--primary"]):
            call_command(name, "--output", str(tmp_path / name), *words, stderr=io.StringIO())
    assert read == [ALIAS, "default"] * 2
