"""What is kept for a time only is cleared, and nothing else: in bounded batches, and with one outcome where
somebody still uses it.
"""

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from lib.clock import now
from lib.ids import new_id
from lib.security.tokens import new_token, token_hash
from players.models import GameSession
from tests.support.callers import PlayerSession, unique
from tests.support.invariants import problems_of
from tests.support.old_ids import old_id
from wallet import retention
from wallet.call_log import prepare_days
from wallet.job_runs import Run
from wallet.models import Inquiry, JobRun, Question, Transaction
from wallet.retention import clear, purge_expired

Owner = psycopg.Connection[Any]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True, scope="module")
def prepared(database: None) -> None:
    """No run has to wait for calls of a day that has no part yet."""
    prepare_days(3)


def clean() -> Run:
    run = Run("purge_expired")
    purge_expired(run)
    return run


def session(player_session: PlayerSession, **ago: timedelta | None) -> PlayerSession:
    """Another session of the player's, begun a day before it expired.

    `expires` and `ended` say how long ago.
    """
    at, token = now(), new_token()
    expires_at = at - (ago.get("expires") or timedelta())
    ended = ago.get("ended")
    GameSession.objects.create(
        id=old_id(expires_at - DAY),
        token_hash=token_hash(token),
        player=player_session.player,
        game=player_session.game,
        currency_code=player_session.currency,
        created_at=expires_at - DAY,
        expires_at=expires_at,
        ended_at=None if ended is None else at - ended,
    )
    return PlayerSession(
        player_session.caller, player_session.player, player_session.game, str(token), player_session.currency
    )


def exists(player_session: PlayerSession) -> bool:
    return GameSession.objects.filter(token_hash=token_hash(UUID(player_session.token))).exists()


@pytest.fixture
def old(player_session: PlayerSession) -> PlayerSession:
    """A session that expired 31 days ago and that no transaction names."""
    return session(player_session, expires=31 * DAY)


# --- Sessions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires", "ended", "is_cleared"),
    [
        (30 * DAY + HOUR, None, True),
        (30 * DAY - HOUR, None, False),
        (-HOUR, None, False),
        (29 * DAY, 30 * DAY + HOUR, True),
        (29 * DAY, 30 * DAY - HOUR, False),
        (30 * DAY + HOUR, 29 * DAY, True),
    ],
)
def test_session__is_cleared_if_it_ended_or_expired_long_ago(
    player_session: PlayerSession, expires: timedelta, ended: timedelta | None, is_cleared: bool
) -> None:
    other = session(player_session, expires=expires, ended=ended)
    clean()
    assert exists(other) is not is_cleared
    assert exists(player_session)


@pytest.mark.parametrize("endpoint", ["deposit", "rollbackWithdrawal", "rollbackDeposit"])
def test_session__named_by_a_transaction_is_kept_for_ever(old: PlayerSession, endpoint: str) -> None:
    old.done(endpoint, unique("mm"), "1.00" if endpoint == "deposit" else None)
    clean()
    assert exists(old)


