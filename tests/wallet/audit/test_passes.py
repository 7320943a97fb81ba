"""An audit in parts finds what an audit in one snapshot finds, goes on after a kill, and reads nothing twice
that it need not.
"""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from multiprocessing import current_process
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.support.busy_wallets import Story, tell_story
from tests.support.forgeries import FORGERIES, REWRITES, richer
from tests.support.history_forger import Step, rewrite
from tests.support.own_database import AUDITED, OwnLedger, own_ledger
from wallet.audit import passes, workers
from wallet.audit.daily_totals import close_days
from wallet.audit.ledger import audit_ledger
from wallet.audit.parts import do_part
from wallet.audit.passes import begin, do_parts, end, is_full_due, progress, result
from wallet.audit.report import Report
from wallet.audit.scheduled import MARGIN, audit_all, read_by_full_audit
from wallet.job_runs import Run, recorded
from wallet.models import (
    Alert,
    AuditMark,
    AuditPart,
    AuditPass,
    ClosedDay,
    DailyTotal,
    JobRun,
)

SETTLED_SINCE = (
    "UPDATE wallet_transaction SET state = 'confirmed', settled_at = opened_at, settled_seq = opened_seq, "
    "settled_source = 'game', settled_actor = actor WHERE state = 'pending' AND wallet_id = %s"
)


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    with own_ledger(f"{database_name}_passes") as ledger:
        yield ledger


@pytest.fixture(scope="module")
def story(ledger: OwnLedger) -> Story:
    story = tell_story(ledger.callers)
    ledger.keep()
    return story


