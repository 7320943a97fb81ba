"""Many calls in one statement: what is left out, what is waited for, what fails together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DataError
from psycopg.types.numeric import Int4

from tests.support.call_batches import Parameters, done_alone, done_together, opening, settling
from tests.support.callers import Callers, PlayerSession, unique
from tests.support.invariants import problems_of
from wallet.models import ApiCall, Transaction

Owner = psycopg.Connection[Any]
LOCK = "SELECT 1 FROM wallet_wallet WHERE id = %s FOR NO KEY UPDATE"
LONGEST_S = 10


def in_other_thread(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


def outcomes(calls: list[Parameters], *, waits: bool = False) -> dict[int, str]:
    return {place: answer.outcome for place, answer in done_together(calls, waits=waits).items()}


def test_many__opens_and_settles_in_the_order_given(player_session: PlayerSession) -> None:
    first, second = unique("mm"), unique("mm")
    answers = done_together(
        [
            settling(player_session, first),
            opening(player_session, first, 60_00),
            opening(player_session, second, 60_00),
            settling(player_session, first, "rolled_back"),
            opening(player_session, first, 60_00),
        ]
    )
    assert [(place, answer.outcome, answer.balance) for place, answer in answers.items()] == [
        (1, "opened", 40_00),
        (2, "insufficient_funds", 40_00),
        (4, "opened", 40_00),
        (0, "confirmed", 40_00),
        (3, "already_confirmed", 40_00),
    ]
    assert answers[1].transaction_id == str(player_session.transaction(first).pk)
    assert problems_of(player_session.player) == []


def test_many__answers_each_in_its_own_currency(callers: Callers, player_session: PlayerSession) -> None:
    yen = callers.player_session(500, "JPY")
    answers = done_together([opening(player_session, unique("mm")), opening(yen, unique("mm"), 7)])
    assert [(answer.balance, answer.currency) for answer in answers.values()] == [
        (99_00, "XAG"),
        (493, "JPY"),
    ]


def test_many__without_calls_answers_nothing() -> None:
    assert done_together([]) == {}


def test_many__writes_what_the_one_call_functions_write(player_session: PlayerSession) -> None:
    mm = unique("mm")
    call = opening(player_session, mm, 3_00, pending=timedelta(hours=50, microseconds=3))
    done_together([call, settling(player_session, mm, "rolled_back", reason="a “reason”: \\ \n")])
    row = player_session.transaction(mm)
    assert (row.amount, row.description, row.actor) == (3_00, "a bet", "game test")
    assert (row.due_at or row.opened_at) - row.opened_at == timedelta(hours=50, microseconds=3)
    assert (row.state, row.reason, row.settled_actor) == ("rolled_back", "a “reason”: \\ \n", "game test")
    logged = ApiCall.objects.get(mm_transaction_id=mm, outcome="opened")
    assert (logged.credential, logged.endpoint, logged.address) == (
        call["credential"],
        "withdrawal",
        "10.0.0.1",
    )
    assert (logged.amount, logged.currency_code, logged.replayed) == (3_00, "XAG", False)


# --- Locks ------------------------------------------------------------------------------------------


def test_many__leaves_out_exactly_what_is_held_elsewhere(
    callers: Callers, player_session: PlayerSession, owner: Owner
) -> None:
    free, mm = callers.player_session(), player_session.opened("withdraw", "1.00")
    unknown = replace(player_session, token=str(uuid4()))
    stranger = replace(player_session, game=callers.other_game.game)
    before = player_session.holding()
    calls = [
        opening(player_session, unique("mm")),
        opening(free, unique("mm")),
        opening(unknown, unique("mm")),
        opening(stranger, unique("mm")),
        settling(player_session, mm),
        settling(player_session, unique("mm"), "rolled_back"),
        settling(free, unique("mm"), "rolled_back"),
        settling(unknown, mm),
        settling(stranger, mm),
    ]
    with owner.transaction():
        owner.execute(LOCK, [player_session.wallet().pk])
        with ThreadPoolExecutor(1) as pool:
            answered = pool.submit(in_other_thread, lambda: outcomes(calls)).result(LONGEST_S)
    assert answered == {
        1: "opened",
        2: "unknown_token",
        3: "unknown_token",
        6: "rolled_back",
        7: "unknown_token",
        8: "unknown_token",
    }
    assert (player_session.holding(), problems_of(player_session.player, free.player)) == (before, [])
    assert outcomes(calls)[0] == "opened"


@pytest.mark.parametrize("of_transaction", [True, False])
def test_settling__goes_by_the_wallet_of_the_transaction(
    player_session: PlayerSession, owner: Owner, of_transaction: bool
) -> None:
    """Which may be another than the session's."""
    euro, mm = player_session.elsewhere("EUR"), player_session.opened("withdraw", "1.00")
    with owner.transaction():
        owner.execute(LOCK, [(player_session if of_transaction else euro).wallet().pk])
        with ThreadPoolExecutor(1) as pool:
            calls = [settling(euro, mm)]
            answered = pool.submit(in_other_thread, lambda: outcomes(calls)).result(LONGEST_S)
    assert answered == ({} if of_transaction else {0: "confirmed"})


