"""The demonstration's clock: three days pass at once, and everything goes by it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from clients.kit.checks import CHECKS
from clients.kit.runner import Outcome, Run
from config.refusals import movable_clocks
from lib.clock import now
from lib.ids import time_of
from players.models import Game
from tests.demo.clock.conftest import Demonstration
from tests.faults.platform_processes import eventually
from tests.support.callers import Caller, Holding, basic, unique
from tests.support.conformance import target_at
from tests.support.game_query_server import playing, says
from wallet.models import Outage, Pulse
from wallet.outages import leave_pulse, present_pause

THREE_DAYS = timedelta(days=3)


@pytest.mark.parametrize(
    ("word", "state", "held"),
    [("CONFIRMED", "confirmed", Holding(70_00, 0)), ("ROLLED_BACK", "rolled_back", Holding(100_00, 0))],
)
def test_move__has_a_pending_withdrawal_settled_as_the_game_says(
    demonstration: Demonstration, word: str, state: str, held: Holding
) -> None:
    session = demonstration.platform.callers.player_session(url=demonstration.url)
    with playing() as game:
        game.otherwise = says(word)
        type(session.game).objects.filter(pk=session.game.pk).update(query_url=game.url)
        mm = session.opened("withdraw", "30.00")
        before = now()
        answer = demonstration.front.post("/demo/clock", {"hours": 72})
        assert (answer.status, answer.error) == (200, None)
        assert datetime.fromisoformat(answer.body["now"]) - before >= THREE_DAYS
        eventually(lambda: session.transaction(mm).state == state, f"{state} as the game says", 30)
    transaction = session.transaction(mm)
    assert (transaction.settled_source, transaction.reason) == ("sweep", f"The game said {word}.")
    # Exactly what contract 2.4 says, with the names of the platform.
    assert game.asked[-1] == {
        "mmTransactionId": mm,
        "qwTransactionId": str(transaction.pk),
        "playerId": session.player.uid,
        "type": "withdrawal",
        "amount": {"amount": 30.00, "currencyCode": "XAG"},
    }
    assert session.holding()[:2] == held[:2]


def test_move__is_no_outage_of_ours(demonstration: Demonstration) -> None:
    leave_pulse(Pulse.Part.WEB)
    assert demonstration.front.post("/demo/clock", {"hours": 72}).status == 200
    leave_pulse(Pulse.Part.WEB)
    assert not Outage.objects.exists()
    assert present_pause(now()) is None


def test_move__takes_ids_with_it(demonstration: Demonstration) -> None:
    assert demonstration.front.post("/demo/clock", {"hours": 1}).status == 200
    ahead = timedelta(seconds=demonstration.moved_by())
    session = demonstration.platform.callers.player_session(url=demonstration.url)
    mm = session.opened("withdraw", "1.00")
    uid = unique("p")
    # One made by the database, and one by the web server.
    by_database = time_of(session.transaction(mm).pk)
    assert abs(by_database - now()) < timedelta(minutes=1)

    def is_made_ahead() -> bool:
        front_answer = demonstration.front.put(f"/entry/players/{unique('p')}", {"nickname": uid})
        assert front_answer.status == 200
        made = type(session.player).objects.filter(nickname=uid).latest("pk")
        return abs(time_of(made.pk) - datetime.now(UTC) - ahead) < timedelta(minutes=1)

    eventually(is_made_ahead, "the web server's ids go with the clock", 10)


@pytest.mark.parametrize("hours", [-1, 0, 721, 1.5, "72", True, None])
def test_clock__goes_forward_only(demonstration: Demonstration, hours: object) -> None:
    before = demonstration.moved_by()
    answer = demonstration.front.post("/demo/clock", {"hours": hours})
    assert (answer.status, answer.error) == (200, 101)
    assert demonstration.moved_by() == before


def test_clock__does_not_go_back_by_the_owners_hand_either(demonstration: Demonstration) -> None:
    assert demonstration.front.post("/demo/clock", {"hours": 1}).status == 200
    with demonstration.platform.owner() as owner, pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("UPDATE demo_clock SET moved_by_seconds = 0")


def test_clock__is_moved_by_the_web_front_alone(demonstration: Demonstration) -> None:
    before = demonstration.moved_by()
    url, callers = demonstration.url, demonstration.platform.callers
    strangers = [
        Caller(None, url=url),
        Caller(basic("front", "wrong"), url=url),
        callers.game.caller.at(url),
    ]
    for stranger in strangers:
        answer = stranger.post("/demo/clock", {"hours": 72})
        assert (answer.status, answer.headers["www-authenticate"][:5]) == (401, "Basic")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert strangers[0].send("POST", "/demo/clock", b"player=anna", form).status == 403
    assert demonstration.moved_by() == before


def test_conformance__holds_for_what_expires(demonstration: Demonstration) -> None:
    # One with a query URL, which other tests gave it, is asked first.
    Game.objects.update(query_url="")
    target = replace(target_at(demonstration.url, demonstration.platform.callers), has_clock=True)
    run = Run(target, target.redactor())
    with_clock = [check for check in CHECKS if "expir" in check.id or check.id == "time.late-words"]
    wanted = [(check.id, Outcome.PASSED, None) for check in with_clock]
    assert [(one.check.id, one.outcome, one.failure) for one in run.run(with_clock)] == wanted
    assert len(wanted) == 9


def test_migrate__without_demo_puts_the_plain_clock_back(demonstration: Demonstration) -> None:
    assert demonstration.front.post("/demo/clock", {"hours": 2}).status == 200
    assert now() - datetime.now(UTC) > timedelta(hours=1)
    # This process is none of a demonstration.
    (sentence,) = movable_clocks()
    assert "run `manage.py migrate` as its owner, without DEMO" in sentence
    demonstration.platform.migrate(DEMO="0")
    try:
        assert abs(now() - datetime.now(UTC)) < timedelta(minutes=1)
        assert list(movable_clocks()) == []
    finally:
        demonstration.platform.migrate()
    assert now() - datetime.now(UTC) > timedelta(hours=1)
