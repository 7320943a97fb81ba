"""What games' calls were answered with is counted by game, and written down once."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError

from lib.clock import now
from lib.ids import new_id
from players.access import answer_counts
from players.access.answer_counts import ANSWER_COUNTS, DAYS_KEPT, AnswerCounts, Key, forget_old_answers
from players.models import AnswerCount, Game
from tests.support.callers import Caller, PlayerSession, basic, make_party, open_session, unique


@pytest.fixture
def session(callers: Any) -> PlayerSession:
    """A player's session in a game of its own."""
    return open_session(make_party(), callers.player())


def counted(game: Game) -> dict[tuple[str, int], int]:
    """What is written down about a game, by endpoint and code."""
    ANSWER_COUNTS.write()
    rows = AnswerCount.objects.filter(game=game)
    return {(row.endpoint, row.code): row.times for row in rows}


def test_refusals__are_counted_by_endpoint_and_code(session: PlayerSession) -> None:
    for _ in range(2):
        session.call("withdraw", unique("mm"), "0.00")
    session.call("withdraw", unique("mm"), "5.00")
    session.call("confirmWithdrawal", unique("mm"))
    session.caller.post("/payments/query", {"cpOrderId": "x"})
    session.caller.send("GET", "/wallet/getBalance")
    assert counted(session.game) == {
        ("withdraw", 101): 2,
        ("withdraw", 104): 1,
        ("confirmWithdrawal", 106): 1,
        ("query", 106): 1,
        ("getBalance", 405): 1,
    }


def test_refusals__of_credentials_are_counted_where_the_name_is_known(session: PlayerSession) -> None:
    credential = session.game.credentials.get()
    Caller(basic(credential.username, "wrong")).post("/wallet/getBalance", {})
    Caller(basic(unique("nobody"), "wrong")).post("/wallet/getBalance", {})
    # Right, but for another part of the API.
    session.caller.post("/entry/balance", {})
    assert counted(session.game) == {("none", 401): 2}


def test_refusals__without_an_answer_are_counted() -> None:
    party = make_party(("192.0.2.0/24",))
    assert party.caller.send("POST", "/wallet/getBalance", b"{}").status == 403
    assert counted(party.game) == {("none", 403): 1}


def test_successes__are_counted_of_what_no_log_has(session: PlayerSession) -> None:
    session.done("verifySession")
    session.done("getBalance")
    session.opened("deposit", "1.00")
    assert counted(session.game) == {("verifySession", 0): 1, ("getBalance", 0): 1}


def test_count__has_first_last_and_the_latest_example(session: PlayerSession) -> None:
    session.call("withdraw", "first", "0.00")
    assert counted(session.game) == {("withdraw", 101): 1}
    before = AnswerCount.objects.get(game=session.game)
    session.call("withdraw", "second", "0.00")
    assert counted(session.game) == {("withdraw", 101): 2}
    after = AnswerCount.objects.get(game=session.game)
    assert after.first_seen_at == before.first_seen_at <= before.last_seen_at < after.last_seen_at <= now()
    assert (after.day, '"first"' in before.example) == (after.last_seen_at.date(), True)
    assert '"second"' in after.example
    assert session.token not in after.example


def test_count__that_could_not_be_written_is_written_later(session: PlayerSession) -> None:
    counts, key = AnswerCounts(), Key(session.game.pk, "withdraw", 104)
    counts.note(key, {"mmTransactionId": "before"})
    with patch.object(answer_counts, "add", side_effect=OperationalError), pytest.raises(OperationalError):
        counts.write()
    counts.note(key, {"mmTransactionId": "after"})
    counts.write()
    counts.write()
    row = AnswerCount.objects.get(game=session.game)
    assert (row.times, '"before"' in row.example) == (2, True)


def test_count__of_a_game_that_is_not_there_holds_up_no_other(session: PlayerSession) -> None:
    counts = AnswerCounts()
    counts.note(Key(new_id(), "withdraw", 104))
    counts.note(Key(session.game.pk, "withdraw", 104))
    counts.write()
    assert counted(session.game) == {("withdraw", 104): 1}


def test_counts__in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch, session: PlayerSession) -> None:
    monkeypatch.setattr(answer_counts, "MOST_KEYS", 2)
    counts = AnswerCounts()
    for code in (101, 102, 103, 101):
        counts.note(Key(session.game.pk, "withdraw", code))
    assert {key.code: tally.times for key, tally in counts.tallies.items()} == {101: 2, 102: 1}


def test_counts__are_kept_for_90_days(session: PlayerSession) -> None:
    at = now()
    for code, day in ((101, at - DAYS_KEPT - timedelta(days=1)), (102, at - DAYS_KEPT + timedelta(days=1))):
        AnswerCount.objects.create(
            game=session.game,
            day=day.date(),
            endpoint="withdraw",
            code=code,
            times=1,
            first_seen_at=day,
            last_seen_at=day,
        )
    assert forget_old_answers() >= 1
    assert counted(session.game) == {("withdraw", 102): 1}
