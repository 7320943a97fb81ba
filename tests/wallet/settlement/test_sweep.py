"""The end of an unfinished transaction (contract 2.4): every branch, with a game on a real socket."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from lib.clock import now
from players.models import Game
from players.operations import set_query_password
from tests.config.test_health import wait_until
from tests.conftest import Clock
from tests.support.callers import Callers, Party, PlayerSession, basic, make_party, open_session, unique
from tests.support.game_query_server import (
    Behaviour,
    FakeGame,
    closes,
    drips,
    hangs,
    http,
    late,
    playing,
    says,
    sends,
)
from tests.support.invariants import problems_of
from tests.support.owned import owned
from wallet.job_runs import Run
from wallet.models import Alert, Discrepancy, Inquiry, Outage, Pulse, Question, Transaction
from wallet.outages import leave_pulse
from wallet.settlement import inquiries, rules
from wallet.settlement import sweep as settlement_sweep
from wallet.settlement.decisions import decide
from wallet.settlement.sweep import (
    MOST_OF_A_GAME,
    MOST_UNUSABLE,
    RunBudget,
    expire_due,
    others_are_at_work,
    settle_due,
)

Owner = psycopg.Connection[Any]
HOUR = timedelta(hours=1)
DUE = timedelta(hours=72, minutes=1)


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch, database: None) -> None:
    """No outage, nothing left to ask by the tests before, and a fake game on this machine may be called."""
    Inquiry.objects.filter(closed_at=None).update(closed_at=now())
    owned(Pulse).all().delete()
    owned(Outage).all().delete()
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", 1.0)


@pytest.fixture
def game() -> Iterator[FakeGame]:
    with playing() as game:
        yield game


@pytest.fixture
def party(game: FakeGame) -> Iterator[Party]:
    """A game that can be asked."""
    party = make_party(query_url=game.url, query_username="quantum")
    set_query_password(party.game, "a password, with: colons")
    yield party
    # It is one game's: that of the next test.
    set_query_password(party.game, "")


def seated(callers: Callers, party: Party, funds: int = 100_00) -> PlayerSession:
    player_session = open_session(party, callers.player())
    player_session.adjust("credit", funds)
    return player_session


def sweep() -> Run:
    """One whole run of the sweep."""
    run = Run("settle_due")
    while not settle_due(run):
        pass
    return run


def inquiry(player_session: PlayerSession, mm: str, type: str = "withdrawal") -> Inquiry:
    return Inquiry.objects.get(transaction=player_session.transaction(mm, type))


def state(player_session: PlayerSession, mm: str, type: str = "withdrawal") -> str:
    return player_session.transaction(mm, type).state


# --- The game's word ----------------------------------------------------------------------------------

WORDS = [
    ("withdraw", "CONFIRMED", "confirmed", (70_00, 0, 0)),
    ("withdraw", "ROLLED_BACK", "rolled_back", (100_00, 0, 0)),
    ("deposit", "CONFIRMED", "confirmed", (130_00, 0, 0)),
    ("deposit", "ROLLED_BACK", "rolled_back", (100_00, 0, 0)),
]


@pytest.mark.parametrize(("opening", "word", "settled", "holds"), WORDS)
def test_sweep__settles_by_the_games_answer(
    callers: Callers,
    clock: Clock,
    game: FakeGame,
    party: Party,
    opening: str,
    word: str,
    settled: str,
    holds: tuple[int, ...],
) -> None:
    player_session = seated(callers, party)
    mm, type = (
        player_session.opened(opening, "30.00"),
        {"withdraw": "withdrawal", "deposit": "deposit"}[opening],
    )
    game.answers[mm] = says(word)
    clock.go_ahead(DUE)
    run = sweep()
    found = player_session.transaction(mm, type)
    assert (found.state, found.settled_source, found.settled_actor, found.reason) == (
        settled,
        "sweep",
        "sweep",
        f"The game said {word}.",
    )
    assert player_session.holding()[:3] == holds
    assert run.done >= 1
    assert game.times_asked(mm) == 1
    assert inquiry(player_session, mm, type).closed_at is not None
    sweep()
    assert game.times_asked(mm) == 1
    assert problems_of(player_session.player) == []


def test_sweep__query_is_the_contracts(callers: Callers, clock: Clock, game: FakeGame, party: Party) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("withdraw", "30.10")
    clock.go_ahead(DUE)
    sweep()
    raw = game.raw[game.asked.index(next(asked for asked in game.asked if asked["mmTransactionId"] == mm))]
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /state HTTP/1.1\r\n")
    assert f"authorization: {basic('quantum', 'a password, with: colons')}".lower() in head.decode().lower()
    assert json.loads(body, parse_float=Decimal) == {
        "mmTransactionId": mm,
        "qwTransactionId": str(player_session.transaction(mm).pk),
        "playerId": player_session.player.uid,
        "type": "withdrawal",
        "amount": {"amount": Decimal("30.10"), "currencyCode": "XAG"},
    }
    assert b'"amount":30.10,' in body


def test_sweep__does_nothing_before_it_is_due(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    game.otherwise = says("ROLLED_BACK")
    mm = player_session.opened("withdraw", "30.00")
    clock.go_ahead(timedelta(hours=71, minutes=59))
    sweep()
    assert (state(player_session, mm), game.times_asked(mm)) == ("pending", 0)


def test_sweep__goes_by_a_games_own_pending_time(callers: Callers, clock: Clock) -> None:
    quick, slow = (seated(callers, make_party(pending_hours=hours)) for hours in (50, 200))
    early, late = quick.opened("withdraw", "1.00"), slow.opened("withdraw", "1.00")
    clock.go_ahead(DUE)
    sweep()
    assert (state(quick, early), state(slow, late)) == ("expired", "pending")


# --- No usable answer ---------------------------------------------------------------------------------

FINE = http(b'{"state": "CONFIRMED"}')
UNUSABLE: dict[str, tuple[Behaviour, str]] = {
    "500": (sends(http(b'{"state": "CONFIRMED"}', "500 Oops")), "status 500"),
    "a NUL": (sends(http(b'{"state": "\x00"}')), "not JSON"),
    "a NUL and a 500": (sends(http(b"\x00", "500 Oops")), "status 500"),
    "an escaped NUL": (says("\x00"), "no state that we know"),
    "half a character": (says("\ud800"), "no state that we know"),
    "no UTF-8": (sends(http(b"\xff\xfe\xfd")), "not JSON"),
    "an id of nested lists": (
        sends(http(b'{"state": "CONFIRMED", "qwTransactionId": ' + b"[" * 300 + b"]" * 300 + b"}")),
        "names another qwTransactionId",
    ),
    "404": (sends(http(b"{}", "404 Not Found")), "status 404"),
    "redirect": (
        sends(http(b'{"state": "CONFIRMED"}', "302 Found", "Location: http://127.0.0.1:9/\r\n")),
        "status 302",
    ),
    "nonsense": (sends(b"certainly!\r\n\r\n"), "protocol"),
    "not json": (sends(http(b"CONFIRMED")), "not JSON"),
    "deep json": (sends(http(b"[" * 30_000)), "not JSON"),
    "a list": (sends(http(b'["CONFIRMED"]')), "no state that we know"),
    "no state": (sends(http(b"{}")), "no state that we know"),
    "small letters": (says("confirmed"), "no state that we know"),
    "another state": (says("DONE"), "no state that we know"),
    "a number": (says(1), "no state that we know"),
    "a list of it": (says(["CONFIRMED"]), "no state that we know"),
    "another transaction": (
        says("CONFIRMED", qwTransactionId="0194d000-0000-7000-8000-000000000000"),
        "names another qwTransactionId",
    ),
    "an id that is none": (says("CONFIRMED", qwTransactionId=7), "names another qwTransactionId"),
    "hanging": (hangs, "timeout"),
    "closing": (closes, "closed"),
    "dripping": (drips(FINE), "timeout"),
    "too long": (sends(http(b'{"state": "CONFIRMED", "x": "' + b"x" * 100_000 + b'"}')), "too_long"),
    "cut off": (sends(FINE[:-5]), "closed"),
}


ANY_BYTES = [
    (b'{"state": "\x00"}', "unusable", '{"state": "\\x00"}'),
    (b"\xff\x00\x1b[31m", "unusable", "\\xff\\x00\\x1b[31m"),
    ('{"state": "UNKNOWN"}'.encode("utf-16"), "unknown", '\\xff\\xfe{\\x00"\\x00s\\x00'),
    (b'\xef\xbb\xbf{"state": "UNKNOWN"}', "unknown", '\\ufeff{"state": "UNKNOWN"}'),
    (b"\x00" * 1000, "unusable", "\\x00" * 125),
]


@pytest.mark.parametrize(("body", "answer", "kept"), ANY_BYTES)
def test_sweep__any_bytes_of_an_answer_are_kept_and_counted(
    callers: Callers, clock: Clock, game: FakeGame, party: Party, body: bytes, answer: str, kept: str
) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("withdraw", "30.00")
    game.answers[mm] = sends(http(body))
    clock.stand(now() + DUE)
    run = sweep()
    found = inquiry(player_session, mm)
    question = Question.objects.get(inquiry=found)
    assert (run.failed, question.answer, found.last_answer) == (0, answer, answer)
    assert question.body.startswith(kept)
    assert found.unusable_in_a_row + found.unknown_answers == 1


@pytest.mark.parametrize("name", UNUSABLE)
def test_sweep__unusable_answer_settles_nothing_and_is_requeried(
    callers: Callers, clock: Clock, game: FakeGame, party: Party, name: str
) -> None:
    behaviour, problem = UNUSABLE[name]
    player_session = seated(callers, party)
    mm = player_session.opened("withdraw", "30.00")
    before = player_session.holding()
    game.answers[mm] = behaviour
    clock.stand(now() + DUE)
    sweep()
    assert (state(player_session, mm), player_session.holding()) == ("pending", before)
    found = inquiry(player_session, mm)
    question = Question.objects.get(inquiry=found)
    assert (question.answer, found.last_answer, found.doubt) == ("unusable", "unusable", "")
    assert question.problem.startswith(problem)
    assert found.next_attempt_at is not None
    assert found.next_attempt_at - now() == timedelta(minutes=1)
    sweep()
    assert game.times_asked(mm) == 1


def test_sweep__pauses_grow_to_6_hours_and_review_after_a_week(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("withdraw", "30.00")
    game.answers[mm] = sends(http(b"{}", "503 Later"))
    began = at = now() + DUE
    pauses = []
    while at - began < timedelta(days=8):
        clock.stand(at)
        sweep()
        next_attempt_at = inquiry(player_session, mm).next_attempt_at
        assert next_attempt_at is not None
        pauses.append(next_attempt_at - at)
        at = next_attempt_at
    minutes = [pause // timedelta(minutes=1) for pause in pauses]
    assert minutes[:9] == [1, 2, 5, 10, 30, 60, 120, 360, 360]
    assert (inquiry(player_session, mm).doubt, state(player_session, mm)) == ("unreachable", "pending")
    assert set(minutes[9:]) == {360}
    # It is asked on, and an answer still counts.
    game.answers[mm] = says("CONFIRMED")
    clock.stand(at)
    sweep()
    assert state(player_session, mm) == "confirmed"


def test_sweep__skips_a_silent_game_for_the_rest_of_a_run(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    game.otherwise = sends(http(b"", "500 Oops"))
    mms = [player_session.opened("withdraw", "0.01") for _ in range(40)]
    clock.go_ahead(DUE)
    sweep()
    # As many are under way as may be of one game before anything is known.
    asked = sum(game.times_asked(mm) for mm in mms)
    assert MOST_OF_A_GAME <= asked < MOST_OF_A_GAME + MOST_UNUSABLE


def test_sweep__slow_game_holds_up_no_question_to_another(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    game.otherwise = late("CONFIRMED", 0.6)
    slow = seated(callers, party)
    for _ in range(MOST_OF_A_GAME * 2):
        slow.opened("withdraw", "0.01")
    with playing() as other_game:
        other_game.otherwise = says("CONFIRMED")
        quick = seated(callers, make_party(query_url=other_game.url))
        mms = [quick.opened("withdraw", "0.01") for _ in range(MOST_OF_A_GAME * 2)]
        asked_before: list[int] = []

        def answer(peer: socket.socket, asked: dict[str, Any]) -> None:
            asked_before.append(len(game.asked))
            says("CONFIRMED")(peer, asked)

        other_game.otherwise = answer
        clock.go_ahead(DUE)
        run = sweep()
        assert {state(quick, mm) for mm in mms} == {"confirmed"}
    assert (run.looked_at, run.done, run.failed) == (32, 32, 0)
    # All of the quick one's were asked while the slow one had not answered its first.
    assert (len(asked_before), max(asked_before)) == (MOST_OF_A_GAME * 2, MOST_OF_A_GAME)


# --- UNKNOWN ------------------------------------------------------------------------------------------


def test_sweep__withdrawal_expires_after_3_unknowns_over_a_day(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("withdraw", "30.00")
    game.answers[mm] = says("UNKNOWN")
    began = now() + DUE
    seen = []
    for hours in (0, 1, 12, 13, 23.9, 24):
        clock.stand(began + hours * HOUR)
        sweep()
        seen.append((hours, game.times_asked(mm), state(player_session, mm)))
    assert seen == [
        (0, 1, "pending"),
        (1, 1, "pending"),
        (12, 2, "pending"),
        (13, 2, "pending"),
        (23.9, 2, "pending"),
        (24, 3, "expired"),
    ]
    assert player_session.transaction(mm).reason == "The game said UNKNOWN 3 times over 24 hours."
    assert player_session.holding()[:2] == (100_00, 0)
    assert player_session.call("confirmWithdrawal", mm).error == 109
    assert player_session.discrepancies() == [("confirm_of_returned", 1)]


def test_sweep__pending_after_unknown_means_the_game_knows_it(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("withdraw", "30.00")
    began = now() + DUE
    for hours, word in ((0, "UNKNOWN"), (12, "UNKNOWN"), (24, "PENDING"), (25, "UNKNOWN"), (37, "UNKNOWN")):
        game.answers[mm] = says(word)
        clock.stand(began + hours * HOUR)
        sweep()
    assert (state(player_session, mm), game.times_asked(mm)) == ("pending", 5)
    clock.stand(began + 49 * HOUR)
    sweep()
    assert state(player_session, mm) == "expired"


def test_sweep__unknown_deposit_is_in_doubt_and_not_requeried(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("deposit", "30.00")
    game.answers[mm] = says("UNKNOWN")
    began = now() + DUE
    for hours in (0, 12, 24, 400):
        clock.stand(began + hours * HOUR)
        sweep()
    found = inquiry(player_session, mm, "deposit")
    assert (found.doubt, found.doubt_since, found.next_attempt_at, found.closed_at) == (
        "unknown_deposit",
        began,
        None,
        None,
    )
    assert (state(player_session, mm, "deposit"), game.times_asked(mm)) == ("pending", 1)
    # The game's own word still counts.
    player_session.done("confirmDeposit", mm)
    assert player_session.holding()[:3] == (130_00, 0, 0)
    sweep()
    assert inquiry(player_session, mm, "deposit").closed_at is not None


def test_sweep__game_that_suddenly_knows_nothing_refunds_nothing(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mms = [player_session.opened("withdraw", "0.10") for _ in range(6)]
    game.otherwise = says("UNKNOWN")
    began = now() + DUE
    for hours in (0, 12, 24, 36):
        clock.stand(began + hours * HOUR)
        sweep()
    # 12 of its last answers were UNKNOWN before the third round came: more than half of 20.
    assert {state(player_session, mm) for mm in mms} == {"pending"}
    alert = Alert.objects.get(kind="game_forgets", subject=party.game.slug)
    assert alert.resolved_at is None
    for hours in range(48, 8 * 24, 12):
        clock.stand(began + hours * HOUR)
        sweep()
    assert {inquiry(player_session, mm).doubt for mm in mms} == {"game_forgets"}
    # Its memory is back: what it says counts again.
    for mm in mms:
        game.answers[mm] = says("CONFIRMED")
    clock.stand(began + 9 * 24 * HOUR)
    sweep()
    assert {state(player_session, mm) for mm in mms} == {"confirmed"}
    assert player_session.holding()[:2] == (99_40, 0)


@pytest.mark.parametrize(("unknown", "is_so"), [(10, False), (11, True), (20, True)])
def test_sweep__more_than_half_of_twenty_answers_is_eleven(unknown: int, is_so: bool) -> None:
    answers = ["unknown"] * unknown + ["confirmed"] * (20 - unknown) + ["unknown"] * 5
    assert rules.forgets(answers) == is_so
    assert not rules.forgets(["unknown"] * 10)


# --- PENDING ------------------------------------------------------------------------------------------


def test_sweep__pending_waits_and_is_in_doubt_after_seven_days(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("deposit", "30.00")
    began = at = now() + DUE
    doubts = []
    while at - began < timedelta(days=8):
        clock.stand(at)
        sweep()
        found = inquiry(player_session, mm, "deposit")
        assert found.next_attempt_at is not None
        doubts.append((found.doubt, (at - began) >= timedelta(days=7)))
        at = found.next_attempt_at
    assert set(doubts) == {("", False), ("pending_too_long", True)}
    assert state(player_session, mm, "deposit") == "pending"
    game.answers[mm] = says("CONFIRMED")
    clock.stand(at)
    sweep()
    assert state(player_session, mm, "deposit") == "confirmed"


# --- The same id at several players -------------------------------------------------------------------


def test_sweep__id_pending_at_two_players_needs_ours_in_answer(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    anna, ben = seated(callers, party), seated(callers, party)
    mm = unique("mm")
    for player_session in (anna, ben):
        player_session.done("withdraw", mm, "30.00")
    game.answers[mm] = says("CONFIRMED")
    began = now() + DUE
    clock.stand(began)
    sweep()
    assert (state(anna, mm), state(ben, mm)) == ("pending", "pending")
    assert {row.problem for row in Question.objects.filter(inquiry__transaction__mm_transaction_id=mm)} == {
        "other players have the same id, and the answer does not name ours"
    }
    game.answers[mm] = says("CONFIRMED", echo=True)
    clock.stand(began + HOUR)
    sweep()
    assert (state(anna, mm), state(ben, mm)) == ("confirmed", "confirmed")


# --- A game that cannot be asked ----------------------------------------------------------------------


def test_sweep__policy_decides_without_a_query_url(callers: Callers, clock: Clock) -> None:
    expiring, holding = seated(callers, make_party()), seated(callers, make_party(unanswered_policy="hold"))
    mms = [
        [player_session.opened("withdraw", "30.00"), player_session.opened("deposit", "5.00")]
        for player_session in (expiring, holding)
    ]
    clock.go_ahead(DUE)
    sweep()
    assert [expiring.transaction(mms[0][0]).state, expiring.transaction(mms[0][1], "deposit").state] == [
        "expired",
        "expired",
    ]
    assert expiring.transaction(mms[0][0]).reason == "The game left it unfinished and cannot be asked."
    assert expiring.holding()[:3] == (100_00, 0, 0)
    assert [holding.transaction(mms[1][0]).state, holding.transaction(mms[1][1], "deposit").state] == [
        "pending",
        "pending",
    ]
    assert [inquiry(holding, mms[1][0]).doubt, inquiry(holding, mms[1][1], "deposit").doubt] == [
        "held",
        "held",
    ]
    assert holding.holding()[:3] == (70_00, 30_00, 5_00)
    assert problems_of(expiring.player, holding.player) == []


def test_sweep__expiry_pays_debt_first(callers: Callers, clock: Clock) -> None:
    player_session = seated(callers, make_party())
    player_session.opened("withdraw", "100.00")
    player_session.adjust("debit", 40_00, into_debt=True)
    assert player_session.holding()[:4] == (0, 100_00, 0, 40_00)
    clock.go_ahead(DUE)
    sweep()
    assert player_session.holding()[:4] == (60_00, 0, 0, 0)
    assert problems_of(player_session.player) == []


def test_sweep__doubt_does_not_expire_if_games_url_is_removed(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    doubtful, waiting = player_session.opened("deposit", "30.00"), player_session.opened("withdraw", "1.00")
    game.answers[doubtful] = says("UNKNOWN")
    clock.go_ahead(DUE)
    sweep()
    Game.objects.filter(pk=party.game.pk).update(query_url="")
    clock.go_ahead(DUE + HOUR)
    sweep()
    assert (
        state(player_session, doubtful, "deposit"),
        inquiry(player_session, doubtful, "deposit").doubt,
    ) == (
        "pending",
        "unknown_deposit",
    )
    assert state(player_session, waiting) == "expired"


# --- After an outage of ours --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("silence", "paused"), [(timedelta(minutes=5), False), (timedelta(minutes=5, seconds=1), True)]
)
def test_sweep__nothing_is_due_within_two_hours_after_an_outage(
    callers: Callers, clock: Clock, silence: timedelta, paused: bool
) -> None:
    player_session = seated(callers, make_party())
    mm = player_session.opened("withdraw", "30.00")
    back = now() + DUE
    clock.stand(back - silence)
    leave_pulse("web")
    clock.stand(back)
    leave_pulse("web")
    assert sweep().done == 0 if paused else sweep().done >= 1
    assert state(player_session, mm) == ("pending" if paused else "expired")
    if paused:
        clock.stand(back + 2 * HOUR - timedelta(seconds=1))
        leave_pulse("web")
        owned(Outage).exclude(ended_at=back).delete()
        assert "games could not reach us" in sweep().note
        assert state(player_session, mm) == "pending"
        clock.stand(back + 2 * HOUR)
        assert sweep().done >= 1
        assert state(player_session, mm) == "expired"


def test_sweep__nothing_is_due_while_no_web_process_lives(callers: Callers, clock: Clock) -> None:
    player_session = seated(callers, make_party())
    mm = player_session.opened("withdraw", "30.00")
    leave_pulse("web")
    clock.go_ahead(DUE)
    assert sweep().note.startswith("Nothing is due: no web process has left a sign of life since ")
    assert state(player_session, mm) == "pending"


# --- Whoever settles first ----------------------------------------------------------------------------


def test_sweep__games_own_call_counts_while_it_is_being_queried(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("withdraw", "30.00")

    def confirm_meanwhile(peer: Any, asked: dict[str, Any]) -> None:
        player_session.done("confirmWithdrawal", mm)
        says("ROLLED_BACK")(peer, asked)
        connection.close()

    game.answers[mm] = confirm_meanwhile
    clock.go_ahead(DUE)
    sweep()
    found = player_session.transaction(mm)
    assert (found.state, found.settled_source) == ("confirmed", "game")
    assert inquiry(player_session, mm).closed_at is not None
    assert player_session.discrepancies() == []
    assert problems_of(player_session.player) == []


def test_sweep__answer_against_operator_decision_is_discrepancy(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mms = {
        "CONFIRMED": ("rolled_back", player_session.opened("withdraw", "30.00")),
        "ROLLED_BACK": ("confirmed", player_session.opened("withdraw", "20.00")),
    }

    def resolve_meanwhile(word: str) -> Behaviour:
        def answer(peer: Any, asked: dict[str, Any]) -> None:
            decide(
                player_session.transaction(mms[word][1]).pk,
                event=mms[word][0],
                actor="anna",
                reason="The game's support said so.",
            )
            says(word)(peer, asked)
            connection.close()

        return answer

    for word, (_, mm) in mms.items():
        game.answers[mm] = resolve_meanwhile(word)
    clock.go_ahead(DUE)
    sweep()
    assert [state(player_session, mm) for _, mm in mms.values()] == ["rolled_back", "confirmed"]
    kinds = Discrepancy.objects.filter(player=player_session.player).values_list(
        "transaction__mm_transaction_id", "kind"
    )
    assert dict(kinds) == {
        mms["CONFIRMED"][1]: "confirm_of_returned",
        mms["ROLLED_BACK"][1]: "rollback_of_confirmed",
    }


@pytest.mark.parametrize("round", range(20))
def test_sweep__one_of_sweeps_confirm_and_rollback_at_once_wins(
    callers: Callers, clock: Clock, game: FakeGame, party: Party, round: int
) -> None:
    player_session = seated(callers, replace(party, game=party.game) if round % 2 else make_party())
    mm = player_session.opened("withdraw", "30.00")
    game.answers[mm] = says("CONFIRMED")
    clock.go_ahead(DUE)
    answers: dict[str, int | None] = {}
    barrier = threading.Barrier(4)

    def act(name: str) -> None:
        barrier.wait()
        if name == "sweep":
            sweep()
        else:
            answers[name] = player_session.call(name, mm).error
        connection.close()

    threads = [
        threading.Thread(target=act, args=(name,))
        for name in ("sweep", "sweep", "confirmWithdrawal", "rollbackWithdrawal")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweep()
    allowed = {
        "confirmed": {"confirmWithdrawal": None, "rollbackWithdrawal": 107},
        "rolled_back": {"confirmWithdrawal": 108, "rollbackWithdrawal": None},
        "expired": {"confirmWithdrawal": 109, "rollbackWithdrawal": None},
    }
    settled = state(player_session, mm)
    assert answers == allowed[settled]
    assert player_session.holding()[:2] == ((70_00, 0) if settled == "confirmed" else (100_00, 0))
    assert problems_of(player_session.player) == []


def test_sweep__two_at_once_query_once(callers: Callers, clock: Clock, game: FakeGame, party: Party) -> None:
    player_session = seated(callers, party)
    mms = [player_session.opened("withdraw", "0.10") for _ in range(30)]
    game.otherwise = says("CONFIRMED")
    clock.go_ahead(DUE)

    def act() -> None:
        sweep()
        connection.close()

    threads = [threading.Thread(target=act) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [game.times_asked(mm) for mm in mms] == [1] * 30
    assert player_session.holding()[:2] == (97_00, 0)


def test_sweep__lost_workers_share_is_requeried_after_its_lease(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    mm = player_session.opened("withdraw", "30.00")
    game.answers[mm] = says("CONFIRMED")
    began = now() + DUE
    clock.stand(began)
    inquiries.begin_inquiries(began, 1000)
    lost = [
        one
        for one in inquiries.lease(began, "lost", [], limit=1000)
        if one.inquiry.transaction_id == player_session.transaction(mm).pk
    ]
    assert len(lost) == 1
    clock.stand(began + inquiries.LEASE - timedelta(seconds=1))
    sweep()
    assert (state(player_session, mm), game.times_asked(mm)) == ("pending", 0)
    clock.stand(began + inquiries.LEASE)
    sweep()
    assert (state(player_session, mm), game.times_asked(mm)) == ("confirmed", 1)
    unanswered = Question.objects.get(inquiry=inquiry(player_session, mm), answered_at=None)
    assert (unanswered.asked_by, unanswered.answer) == ("lost", "")


def test_sweep__wallet_that_cannot_be_settled_holds_up_no_other(
    callers: Callers, clock: Clock, owner: Owner
) -> None:
    broken, sound = seated(callers, make_party()), seated(callers, make_party())
    stuck, fine = broken.opened("withdraw", "30.00"), sound.opened("withdraw", "30.00")
    owner.execute("UPDATE wallet_wallet SET reserved = 1 WHERE id = %s", [broken.wallet().pk])
    clock.go_ahead(DUE)
    try:
        run = sweep()
    finally:
        owner.execute("UPDATE wallet_wallet SET reserved = 3000 WHERE id = %s", [broken.wallet().pk])
    assert (state(broken, stuck), state(sound, fine)) == ("pending", "expired")
    assert run.failed >= 1
    assert (
        Alert.objects.get(kind="settlement_failed", subject=str(broken.transaction(stuck).pk)).resolved_at
        is None
    )
    sweep()
    assert state(broken, stuck) == "expired"
    assert problems_of(broken.player, sound.player) == []


# --- The command --------------------------------------------------------------------------------------


def test_dry_run__says_what_would_happen_and_changes_nothing(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    asked, expiring, held = (
        seated(callers, party),
        seated(callers, make_party()),
        seated(callers, make_party(unanswered_policy="hold")),
    )
    mms = [player_session.opened("withdraw", "30.00") for player_session in (asked, expiring, held)]
    clock.go_ahead(DUE)
    before = (Inquiry.objects.count(), Question.objects.count())
    output = StringIO()
    call_command("settle_due", "--dry-run", stdout=output)
    lines = {
        mm: line.partition(f"{mm}: ")[2]
        for line in output.getvalue().splitlines()
        for mm in mms
        if mm in line
    }
    assert lines == {
        mms[0]: f"due: the game is queried at {game.url}",
        mms[1]: "due: it expires (the game has no query URL)",
        mms[2]: "due: manual review (the game's policy is to hold): an operator decides",
    }
    assert (Inquiry.objects.count(), Question.objects.count()) == before
    assert [
        player_session.transaction(mm).state
        for player_session, mm in zip((asked, expiring, held), mms, strict=True)
    ] == ["pending"] * 3
    assert Transaction.objects.filter(state="pending", settled_at=None).count() >= 3


@pytest.mark.parametrize("others", [True, False])
def test_sweep__rests_after_a_batch_where_others_work(
    callers: Callers, clock: Clock, monkeypatch: pytest.MonkeyPatch, others: bool
) -> None:
    player_session = seated(callers, make_party())
    mm = player_session.opened("withdraw", "30.00")
    clock.go_ahead(DUE)
    rests: list[float] = []
    monkeypatch.setattr(settlement_sweep, "others_are_at_work", lambda: others)
    clocks = SimpleNamespace(monotonic=time.monotonic, sleep=rests.append)
    monkeypatch.setattr(settlement_sweep, "time", clocks)
    expire_due(Run("settle_due"), now(), RunBudget())
    assert state(player_session, mm) == "expired"
    assert bool(rests) == others
    assert all(rest > 0 for rest in rests)


def test_sweep__knows_who_else_uses_the_database(database_url: str) -> None:
    wait_until(lambda: not others_are_at_work())
    with psycopg.connect(database_url) as other:
        other.execute("SELECT 1")
        assert others_are_at_work()
    wait_until(lambda: not others_are_at_work())


def test_sweep_command__settles_as_the_worker_does(callers: Callers, clock: Clock) -> None:
    player_session = seated(callers, make_party())
    mm = player_session.opened("withdraw", "30.00")
    clock.go_ahead(DUE)
    output = StringIO()
    call_command("settle_due", stdout=output)
    assert state(player_session, mm) == "expired"
    assert output.getvalue().endswith(" settled, 0 failed.\n")


def test_dry_run__says_what_waits_and_why(
    callers: Callers, clock: Clock, game: FakeGame, party: Party
) -> None:
    player_session = seated(callers, party)
    later, doubtful, again = (
        player_session.opened("withdraw", "1.00"),
        player_session.opened("deposit", "1.00"),
        player_session.opened("withdraw", "2.00"),
    )
    game.answers[doubtful] = says("UNKNOWN")
    began = now()
    output = StringIO()
    call_command("settle_due", "--dry-run", "--all", stdout=output)
    assert f"{later}: due " in output.getvalue()
    clock.stand(began + DUE)
    sweep()
    leave_pulse("web")
    clock.stand(began + DUE + HOUR)
    output = StringIO()
    call_command("settle_due", "--dry-run", stdout=output)
    said = output.getvalue()
    assert said.startswith("Nothing is due at present: no web process has left a sign of life since ")
    assert f"{doubtful}: manual review: the game does not know this deposit; an operator decides" in said
    assert f"{again}: nothing is due while this lasts: " in said
    owned(Pulse).all().delete()
    output = StringIO()
    call_command("settle_due", "--dry-run", stdout=output)
    assert f"{again}: 1 status queries, last answer PENDING; next query " in output.getvalue()
