"""The journal summed up by day and account.

Once, completely, again after a kill, and watched by the audit.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from time import monotonic, sleep

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from tests.conftest import Clock
from tests.support.callers import PlayerSession
from tests.support.own_database import AUDITED, OwnLedger, own_ledger
from wallet.audit.daily_totals import Accounts, Totals, account_totals, close_day, close_days, reclose_day
from wallet.audit.ledger import audit_ledger
from wallet.audit.scheduled import audit_all
from wallet.job_runs import Run
from wallet.models import (
    Alert,
    ClosedDay,
    DailyTotal,
    Entry,
    JobRun,
)

MONDAY = date(2026, 3, 2)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    """A database in which the time is the tests' own."""
    with own_ledger(f"{database_name}_closing") as ledger:
        ledger.keep()
        yield ledger


@pytest.fixture(autouse=True)
def fresh(ledger: OwnLedger) -> Iterator[None]:
    """Each test begins with an empty ledger of which nothing is closed."""
    yield
    Clock(ledger.owner).restore()
    ledger.restore()
    ledger.clear(DailyTotal, ClosedDay, Alert, JobRun, *AUDITED)


@pytest.fixture
def clock(ledger: OwnLedger) -> Clock:
    return Clock(ledger.owner)


@pytest.fixture
def week(ledger: OwnLedger, clock: Clock) -> PlayerSession:
    """Two players' Monday and Wednesday; nothing happened on Tuesday. It is Thursday now."""
    clock.stand(at(MONDAY, 12))
    player_session, other = ledger.callers.player_session(100_00), ledger.callers.player_session(50_00, "EUR")
    paid = player_session.opened("withdraw", "30.00")
    clock.stand(at(MONDAY, 24) - timedelta(microseconds=1))
    player_session.done("confirmWithdrawal", paid)
    clock.stand(at(MONDAY + 2 * DAY, 0))
    player_session.done("confirmDeposit", player_session.opened("deposit", "7.00"))
    other.elsewhere("EUR").opened("withdraw", "5.00")
    clock.stand(at(MONDAY + 3 * DAY, 1))
    return player_session


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)


def close() -> Run:
    run = Run("daily_totals")
    close_days(run)
    return run


def closed() -> dict[date, int]:
    """The closed days, and how many entries each has."""
    return dict(ClosedDay.objects.values_list("day", "entries"))


def sums(day: date) -> dict[tuple[str, str], tuple[int, int, int]]:
    rows = DailyTotal.objects.filter(day=day).values_list(
        "currency_id", "account", "debits", "credits", "entries"
    )
    return {
        (currency, account): (int(debits), int(credits), entries)
        for currency, account, debits, credits, entries in rows
    }


def from_journal(moment: datetime) -> Accounts:
    """What the journal itself says, counted one by one."""
    debits: Counter[tuple[str, str]] = Counter()
    credits: Counter[tuple[str, str]] = Counter()
    entries: Counter[tuple[str, str]] = Counter()
    for entry in Entry.objects.filter(at__lt=moment).exclude(debit=None).select_related("wallet"):
        for account, side in ((entry.debit, debits), (entry.credit, credits)):
            key = (entry.wallet.currency_id, str(account))
            side[key] += entry.amount or 0
            entries[key] += 1
    return {key: Totals(debits[key], credits[key], entries[key]) for key in entries}


def test_closed_day__finished_is_closed_by_currency_and_account(week: PlayerSession) -> None:
    run = close()
    assert (run.looked_at, run.done, run.note) == (3, 3, "3 days closed.")
    assert closed() == {MONDAY: 6, MONDAY + DAY: 0, MONDAY + 2 * DAY: 3}
    assert sums(MONDAY) == {
        ("XAG", "adjustments"): (100_00, 0, 1),
        ("XAG", "spendable"): (30_00, 100_00, 2),
        ("XAG", "reserved"): (30_00, 30_00, 2),
        ("XAG", "game_revenue"): (0, 30_00, 1),
        ("EUR", "adjustments"): (50_00, 0, 1),
        ("EUR", "spendable"): (0, 50_00, 1),
    }
    assert sums(MONDAY + DAY) == {}
    assert sums(MONDAY + 2 * DAY) == {
        ("XAG", "game_payout"): (7_00, 0, 1),
        ("XAG", "spendable"): (0, 7_00, 1),
        ("EUR", "spendable"): (5_00, 0, 1),
        ("EUR", "reserved"): (0, 5_00, 1),
    }


def test_closed_day__is_closed_once(week: PlayerSession) -> None:
    close()
    before = list(DailyTotal.objects.order_by("pk").values())
    assert close().done == 0
    assert [close_day(day) for day in closed()] == [False] * 3
    assert list(DailyTotal.objects.order_by("pk").values()) == before


