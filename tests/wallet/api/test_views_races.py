"""Calls at the same instant, on the real server: one movement, one winner, never more money than there is
(contract 2.3).
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from django.db import connection

from config.launcher.supervisor import ROOT
from tests.support.callers import Answer, Callers, PlayerSession, unique
from tests.support.invariants import problems_of
from wallet import ledger

Action = Callable[[], Answer]


def together(actions: Sequence[Action]) -> list[Answer]:
    """Runs all actions at the same instant, a thread each; returns their answers in order."""
    barrier = threading.Barrier(len(actions))
    answers: list[Answer | None] = [None] * len(actions)

    def act(index: int) -> None:
        barrier.wait()
        answers[index] = actions[index]()

    threads = [threading.Thread(target=act, args=(index,)) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = [answer for answer in answers if answer is not None]
    assert len(given) == len(actions)
    assert {answer.status for answer in given} == {200}, [answer.raw for answer in given]
    return given


def errors(answers: Sequence[Answer]) -> set[int | None]:
    return {answer.error for answer in answers}


@pytest.mark.parametrize("round", range(10))
def test_race__one_withdrawal_sent_16_times_at_once_happens_once(
    callers: Callers, server: str, round: int
) -> None:
    player_session, mm = callers.player_session(url=server), unique("mm")
    before = player_session.holding()
    answers = together([lambda: player_session.call("withdraw", mm, "30.00")] * 16)
    assert errors(answers) == {None}
    assert len({answer.raw for answer in answers}) == 1
    assert player_session.holding() == before._replace(
        spendable=70_00, reserved=30_00, entries=before.entries + 1
    )


def test_race__other_calls_sent_16_times_at_once_happen_once(callers: Callers, server: str) -> None:
    player_session = callers.player_session(url=server)
    mm, win, buried, poor = (
        player_session.opened("withdraw", "30.00"),
        unique("mm"),
        unique("mm"),
        unique("mm"),
    )
    before = player_session.holding().entries
    calls: list[tuple[int | None, Action]] = [
        (None, lambda: player_session.call("deposit", win, "5.00")),
        (None, lambda: player_session.call("confirmDeposit", win, "5.00")),
        (None, lambda: player_session.call("confirmWithdrawal", mm, "30.00")),
        (None, lambda: player_session.call("rollbackWithdrawal", buried)),
        (104, lambda: player_session.call("withdraw", poor, "1000.00")),
        (None, lambda: player_session.call("rollbackWithdrawal", poor)),
        (106, lambda: player_session.call("confirmWithdrawal", unique("mm"))),
    ]
    for expected, call in calls:
        answers = together([call] * 16)
        assert errors(answers) == {expected}
        assert len({answer.raw for answer in answers}) == 1
    assert player_session.holding() == (75_00, 0, 0, 0, before + 6)
    assert problems_of(player_session.player) == []


def test_race__one_of_confirm_and_rollback_wins_in_200_rounds(callers: Callers, server: str) -> None:
    player_session = callers.player_session(200_00, url=server)
    won = {"paid": 0, "returned": 0}
    for _ in range(200):
        mm = player_session.opened("withdraw", "1.00")
        before = player_session.holding()
        confirm, rollback = (
            partial(player_session.call, "confirmWithdrawal", mm, "1.00"),
            partial(player_session.call, "rollbackWithdrawal", mm),
        )
        answers = together([confirm, rollback] * 2)
        confirms, rollbacks = errors(answers[0::2]), errors(answers[1::2])
        assert (confirms, rollbacks) in (({None}, {107}), ({108}, {None}))
        paid = None in confirms
        won["paid" if paid else "returned"] += 1
        assert player_session.holding() == (
            before.spendable + (0 if paid else 1_00),
            0,
            0,
            0,
            before.entries + 1,
        )
    # Were one of them always the first, nothing would have been raced here.
    assert min(won.values()) > 0, won
    assert player_session.holding()[0] == 200_00 - won["paid"] * 1_00
    assert problems_of(player_session.player) == []
    assert player_session.discrepancies() == []


@pytest.mark.parametrize("round", range(20))
def test_race__one_of_confirm_rollback_and_platform_expiry_wins(
    callers: Callers, server: str, round: int
) -> None:
    player_session = callers.player_session(url=server)
    mm = player_session.opened("withdraw", "40.00")
    resolved: list[str] = []
    sweep = threading.Thread(target=lambda: resolved.append(expire(player_session, mm)))
    sweep.start()
    confirmed, rolled = together(
        [
            lambda: player_session.call("confirmWithdrawal", mm, "40.00"),
            lambda: player_session.call("rollbackWithdrawal", mm),
        ]
    )
    sweep.join()
    state = player_session.transaction(mm).state
    assert (state, confirmed.error, rolled.error) in [
        ("confirmed", None, 107),
        ("rolled_back", 108, None),
        ("expired", 109, None),
    ]
    assert resolved == ["expired" if state == "expired" else f"already_{state}"]
    assert player_session.holding()[:2] == ((60_00 if state == "confirmed" else 100_00), 0)


def expire(player_session: PlayerSession, mm: str) -> str:
    """What the ledger says to a sweep, on this thread's own connection."""
    try:
        return ledger.resolve_transaction(
            transaction_id=player_session.transaction(mm).pk,
            event="expired",
            source="sweep",
            actor="sweep",
            reason="",
        ).outcome
    finally:
        connection.close()