@pytest.fixture(autouse=True)
def fresh(ledger: OwnLedger, story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Never audited, and a part for each player."""
    monkeypatch.setattr(passes, "PART_LINES", 1)
    yield
    ledger.restore()
    forget(ledger)


def forget(ledger: OwnLedger) -> None:
    """It was never audited, and no day summed up."""
    ledger.clear(*AUDITED, DailyTotal, ClosedDay, Alert, JobRun)


def audited(*, full: bool) -> Report:
    """What the next audit in parts finds."""
    audit = begin(full=full)
    do_parts(audit)
    report = result(audit)
    end(audit)
    return report


def full() -> Report:
    return audited(full=True)


def new() -> Report:
    return audited(full=False)


def test_parts__of_a_sound_ledger_say_what_one_snapshot_says(story: Story) -> None:
    whole, parts = audit_ledger(), full()
    assert parts.problems == whole.problems == []
    assert (parts.wallets, parts.entries, parts.entries_read) == (whole.wallets, whole.entries, whole.entries)
    assert parts.moved == whole.moved
    assert AuditMark.objects.count() == whole.wallets


@pytest.mark.parametrize("statement", FORGERIES.values(), ids=FORGERIES.keys())
def test_parts__find_what_one_snapshot_finds(ledger: OwnLedger, statement: str) -> None:
    """Whether it was audited before or not, and by the same keys, by which operators accept it."""
    ledger.owner.execute(statement)
    whole, parts = audit_ledger(), full()
    assert keys(parts) == keys(whole)
    ledger.restore()
    forget(ledger)
    assert full().problems == []
    ledger.owner.execute(statement)
    again = full()
    assert set(again.by_wallet) >= set(whole.by_wallet)
    assert set(again.of_ledger) >= set(whole.of_ledger)


def keys(report: Report) -> dict[str, str]:
    return {name: found.key for name, found in (report.by_wallet | report.of_ledger).items()}


def test_further_audit__reads_only_what_is_new(story: Story) -> None:
    assert full().problems == []
    unchanged = new()
    assert (unchanged.problems, unchanged.entries_read) == ([], 0)
    assert unchanged.entries == audit_ledger().entries
    story.player_session.done("deposit", str(uuid4()), "3.00")
    report = new()
    assert (report.problems, report.entries_read) == ([], 1)
    assert report.moved == audit_ledger().moved
    assert new().entries_read == 0


def test_further_audit__follows_what_was_pending_to_its_end(story: Story) -> None:
    opened = story.second.opened("withdraw", "1.00")
    assert full().problems == []
    story.second.done("confirmWithdrawal", opened)
    assert new().problems == []
    assert opened not in str(AuditMark.objects.get(wallet=story.second.wallet()).pending)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE wallet_wallet SET spendable = spendable + 1 WHERE id = %s",
        "UPDATE wallet_wallet SET withdrawal_limit = 12345 WHERE id = %s",
        "UPDATE wallet_wallet SET entry_count = entry_count - 1 WHERE id = %s",
        "UPDATE wallet_wallet SET opened_at = opened_at + interval '1 us' WHERE id = %s",
        "UPDATE wallet_wallet SET currency_id = 'BHD' WHERE id = %s",
        SETTLED_SINCE,
        "DELETE FROM wallet_transaction WHERE state = 'pending' AND wallet_id = %s",
        "DELETE FROM wallet_wallet WHERE id = %s",
    ],
)
def test_further_audit__finds_changes_of_what_can_change(
    ledger: OwnLedger, story: Story, statement: str
) -> None:
    """Without one new line."""
    assert full().problems == []
    assert ledger.owner.execute(statement.encode(), [story.wallet.pk]).rowcount > 0
    found = new()
    assert found.problem_count
    # Until it is put right.
    assert keys(new()) == keys(found)
    ledger.restore()
    assert new().problems == []


@pytest.mark.parametrize(
    "change",
    [
        "amount = amount + 1",
        "spendable = spendable + 1",
        "debt = debt + 1",
        "hash = decode(repeat('00', 32), 'hex')",
        "actor = 'nobody'",
        "at = at + interval '1 us'",
        "transaction_id = gen_random_uuid()",
        "seq = seq + 1",
        "event = 'confirmed'",
    ],
)
def test_further_audit__finds_changes_of_new_lines(ledger: OwnLedger, story: Story, change: str) -> None:
    assert full().problems == []
    story.player_session.done("deposit", str(uuid4()), "3.00")
    wallet = story.player_session.wallet()
    ledger.owner.execute(
        f"UPDATE wallet_entry SET {change} WHERE wallet_id = %s AND seq = %s".encode(),
        [wallet.pk, wallet.entry_count],
    )
    whole = audit_ledger()
    assert str(wallet.pk) in whole.by_wallet
    assert new().by_wallet == whole.by_wallet


def test_further_audit__old_line_is_found_by_the_next_full_one(ledger: OwnLedger, story: Story) -> None:
    assert full().problems == []
    ledger.owner.execute(
        "UPDATE wallet_entry SET actor = 'nobody' WHERE wallet_id = %s AND seq = 2", [story.wallet.pk]
    )
    assert new().problems == []
    assert list(full().by_wallet) == [str(story.wallet.pk)]
    # And then by each, since it gets no mark.
    assert list(new().by_wallet) == [str(story.wallet.pk)]


@pytest.mark.parametrize("change", REWRITES, ids=lambda change: str(change.__name__))
def test_full_audit__finds_history_rewritten_with_correct_hashes(
    ledger: OwnLedger, story: Story, change: Callable[[list[Step]], list[Step]]
) -> None:
    """Which no audit finds that knows nothing of the one before."""
    assert full().problems == []
    rewrite(ledger, story.wallet.pk, change)
    assert audit_ledger().problems == []
    assert list(full().by_wallet) == [str(story.wallet.pk)]
    assert list(new().by_wallet) == [str(story.wallet.pk)]


def test_further_audit__finds_rewritten_history_that_goes_on(ledger: OwnLedger, story: Story) -> None:
    assert full().problems == []
    rewrite(ledger, story.wallet.pk, richer)
    story.player_session.done("deposit", str(uuid4()), "3.00")
    assert audit_ledger().problems == []
    assert list(new().by_wallet) == [str(story.wallet.pk)]


def test_daily_totals__are_compared_with_what_was_marked(ledger: OwnLedger, story: Story) -> None:
    ledger.owner.execute("UPDATE wallet_entry SET at = at - interval '3 days'")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("wallet.audit.daily_totals.SETTLING_TIME", timedelta())
        close_days(Run("test"))
    ledger.restore()
    found = full().of_ledger
    assert list(found) == ["daily totals"]
    assert new().of_ledger == found


# --- Kills --------------------------------------------------------------------------------------------


def test_interrupted_audit__goes_on_with_its_parts(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    audit = begin(full=True)

    def do_some(audit: AuditPass, part: AuditPart) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        do_part(audit, part)
        done.append(part.number)

    monkeypatch.setattr(passes, "do_part", do_some)
    with pytest.raises(KeyboardInterrupt):
        do_parts(audit)
    assert progress(audit)[0] == 3
    monkeypatch.setattr(passes, "do_part", do_part)
    # What only new lines would need is not begun before it has come to its end.
    assert begin(full=False) == audit
    parts = audit.parts.exclude(ended_at=None)
    ended = dict(parts.values_list("number", "ended_at"))
    assert full().problems == []
    assert AuditPass.objects.get().began_at == audit.began_at
    assert sorted(done) == sorted(ended)


def test_part__done_twice_counts_once(story: Story) -> None:
    """Its process was thought to be dead."""
    audit = begin(full=True)
    parts = list(audit.parts.all())
    do_parts(audit)
    for part in parts:
        do_part(audit, part)
    report = result(audit)
    assert (report.problems, report.moved) == ([], audit_ledger().moved)


def test_audit__ends_when_its_time_is_over(story: Story) -> None:
    audit = begin(full=True)
    do_parts(audit, until=0)
    assert progress(audit)[0] == 0


def test_workers__share_the_parts(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a process of Celery's, to which Python's own allows no others."""
    monkeypatch.setitem(current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    audit = begin(full=True)
    workers.work(audit, 2)
    assert progress(audit) == (audit.parts.count(),) * 2
    assert (result(audit).problems, result(audit).moved) == ([], audit_ledger().moved)


@pytest.mark.parametrize(
    ("fails", "status"), [(lambda: 1 // 0, "1"), (lambda: os.kill(os.getpid(), signal.SIGKILL), "-9")]
)
def test_workers__one_that_fails_or_is_killed_is_told_and_made_good(
    story: Story, monkeypatch: pytest.MonkeyPatch, fails: Callable[[], object], status: str
) -> None:
    def do_few(audit: AuditPass, part: AuditPart) -> None:
        do_part(audit, part)
        if part.number > 1:
            fails()

    monkeypatch.setattr(passes, "do_part", do_few)
    with pytest.raises(RuntimeError, match=f": {status}"):
        workers.work(begin(full=True), 2)
    monkeypatch.setattr(passes, "do_part", do_part)
    assert 0 < progress(begin(full=True))[0] < begin(full=True).parts.count()
    report = full()
    assert (report.problems, report.moved) == ([], audit_ledger().moved)


# --- When -------------------------------------------------------------------------------------------------


def test_full_audit__is_due_after_its_days(ledger: OwnLedger, settings: Settings) -> None:
    settings.FULL_AUDIT_DAYS = 7
    at = datetime(2026, 3, 2, 1, 40, tzinfo=UTC)
    assert is_full_due(at)
    full()
    ledger.owner.execute("UPDATE wallet_auditpass SET began_at = %s", [at])
    assert not is_full_due(at + timedelta(days=6))
    assert is_full_due(at + timedelta(days=7, minutes=-1))
    # A wrong clock wrote it.
    assert is_full_due(at - timedelta(days=1))
    settings.FULL_AUDIT_DAYS = 1
    assert is_full_due(at)


def nightly() -> Run:
    with recorded("audit_all") as run:
        audit_all(run)
    return run


def test_night__reads_what_is_new_until_a_full_audit_is_due(story: Story, settings: Settings) -> None:
    settings.FULL_AUDIT_DAYS = 7
    assert "New since" not in nightly().note
    story.player_session.done("deposit", str(uuid4()), "3.00")
    run = nightly()
    assert "no difference. New since they were audited before: 1 entries. The sums are right" in run.note
    assert run.looked_at == run.done == AuditMark.objects.count()
    assert read_by_full_audit() == run.read_up_to == AuditPass.objects.get(is_full=False).began_at - MARGIN


def test_night__too_short_tells_what_it_found_and_goes_on(
    ledger: OwnLedger, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.owner.execute("UPDATE wallet_entry SET actor = 'nobody' WHERE seq = 2")

    def do_and_be_late(audit: AuditPass, part: AuditPart) -> None:
        do_part(audit, part)
        if part.first_player:
            monkeypatch.setattr(passes, "time", SimpleNamespace(monotonic=lambda: float("inf")))

    monkeypatch.setattr(passes, "do_part", do_and_be_late)
    with pytest.raises(passes.Unfinished, match="parts are done"):
        nightly()
    frozen = Alert.objects.filter(kind=Alert.Kind.WALLET_DIFFERENCE).count()
    assert 0 < frozen < 3
    assert read_by_full_audit() is None
    monkeypatch.undo()
    began_at = AuditPass.objects.get().began_at
    nightly()
    assert AuditPass.objects.get().began_at == began_at
    assert Alert.objects.filter(kind=Alert.Kind.WALLET_DIFFERENCE).count() == 3


# --- The command --------------------------------------------------------------------------------------


def test_command__audits_in_parts_and_then_what_is_new(ledger: OwnLedger, story: Story) -> None:
    out = StringIO()
    call_command("audit_ledger", "--workers=2", stdout=out)
    assert "every line" in out.getvalue()
    call_command("audit_ledger", "--new", stdout=out)
    assert "what is new" in out.getvalue()
    assert "no difference" in out.getvalue()
    ledger.owner.execute(
        "UPDATE wallet_wallet SET spendable = spendable + 1 WHERE id = %s", [story.wallet.pk]
    )
    with pytest.raises(CommandError, match=f"wallet {story.wallet.pk}"):
        call_command("audit_ledger", "--new", "--quiet", stdout=out, stderr=out)