def test_many__holds_its_locks_and_no_others_until_the_end(
    callers: Callers, player_session: PlayerSession
) -> None:
    """A second statement leaves out what the first works on, until that is committed."""
    other, free = callers.player_session(), callers.player_session()
    calls = [opening(player_session, unique("mm")), settling(other, unique("mm"), "rolled_back")]
    of_free = [opening(free, unique("mm")), settling(free, unique("mm"), "rolled_back")]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert len(outcomes(calls)) == 2
            answered = pool.submit(in_other_thread, lambda: outcomes([*calls, *of_free])).result(LONGEST_S)
            assert answered == {2: "opened", 3: "rolled_back"}
        assert len(pool.submit(in_other_thread, lambda: outcomes(calls)).result(LONGEST_S)) == 2


@pytest.mark.parametrize("kind", ["opening", "settling"])
def test_many__waits_for_a_lock_if_told_so(player_session: PlayerSession, owner: Owner, kind: str) -> None:
    mm = player_session.opened("withdraw", "1.00")
    call = opening(player_session, unique("mm")) if kind == "opening" else settling(player_session, mm)
    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute(LOCK, [player_session.wallet().pk])
            waiting = pool.submit(in_other_thread, lambda: outcomes([call], waits=True))
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
        assert waiting.result(LONGEST_S) == {0: "opened" if kind == "opening" else "confirmed"}


def test_many__sees_what_the_one_before_committed(player_session: PlayerSession) -> None:
    """Money that is gone when the lock is there is not spent again."""
    call = opening(player_session, unique("mm"))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            done_alone(opening(player_session, unique("mm"), 100_00))
            waiting = pool.submit(in_other_thread, lambda: outcomes([call], waits=True))
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
        assert waiting.result(LONGEST_S) == {0: "insufficient_funds"}
    assert problems_of(player_session.player) == []


# --- What it takes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [opening, settling])
def test_many__takes_64_calls(player_session: PlayerSession, kind: Callable[..., Parameters]) -> None:
    calls = [kind(player_session, unique("mm"), amount=1) for _ in range(65)]
    assert len(outcomes(calls[:64])) == 64
    before = player_session.holding()
    with pytest.raises(DataError, match="_many takes no '65' calls"):
        outcomes(calls)
    assert (player_session.holding(), problems_of(player_session.player)) == (before, [])


@pytest.mark.parametrize("function", ["ledger_open_many", "ledger_settle_many"])
@pytest.mark.parametrize("arguments", ["NULL, false", "'[]', NULL"])
def test_many__takes_no_null(function: str, arguments: str) -> None:
    with pytest.raises(DataError, match=f"{function} takes no "), connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {function}({arguments})")


@pytest.mark.parametrize("wrong", [{"amount": 0}, {"type": "top_up"}])
def test_many__changes_nothing_if_one_call_fails(
    callers: Callers, player_session: PlayerSession, wrong: dict[str, Any]
) -> None:
    other, mm = callers.player_session(), unique("mm")
    with pytest.raises(DataError, match="ledger_open takes no"):
        done_together([opening(player_session, mm), {**opening(other, unique("mm")), **wrong}])
    assert (player_session.holding(), other.holding()) == ((100_00, 0, 0, 0, 2), (100_00, 0, 0, 0, 2))
    assert not Transaction.objects.filter(mm_transaction_id=mm).exists()
    assert not ApiCall.objects.filter(mm_transaction_id=mm).exists()


# --- The call log -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["opening", "settling"])
def test_many__counts_the_wait_within_the_statement(
    player_session: PlayerSession, owner: Owner, kind: str
) -> None:
    mms = [unique("mm"), unique("mm")]
    calls = [
        opening(player_session, mm) if kind == "opening" else settling(player_session, mm, "rolled_back")
        for mm in mms
    ]
    calls = [{**call, "elapsed_us": Int4(5_000_000)} for call in calls]
    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute(LOCK, [player_session.wallet().pk])
            waiting = pool.submit(in_other_thread, lambda: outcomes(calls, waits=True))
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
        waiting.result(LONGEST_S)
    first, second = (ApiCall.objects.get(mm_transaction_id=mm).took_us for mm in mms)
    assert 5_200_000 < first < second < 5_000_000 + LONGEST_S * 1_000_000


def test_many__and_one_alone_count_alike(player_session: PlayerSession) -> None:
    calls = [opening(player_session, unique("mm")) for _ in range(2)]
    done_alone(calls[0])
    done_together([calls[1]])
    alone, together = (ApiCall.objects.get(mm_transaction_id=call["mm"]).took_us for call in calls)
    assert 0 < alone < 1_000_000
    assert 0 < together < 1_000_000
