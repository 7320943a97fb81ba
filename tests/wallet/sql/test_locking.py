"""Who waits for whom.

Lost races are tried again and so come right too: here nothing is, and only a lock helps.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from lib.ids import new_id
from tests.conftest import Clock
from tests.support.call_log_days import drop_days
from tests.support.callers import Answer, PlayerSession, act, unique
from tests.support.invariants import problems_of
from wallet.operations import freeze_wallet, limit_withdrawals

Owner = psycopg.Connection[Any]
# Each gets a session and the id of its pending withdrawal of 10.00.
OPERATIONS: dict[str, Callable[[PlayerSession, str], object]] = {
    "opening": lambda player_session, _: player_session.done("withdraw", unique("mm"), "1.00"),
    "announcement": lambda player_session, _: player_session.done("deposit", unique("mm"), "1.00"),
    "confirmation": lambda player_session, mm: player_session.done("confirmWithdrawal", mm),
    "rollback": lambda player_session, mm: player_session.done("rollbackWithdrawal", mm),
    "rollback that overtakes": lambda player_session, _: player_session.done(
        "rollbackWithdrawal", unique("mm")
    ),
    "expiry": lambda player_session, mm: player_session.resolve(mm, "expired"),
    "adjustment": lambda player_session, _: player_session.adjust("debit", 1_00),
    "freeze": lambda player_session, _: freeze_wallet(player_session.wallet(), actor="test", reason="test"),
    "limit": lambda player_session, _: limit_withdrawals(
        player_session.wallet(), most=5_00, actor="test", reason="test"
    ),
}


def once(action: Callable[[], object]) -> object:
    """Does it on this thread's own connection, in an atomic block, where nothing is tried again."""
    try:
        with transaction.atomic():
            return action()
    finally:
        connection.close()


def after(owner: Owner, statement: str, parameters: list[Any], action: Callable[[], object]) -> object:
    """The action's result, which must wait until the owner's statement is committed."""
    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute(statement, parameters)
            waiting = pool.submit(once, action)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
        return waiting.result(10)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_wallet_lock__every_operation_waits_for_the_previous(
    player_session: PlayerSession, owner: Owner, operation: str
) -> None:
    mm, before = player_session.opened("withdraw", "10.00"), player_session.holding().entries
    adjust = """
        SELECT ledger_adjust(p_id => %s, p_player => %s, p_currency => 'XAG',
            p_type => 'credit',
            p_amount => 500, p_into_debt => false, p_source => 'operator', p_actor => 'operator:test',
            p_reason => 'test')
    """
    id = act(new_id(), player_session.player, "credit", 500)
    assert after(
        owner, adjust, [id, player_session.player.pk], lambda: OPERATIONS[operation](player_session, mm)
    )
    assert player_session.holding().entries == before + 2
    assert problems_of(player_session.player) == []


@pytest.mark.parametrize(
    ("settling", "spendable"), [("rollbackWithdrawal", 100_00), ("confirmWithdrawal", 90_00)]
)
def test_wallet_lock__waiter_settles_what_other_wallet_opened(
    player_session: PlayerSession, owner: Owner, settling: str, spendable: int
) -> None:
    """The lost race is noticed, and the call is repeated with the right wallet."""
    euro, mm = player_session.elsewhere("EUR"), unique("mm")

    def settle() -> Answer:
        try:
            return euro.done(settling, mm)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute("SELECT 1 FROM wallet_wallet WHERE id = %s FOR UPDATE", [euro.wallet().pk])
            waiting = pool.submit(settle)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
            opened = player_session.done("withdraw", mm, "10.00")
        settled = waiting.result(10)
    assert settled.body["qwTransactionId"] == opened.body["qwTransactionId"]
    assert settled.body["balance"]["currencyCode"] == "XAG"
    assert (player_session.holding()[:4], euro.holding()) == ((spendable, 0, 0, 0), (0, 0, 0, 0, 1))
    assert problems_of(player_session.player) == []


# A day that is old enough to be dropped.
SUMMER = datetime.fromisoformat("2033-08-01T12:00:00+00:00")
PREPARE = "SELECT call_log_prepare_day('2033-04-01')"
DROP = "SELECT call_log_drop_before('2033-04-03')"


@pytest.fixture
def days(owner: Owner, clock: Clock) -> Iterator[None]:
    """Afterwards no partition of a day is left."""
    clock.stand(SUMMER)
    yield
    drop_days(owner)


@pytest.mark.usefixtures("days")
@pytest.mark.parametrize(
    ("first", "second", "answer"), [(PREPARE, PREPARE, False), (PREPARE, DROP, 1), (DROP, PREPARE, True)]
)
def test_call_log__making_or_dropping_days_waits_for_either(
    owner: Owner, first: str, second: str, answer: object
) -> None:
    assert after(owner, first, [], lambda: asked(second)) == answer


@pytest.mark.usefixtures("days")
def test_call_log__dropping_days_waits_for_dropping(owner: Owner) -> None:
    owner.execute(PREPARE)
    assert after(owner, DROP, [], lambda: asked(DROP)) == 0


@pytest.mark.usefixtures("days")
def test_call_log__new_day_waits_for_open_writes_and_takes_them(
    owner: Owner,
) -> None:
    call = """
        INSERT INTO wallet_apicall (id, at, game_id, credential, endpoint, mm_transaction_id, currency_code,
            address, outcome, replayed, took_us)
        VALUES (gen_random_uuid(), '2033-04-01T12:00:00Z', gen_random_uuid(), gen_random_uuid(), 'withdraw',
            'x', '', '10.0.0.1', 'opened', false, 1)
    """
    assert after(owner, call, [], lambda: asked(PREPARE)) is True
    assert owner.execute("SELECT count(*) FROM wallet_apicall_20330401").fetchone() == (1,)


def asked(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