def test_closed_day__is_none_if_nothing_ever_happened(ledger: OwnLedger) -> None:
    assert close().note == "0 days closed."
    assert account_totals(at(MONDAY, 0)) == {}


def test_closed_day__is_closed_an_hour_after_its_end(week: PlayerSession, clock: Clock) -> None:
    clock.stand(at(MONDAY + DAY, 0, 59))
    assert close().done == 0
    with pytest.raises(ValueError, match="2026-03-02 is not over"):
        close_day(MONDAY)
    clock.stand(at(MONDAY + DAY, 1))
    assert close().done == 1
    assert closed() == {MONDAY: 6}


def test_closed_day__missing_days_between_and_before_are_closed(week: PlayerSession) -> None:
    close()
    ClosedDay.objects.filter(day__in=[MONDAY, MONDAY + DAY]).delete()
    assert close().done == 2
    assert closed() == {MONDAY: 6, MONDAY + DAY: 0, MONDAY + 2 * DAY: 3}


def test_closed_day__two_closing_at_once_close_it_once(week: PlayerSession, ledger: OwnLedger) -> None:
    with ThreadPoolExecutor(4) as pool:
        with ledger.owner.transaction():
            ledger.owner.execute("LOCK TABLE wallet_closedday")
            workers = [pool.submit(in_thread, MONDAY) for _ in range(4)]
            sleep(0.3)
        assert sorted(worker.result(20) for worker in workers) == [False, False, False, True]
    assert (len(sums(MONDAY)), closed()) == (6, {MONDAY: 6})


def in_thread(day: date) -> bool:
    try:
        return close_day(day)
    finally:
        connection.close()


def test_closed_day__killed_close_leaves_nothing_next_does_it(week: PlayerSession, ledger: OwnLedger) -> None:
    with ThreadPoolExecutor(1) as pool:
        with ledger.owner.transaction():
            ledger.owner.execute("LOCK TABLE wallet_dailytotal")
            worker = pool.submit(in_thread, MONDAY)
            kill_waiting(ledger, worker)
        with pytest.raises(DatabaseError):
            worker.result(20)
    assert closed() == {}
    assert close().done == 3
    assert audit_ledger().problems == []


def kill_waiting(ledger: OwnLedger, worker: "Future[bool]") -> None:
    """Ends the connection that waits for a lock, in the middle of its atomic block."""
    waiting = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = "
        "'wallet_dailytotal'::regclass"
    )
    deadline = monotonic() + 20
    while not ledger.owner.execute(waiting).fetchall():
        assert monotonic() < deadline
        assert not worker.done()
        sleep(0.02)


# --- What the sums are for ----------------------------------------------------------------------------

MOMENTS = [(0, 0), (0, 12), (0, 13), (1, 0), (1, 5), (2, 0), (2, 12), (3, 0), (3, 1), (3, 2), (9, 0)]


@pytest.mark.parametrize("missing", [[], [0], [1], [2], [0, 2], [0, 1, 2]])
def test_totals__equal_the_journals_whatever_is_closed_and_when(
    week: PlayerSession, missing: list[int]
) -> None:
    week.adjust("debit", 1_00)
    close()
    ClosedDay.objects.filter(day__in=[MONDAY + number * DAY for number in missing]).delete()
    for days, hour in MOMENTS:
        moment = at(MONDAY + days * DAY, hour)
        assert account_totals(moment) == from_journal(moment), moment


def test_totals__do_not_read_closed_days_again(week: PlayerSession, ledger: OwnLedger) -> None:
    close()
    ledger.owner.execute(
        "UPDATE wallet_dailytotal SET debits = 1 WHERE day_id = %s AND currency_id = 'EUR' "
        "AND account = 'adjustments'",
        [MONDAY],
    )
    assert account_totals(at(MONDAY + 3 * DAY, 2))["EUR", "adjustments"] == Totals(1, 0, 1)


def test_totals__of_all_accounts_are_zero_together(week: PlayerSession) -> None:
    close()
    totals = account_totals(at(MONDAY + 3 * DAY, 2))
    assert totals["XAG", "spendable"].balance == 77_00
    assert totals["XAG", "game_payout"].balance == -7_00
    assert [
        sum(of.balance for (code, _), of in totals.items() if code == wanted) for wanted in ("XAG", "EUR")
    ] == [0, 0]


def test_totals__may_be_larger_than_any_wallet(ledger: OwnLedger, clock: Clock) -> None:
    clock.stand(at(MONDAY, 12))
    for _ in range(12):
        ledger.callers.player_session(10**18 - 1)
    clock.stand(at(MONDAY + DAY, 2))
    close()
    assert sums(MONDAY)["XAG", "spendable"] == (0, 12 * (10**18 - 1), 12)
    assert account_totals(at(MONDAY + DAY, 2))["XAG", "spendable"].credits == 12 * (10**18 - 1)
    assert audit_ledger().problems == []