def test_session__is_kept_as_long_as_the_settings_say(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = session(player_session, expires=35 * DAY)
    monkeypatch.setattr(settings, "SESSION_DAYS", 40)
    clean()
    assert exists(other)


def test_batch__is_bounded_and_the_next_run_goes_on(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean()
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "MOST_BATCHES", 2)
    player_sessions = [session(player_session, expires=(40 - number) * DAY) for number in range(5)]
    kept = session(player_session, expires=41 * DAY)
    kept.done("deposit", unique("mm"), "1.00")
    run = clean()
    assert (run.looked_at, run.done, run.note) == (
        4,
        4,
        "Cleared: 4 sessions.",
    )
    assert [exists(other) for other in player_sessions] == [False] * 4 + [True]
    assert (clean().done, exists(player_sessions[4]), exists(kept)) == (1, False, True)


def test_batch__whole_is_committed_whatever_happens_to_the_next(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean()
    monkeypatch.setattr(retention, "BATCH", 1)
    player_sessions = [session(player_session, expires=days * DAY) for days in (40, 39)]
    clear_batch, done = retention.clear_batch, []

    def killed_at_the_second(*arguments: Any) -> list[UUID]:
        done.append(1)
        if len(done) == 2:
            raise KeyboardInterrupt
        return clear_batch(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(retention, "clear_batch", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            clean()
    assert [exists(other) for other in player_sessions] == [False, True]


# --- Sessions that are used in the same instant ---------------------------------------------------------

CALLS = [("deposit", "1.00"), ("rollbackWithdrawal", None), ("rollbackDeposit", None)]
OPEN = """
    SELECT ledger_open(p_type => 'deposit', p_game => %s, p_token_hash => %s, p_mm => %s, p_amount => 100,
        p_currency => %s, p_description => '', p_pending => '72 hours', p_actor => 'test',
        p_credential => gen_random_uuid(), p_endpoint => 'deposit', p_address => '127.0.0.1',
        p_elapsed_us => 0)
"""


def in_thread(player_session: PlayerSession, endpoint: str, mm: str, amount: str | None) -> int | None:
    """The error of a call, or None."""
    try:
        return player_session.call(endpoint, mm, amount).error
    finally:
        connection.close()


def waits(call: "Future[int | None]") -> None:
    with pytest.raises(TimeoutError):
        call.result(0.4)


def assert_never_was(old: PlayerSession, mm: str) -> None:
    """Nothing names the session, and the wallet is sound."""
    assert not exists(old)
    assert not Transaction.objects.filter(player=old.player, mm_transaction_id=mm).exists()
    assert problems_of(old.player) == []


def test_session__that_is_just_being_named_is_left_alone(old: PlayerSession, owner: Owner) -> None:
    with owner.transaction():
        owner.execute(OPEN, [old.game.pk, token_hash(UUID(old.token)), unique("mm"), old.currency])
        clean()
        assert exists(old)
    clean()
    assert exists(old)
    assert problems_of(old.player) == []


def test_session__named_after_it_was_chosen_is_left_alone(old: PlayerSession, owner: Owner) -> None:
    """The clearing waits for the row here, where it would pass it by, so that it must read it again."""
    clearing = retention.SESSIONS.replace("SKIP LOCKED", "")
    bounds = {"after": UUID(int=0), "until": new_id(), "before": now() - 30 * DAY, "limit": 1000}
    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute(OPEN, [old.game.pk, token_hash(UUID(old.token)), unique("mm"), old.currency])
            chosen = pool.submit(chosen_in_thread, clearing, bounds)
            with pytest.raises(TimeoutError):
                chosen.result(0.4)
        assert old.session().pk not in chosen.result(10)


def chosen_in_thread(question: str, bounds: dict[str, Any]) -> list[UUID]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(question, bounds)
            return [id for (id,) in cursor.fetchall()]
    finally:
        connection.close()


@pytest.mark.parametrize(("endpoint", "amount"), CALLS)
def test_session__is_unknown_to_a_call_while_it_is_being_cleared(
    old: PlayerSession, owner: Owner, endpoint: str, amount: str | None
) -> None:
    mm, before = unique("mm"), old.holding()
    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute("DELETE FROM players_gamesession WHERE id = %s", [old.session().pk])
            call = pool.submit(in_thread, old, endpoint, mm, amount)
            waits(call)
        assert call.result(10) == 102
    assert old.holding() == before
    assert_never_was(old, mm)


@pytest.mark.parametrize(("endpoint", "amount"), CALLS)
def test_session__cleared_while_call_awaits_wallet_is_unknown(
    old: PlayerSession, owner: Owner, endpoint: str, amount: str | None
) -> None:
    mm, before = unique("mm"), old.holding()
    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute("SELECT 1 FROM wallet_wallet WHERE id = %s FOR UPDATE", [old.wallet().pk])
            call = pool.submit(in_thread, old, endpoint, mm, amount)
            waits(call)
            clean()
            assert not exists(old)
        assert call.result(10) == 102
    assert old.holding() == before
    assert_never_was(old, mm)


def test_session__clearing_and_naming_at_once_have_one_outcome(player_session: PlayerSession) -> None:
    outcomes = Counter(
        race(player_session, *CALLS[number % 3], head_start=number % 10 / 1000) for number in range(40)
    )
    assert outcomes.keys() <= {(None, 1, True), (102, 0, False)}
    assert problems_of(player_session.player) == []


def race(
    player_session: PlayerSession, endpoint: str, amount: str | None, head_start: float
) -> tuple[int | None, int, bool]:
    """The call's error, how many transactions there are then, and whether the session is still there."""
    old, mm, start = session(player_session, expires=31 * DAY), unique("mm"), threading.Barrier(2)

    def name() -> int | None:
        connection.ensure_connection()
        start.wait()
        return in_thread(old, endpoint, mm, amount)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(name)
        start.wait()
        sleep(head_start)
        clear("players_gamesession", retention.SESSIONS, now() - 30 * DAY)
        error = call.result(10)
    return error, Transaction.objects.filter(player=old.player, mm_transaction_id=mm).count(), exists(old)


# --- Runs of sweeps -------------------------------------------------------------------------------------


def ran(task: str, days: int, *, error: str = "", ended: bool = True) -> JobRun:
    began_at = now() - days * DAY
    return JobRun.objects.create(
        id=old_id(began_at),
        task=task,
        worker="test",
        began_at=began_at,
        ended_at=began_at + HOUR if ended else None,
        error=error,
    )


def test_job_run__old_are_cleared_but_last_success_of_each_task() -> None:
    busy, quiet = unique("busy"), unique("quiet")
    cleared = [
        ran(busy, 16),
        ran(busy, 15),
        ran(busy, 15, error="failed"),
        ran(busy, 15, ended=False),
        ran(quiet, 30),
        ran(quiet, 15, error="failed"),
    ]
    kept = [ran(busy, 13), ran(busy, 1, error="failed"), ran(quiet, 20)]
    clean()
    assert set(JobRun.objects.filter(task__in=[busy, quiet])) == set(kept)
    assert not JobRun.objects.filter(pk__in=[run.pk for run in cleared]).exists()


# --- Questions to games ---------------------------------------------------------------------------------


def asked(player_session: PlayerSession, days: int, *, closed: bool) -> Question:
    """A question about a transaction that is settled since, or not."""
    asked_at = now() - days * DAY
    due = player_session.transaction(player_session.opened("withdraw", "1.00"))
    closed_at = asked_at + HOUR if closed else None
    inquiry = Inquiry.objects.create(
        transaction=due,
        player=player_session.player,
        game=player_session.game,
        began_at=asked_at,
        next_attempt_at=None if closed else now() + 999 * DAY,
        closed_at=closed_at,
    )
    return Question.objects.create(
        id=old_id(asked_at), inquiry=inquiry, game=player_session.game, asked_by="test", asked_at=asked_at
    )


def test_inquiry__queries_are_cleared_a_year_after_if_settled(player_session: PlayerSession) -> None:
    cleared, open_, young = (
        asked(player_session, 366, closed=True),
        asked(player_session, 366, closed=False),
        asked(player_session, 364, closed=True),
    )
    clean()
    assert set(Question.objects.filter(inquiry__player=player_session.player)) == {open_, young}
    assert Inquiry.objects.filter(pk=cleared.inquiry_id).exists()
    Inquiry.objects.filter(player=player_session.player).update(closed_at=now(), next_attempt_at=None)


# --- The call log ---------------------------------------------------------------------------------------


def parts(owner: Owner) -> set[str]:
    """Which days the call log has parts for."""
    return {
        row[0]
        for row in owner.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'wallet_apicall'::regclass"
        )
    }


def part(moment: datetime) -> str:
    return f"wallet_apicall_{moment.astimezone(UTC):%Y%m%d}"


def test_call_log__whole_days_are_made_ahead_and_dropped_by_age(owner: Owner) -> None:
    at = now()
    for days in (90, 91, 400):
        owner.execute("SELECT call_log_prepare_day(%s)", [(at - days * DAY).astimezone(UTC).date()])
    run = clean()
    assert parts(owner).isdisjoint({part(at - 91 * DAY), part(at - 400 * DAY)})
    assert parts(owner) >= {part(at - 90 * DAY)} | {part(at + days * DAY) for days in range(4)}
    assert run.note.endswith("2 days of the call log.")


def test_retention__never_clears_money_history_and_ids(owner: Owner, old: PlayerSession) -> None:
    old.done("deposit", str(uuid4()), "1.00")
    tables = (
        "wallet_transaction",
        "wallet_entry",
        "wallet_wallet",
        "wallet_inquiry",
        "players_player",
        "players_playerevent",
        "wallet_discrepancy",
    )
    before = [owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in tables]
    clean()
    assert [owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in tables] == before