@pytest.mark.parametrize("round", range(5))
def test_race__sixteen_withdrawals_at_once_cannot_overdraw(callers: Callers, server: str, round: int) -> None:
    player_session = callers.player_session(50_00, url=server)
    answers = together([lambda: player_session.call("withdraw", unique("mm"), "10.00")] * 16)
    assert sorted(answer.error or 0 for answer in answers) == [0] * 5 + [104] * 11
    assert sorted(answer.balance for answer in answers if answer.error is None) == [
        "0.00",
        "10.00",
        "20.00",
        "30.00",
        "40.00",
    ]
    assert {answer.balance for answer in answers if answer.error} <= {
        "0.00",
        "10.00",
        "20.00",
        "30.00",
        "40.00",
        "50.00",
    }
    assert player_session.holding()[:2] == (0, 50_00)
    assert problems_of(player_session.player) == []


def test_race__withdrawal_and_its_rollback_never_lose_money(callers: Callers, server: str) -> None:
    player_session = callers.player_session(url=server)
    for _ in range(50):
        mm = unique("mm")
        opened, rolled = together(
            [
                partial(player_session.call, "withdraw", mm, "40.00"),
                partial(player_session.call, "rollbackWithdrawal", mm),
            ]
        )
        assert rolled.error is None
        assert opened.error in (None, 108)
        assert player_session.holding()[:2] == (100_00, 0)
        assert player_session.call("withdraw", mm, "40.00").error == 108
    assert problems_of(player_session.player) == []


@pytest.mark.parametrize("round", range(20))
def test_race__one_id_opened_in_two_currencies_is_opened_in_one(
    callers: Callers, server: str, round: int
) -> None:
    silver, mm = callers.player_session(url=server), unique("mm")
    euro = silver.elsewhere("EUR")
    euro.adjust("credit", 100_00)
    answers = together(
        [lambda: silver.call("withdraw", mm, "10.00"), lambda: euro.call("withdraw", mm, "10.00")] * 4
    )
    outcomes = (errors(answers[0::2]), errors(answers[1::2]))
    assert outcomes in (({None}, {110}), ({110}, {None}))
    held = (silver.holding()[:2], euro.holding()[:2])
    assert held == (((90_00, 10_00), (100_00, 0)) if outcomes[0] == {None} else ((100_00, 0), (90_00, 10_00)))
    assert problems_of(silver.player) == []


@pytest.mark.parametrize("round", range(20))
def test_race__opening_and_rollback_via_other_currency_agree(
    callers: Callers, server: str, round: int
) -> None:
    silver, mm = callers.player_session(url=server), unique("mm")
    euro = silver.elsewhere("EUR")
    opened, rolled = together(
        [lambda: silver.call("withdraw", mm, "10.00"), lambda: euro.call("rollbackWithdrawal", mm)]
    )
    assert rolled.error is None
    assert opened.error in (None, 108)
    assert rolled.body["balance"]["currencyCode"] == ("XAG" if opened.error is None else "EUR")
    assert (silver.holding()[:2], euro.holding()[:2]) == ((100_00, 0), (0, 0))
    assert problems_of(silver.player) == []


def test_race__many_games_calls_of_one_player_keep_the_sum(callers: Callers, server: str) -> None:
    """Withdrawals, deposits and their ends in any order, from two games at once: what is left is what was not
    spent.
    """
    player_session = callers.player_session(1000_00, url=server)
    other = player_session.elsewhere(party=callers.other_game, at=server)

    def play(table: PlayerSession, number: int) -> Answer:
        mm = f"round-{number}"
        table.call("withdraw", mm, "3.00")
        table.call("deposit", mm, "2.00")
        table.call("confirmWithdrawal" if number % 2 else "rollbackWithdrawal", mm)
        return table.call("confirmDeposit", mm)

    for start in range(0, 40, 8):
        answers = together(
            [
                partial(play, table, number)
                for number in range(start, start + 8)
                for table in (player_session, other)
            ]
        )
        assert errors(answers) == {None}
    # 80 deposits of 2.00, and half of 80 withdrawals of 3.00.
    assert player_session.holding()[:4] == (1000_00 + 160_00 - 120_00, 0, 0, 0)
    assert problems_of(player_session.player) == []


FIRST_USE = """
import os, sys, threading
import django; django.setup()
import msgspec
from decimal import Decimal
from lib.http.requests import fit
from players.access.api_view import ApiView
sys.setswitchinterval(1e-6)

def race(amount_in):
    class Shape(msgspec.Struct):
        token: str
        amount: amount_in | msgspec.UnsetType = msgspec.UNSET
    class View(ApiView):
        shape = Shape
    barrier = threading.Barrier(16)
    def act():
        barrier.wait()
        fit({"token": "x", "amount": {"amount": Decimal(5), "currencyCode": "XAG"}}, View.shape)
    threads = [threading.Thread(target=act) for _ in range(16)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

for _ in range(200):
    class AmountIn(msgspec.Struct):
        amount: Decimal
        currencyCode: str
    race(AmountIn)
"""


def test_race__first_calls_of_a_process_can_come_together() -> None:
    """msgspec crashes the process where several threads use a shape for the first time; in a process of its
    own, for it would take ours along.
    """
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", FIRST_USE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-500:]