# --- What the audit says ------------------------------------------------------------------------------

REVENUE = "the total of game revenue should be 0.00 XAG debited and 30.00 XAG credited by 1 entry"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "UPDATE wallet_dailytotal SET debits = debits + 1 WHERE account = 'game_payout'",
            "2026-03-04: the total of game payout should be 7.00 XAG debited and 0.00 XAG credited by 1",
        ),
        (
            "UPDATE wallet_dailytotal SET credits = credits - 1 WHERE account = 'game_revenue'",
            f"2026-03-02: {REVENUE}, is 0.00 XAG debited and 29.99 XAG credited by 1 entry",
        ),
        (
            "UPDATE wallet_dailytotal SET entries = 9 WHERE account = 'game_revenue'",
            f"2026-03-02: {REVENUE}, is 0.00 XAG debited and 30.00 XAG credited by 9 entries",
        ),
        (
            "UPDATE wallet_dailytotal SET account = 'write_off' WHERE account = 'game_revenue'",
            f"2026-03-02: {REVENUE}, is 0.00 XAG debited and 0.00 XAG credited by 0 entries",
        ),
        (
            "UPDATE wallet_dailytotal SET currency_id = 'EUR' WHERE account = 'game_revenue'",
            "2026-03-02: the total of game revenue should be 0.00 EUR debited and 0.00 EUR credited by 0 ent",
        ),
        (
            "UPDATE wallet_dailytotal SET day_id = '2026-03-03' WHERE account = 'game_revenue'",
            f"2026-03-02: {REVENUE}, is 0.00 XAG debited and 0.00 XAG credited by 0 entries",
        ),
        (
            "DELETE FROM wallet_dailytotal WHERE day_id = '2026-03-04'",
            "2026-03-04: the total of reserved should be ",
        ),
        (
            "UPDATE wallet_closedday SET entries = 7 WHERE day = '2026-03-02'",
            "2026-03-02: entries totalled should be 6, are 7",
        ),
        (
            "UPDATE wallet_closedday SET entries = 1 WHERE day = '2026-03-03'",
            "2026-03-03: entries totalled should be 0, are 1",
        ),
    ],
)
def test_totals__that_are_not_the_journals_are_found(
    week: PlayerSession, ledger: OwnLedger, change: str, says: str
) -> None:
    close()
    assert audit_ledger().problems == []
    assert ledger.owner.execute(change.encode()).rowcount > 0
    assert audit_ledger().problems[0].startswith(f"daily totals: {says}")


def test_closed_day__journal_change_is_told_until_closed_anew(
    week: PlayerSession, ledger: OwnLedger, clock: Clock
) -> None:
    close()
    clock.stand(at(MONDAY, 20))
    week.adjust("credit", 1)
    clock.stand(at(MONDAY + 3 * DAY, 1))
    run = Run("audit_all")
    audit_all(run)
    alert = Alert.objects.get()
    assert (alert.kind, alert.subject, run.failed) == (Alert.Kind.LEDGER_DIFFERENCE, "daily totals", 0)
    assert alert.text == (
        "2026-03-02: the total of adjustments should be 100.01 XAG debited and 0.00 XAG credited by "
        "2 entries, is 100.00 XAG debited and 0.00 XAG credited by 1 entry."
    )
    reclose_day(MONDAY)
    assert audit_ledger().problems == []
    assert account_totals(at(MONDAY + 3 * DAY, 2)) == from_journal(at(MONDAY + 3 * DAY, 2))


# --- The command --------------------------------------------------------------------------------------


def test_close_command__closes_what_is_finished_and_leaves_a_run(week: PlayerSession) -> None:
    out = StringIO()
    call_command("daily_totals", stdout=out)
    assert out.getvalue() == "3 days closed.\n"
    run = JobRun.objects.get(task="daily_totals")
    assert (run.done, run.error, run.ended_at is None) == (3, "", False)


def test_close_command__closes_a_day_anew(week: PlayerSession, ledger: OwnLedger) -> None:
    close()
    right = sums(MONDAY)
    ledger.owner.execute("UPDATE wallet_dailytotal SET debits = 1 WHERE day_id = %s", [MONDAY])
    call_command("daily_totals", anew=MONDAY, stdout=StringIO())
    assert (sums(MONDAY), closed()[MONDAY]) == (right, 6)


def test_close_command__closes_no_day_that_is_not_over(week: PlayerSession) -> None:
    with pytest.raises(CommandError, match="2026-03-05 is not over"):
        call_command("daily_totals", anew=MONDAY + 3 * DAY, stdout=StringIO())
    assert closed() == {}
