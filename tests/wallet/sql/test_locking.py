"""Who waits for whom.

Lost races are tried again and so come right too: here nothing is, and only a lock helps.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from tests.support.callers import Answer, Seat, unique
from tests.support.invariants import problems_of
from wallet.operations import freeze_wallet, limit_withdrawals

Owner = psycopg.Connection[Any]
# Each gets a seat and the id of its pending withdrawal of 10.00.
OPERATIONS: dict[str, Callable[[Seat, str], object]] = {
    "opening": lambda seat, _: seat.done("withdraw", unique("mm"), "1.00"),
    "announcement": lambda seat, _: seat.done("deposit", unique("mm"), "1.00"),
    "confirmation": lambda seat, mm: seat.done("confirmWithdrawal", mm),
    "rollback": lambda seat, mm: seat.done("rollbackWithdrawal", mm),
    "rollback that overtakes": lambda seat, _: seat.done("rollbackWithdrawal", unique("mm")),
    "expiry": lambda seat, mm: seat.resolve(mm, "expired"),
    "adjustment": lambda seat, _: seat.adjust("debit", 1_00),
    "freeze": lambda seat, _: freeze_wallet(seat.wallet(), actor="test", reason="test"),
    "limit": lambda seat, _: limit_withdrawals(seat.wallet(), most=5_00, actor="test", reason="test"),
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
def test_every_operation_on_a_wallet_waits_for_the_one_before_it(
    seat: Seat, owner: Owner, operation: str
) -> None:
    mm, before = seat.opened("withdraw", "10.00"), seat.holding().entries
    adjust = """
        SELECT ledger_adjust(p_id => gen_random_uuid(), p_player => %s, p_currency => 'XAG',
            p_type => 'credit',
            p_amount => 500, p_into_debt => false, p_source => 'operator', p_actor => 'test',
            p_reason => 'test')
    """
    assert after(owner, adjust, [seat.player.pk], lambda: OPERATIONS[operation](seat, mm))
    assert seat.holding().entries == before + 2
    assert problems_of(seat.player) == []


@pytest.mark.parametrize(
    ("settling", "spendable"), [("rollbackWithdrawal", 100_00), ("confirmWithdrawal", 90_00)]
)
def test_what_waited_for_one_wallet_settles_what_was_opened_in_another_meanwhile(
    seat: Seat, owner: Owner, settling: str, spendable: int
) -> None:
    """The lost race is noticed, and the call is repeated with the right wallet."""
    euro, mm = seat.elsewhere("EUR"), unique("mm")

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
            opened = seat.done("withdraw", mm, "10.00")
        settled = waiting.result(10)
    assert settled.body["qwTransactionId"] == opened.body["qwTransactionId"]
    assert settled.body["balance"]["currencyCode"] == "XAG"
    assert (seat.holding()[:4], euro.holding()) == ((spendable, 0, 0, 0), (0, 0, 0, 0, 1))
    assert problems_of(seat.player) == []


PREPARE = "SELECT call_log_prepare_day('2033-04-01')"
DROP = "SELECT call_log_drop_before('2033-04-03')"


@pytest.fixture
def days(owner: Owner) -> Iterator[None]:
    """Afterwards no partition of a day is left."""
    yield
    owner.execute("SELECT call_log_drop_before('9999-01-01')")


@pytest.mark.usefixtures("days")
@pytest.mark.parametrize(
    ("first", "second", "answer"), [(PREPARE, PREPARE, False), (PREPARE, DROP, 1), (DROP, PREPARE, True)]
)
def test_who_makes_or_drops_days_of_the_call_log_waits_for_who_does(
    owner: Owner, first: str, second: str, answer: object
) -> None:
    assert after(owner, first, [], lambda: asked(second)) == answer


@pytest.mark.usefixtures("days")
def test_who_drops_days_of_the_call_log_waits_for_who_drops_them(owner: Owner) -> None:
    owner.execute(PREPARE)
    assert after(owner, DROP, [], lambda: asked(DROP)) == 0


@pytest.mark.usefixtures("days")
def test_a_day_of_the_call_log_waits_for_calls_that_are_being_written_and_takes_them_over(
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
