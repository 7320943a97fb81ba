"""Time is the database's.

Processes whose own clocks are ten minutes wrong, each in another direction, change nothing.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from config.launcher.processes import Child
from config.launcher.supervisor import ROOT
from lib.clock import now, timestamp
from tests.conftest import Clock
from tests.faults.platform_processes import Platform, eventually
from tests.faults.unfinished import (
    Left,
    Table,
    assert_settled_without_a_hand,
    count_unfinished,
    lay_table,
    leave,
    wait_until_finished,
)
from tests.support.callers import PlayerSession
from tests.support.game_query_server import FakeGame, late, says
from wallet.models import Inquiry, JobRun, Outage, Pulse
from wallet.outages import GRACE
from wallet.settlement.inquiries import LEASE
from wallet.settlement.rules import PENDING_PAUSES

WRONG_SECONDS = 600
SKEWED = str(ROOT / "tests" / "faults" / "skewed")
# Two jumps of the clock together stay below the silence that is an outage.
TTL = timedelta(seconds=140)
MARGIN = timedelta(seconds=60)
# What two looks at one clock may be apart on a busy machine; far less than a wrong clock's ten minutes.
CLOSE = timedelta(seconds=45)


def skew(seconds: int) -> dict[str, str]:
    return {"PYTHONPATH": SKEWED, "SKEW_SECONDS": str(seconds)}


def is_close(moment: datetime | None, other: datetime) -> bool:
    return moment is not None and abs(moment - other) < CLOSE


def goes_by(platform: Platform, child: Child, seconds: int) -> bool:
    """Whether the process's own log was written by a clock that is so wrong."""
    written = [
        json.loads(line)["timestamp"] for line in platform.said(child).splitlines() if line.startswith("{")
    ]
    wrong = datetime.now(UTC) + timedelta(seconds=seconds)
    return bool(written) and all(
        abs(datetime.fromisoformat(moment) - wrong) < timedelta(seconds=WRONG_SECONDS / 2)
        for moment in written
    )


def wait_for_sweeps(count: int = 3) -> None:
    """Until so many more sweeps have come to their end."""
    began = now()
    eventually(
        lambda: (
            JobRun.objects.filter(task="settle_due", began_at__gt=began).exclude(ended_at=None).count()
            >= count
        ),
        "sweeps run",
    )


@pytest.mark.parametrize("web_seconds", [WRONG_SECONDS, -WRONG_SECONDS], ids=["fast web", "slow web"])
def test_clock__wrong_clocks_change_nothing(
    platform: Platform, clock: Clock, game: FakeGame, web_seconds: int
) -> None:
    table = lay_table(platform.callers, game)
    # Not yet an outage, but for a web server that goes by its own clock.
    Pulse.objects.create(part=Pulse.Part.WEB, at=now() - timedelta(minutes=4))
    web, url = platform.serve(**skew(web_seconds))
    # Twenty minutes lie between who sends and who receives.
    platform.start("beat", **skew(web_seconds))
    worker = platform.start("worker", **skew(-web_seconds))
    wait_for_sweeps()
    heartbeats_are_right()
    a_session_ends_when_the_database_says(platform, clock, url)
    a_transaction_has_the_databases_times(platform.callers.player_session(url=url))
    left = due_when_the_database_says(clock, [table.asked[0], table.unasked[0]], game)
    left.append(asked_again_when_the_database_says(table.asked[1], game))
    left += settled_when_the_grace_is_over(platform, table)
    assert_settled_without_a_hand(platform, left, game)
    assert [goes_by(platform, child, web_seconds) for child in (web, worker)] == [True, False]
    assert goes_by(platform, worker, -web_seconds)


def heartbeats_are_right() -> None:
    eventually(lambda: Pulse.objects.count() == 2, "both heartbeats are there")
    assert [is_close(pulse.at, now()) for pulse in Pulse.objects.all()] == [True, True]
    assert not Outage.objects.exists()


def a_session_ends_when_the_database_says(platform: Platform, clock: Clock, url: str) -> None:
    player_session = platform.callers.player_session(url=url)
    launch = {
        "uid": player_session.player.uid,
        "game": player_session.game.slug,
        "currencyCode": "XAG",
        "ttlSeconds": TTL.seconds,
    }
    launched = platform.callers.front.at(url).post("/entry/launch", launch).body
    assert is_close(datetime.fromisoformat(launched["expiresAt"]), now() + TTL)
    session = replace(player_session, token=launched["token"])
    clock.go_ahead(TTL - MARGIN)
    session.done("verifySession")
    clock.go_ahead(TTL)
    assert session.call("verifySession").error == 102


def a_transaction_has_the_databases_times(player_session: PlayerSession) -> None:
    mm = player_session.opened("withdraw", "1.00")
    found = player_session.transaction(mm)
    assert is_close(found.opened_at, now())
    assert found.due_at == found.opened_at + settings.PENDING_TTL
    said = player_session.done("queryTransaction", mm, type="withdrawal").body
    assert said["openedAt"] == timestamp(found.opened_at)
    assert player_session.done("rollbackWithdrawal", mm).balance == "100.00"


def due_when_the_database_says(
    clock: Clock, player_sessions: list[PlayerSession], game: FakeGame
) -> list[Left]:
    """What is due soon by the database's clock is not settled before, and is then."""
    game.otherwise = says("CONFIRMED")
    left = [
        leave(
            player_session,
            "withdrawal",
            5,
            "confirmed" if player_session.game.query_url else "expired",
            pending=MARGIN,
        )
        for player_session in player_sessions
    ]
    wait_for_sweeps()
    assert count_unfinished(left) == len(left)
    clock.go_ahead(TTL + MARGIN)
    wait_until_finished(left)
    return left


def asked_again_when_the_database_says(player_session: PlayerSession, game: FakeGame) -> Left:
    """The lease is of the database's clock, and so is the pause after an answer."""
    game.otherwise = late("PENDING", 1.0)
    left = leave(player_session, "withdrawal", 5, "confirmed")
    inquiries = Inquiry.objects.filter(transaction=left.id)
    eventually(lambda: game.times_asked(left.mm) == 1, "the game is asked")
    assert is_close(inquiries.get().leased_until, now() + LEASE)
    eventually(
        inquiries.filter(last_answer="pending", leased_until=None).exists, "the answer is written down"
    )
    assert is_close(inquiries.get().next_attempt_at, now() + PENDING_PAUSES[0])
    game.otherwise = says("CONFIRMED")
    inquiries.update(next_attempt_at=now() + PENDING_PAUSES[0] / 2)
    wait_for_sweeps()
    assert game.times_asked(left.mm) == 1
    inquiries.update(next_attempt_at=now())
    return left


def settled_when_the_grace_is_over(platform: Platform, table: Table) -> list[Left]:
    """After an outage of ours nothing is due for two hours, by the database's clock."""
    Outage.objects.create(began_at=now() - GRACE, ended_at=now() - GRACE + MARGIN)
    left = table.leave_open(8)
    wait_for_sweeps()
    assert count_unfinished(left) == len(left)
    with platform.owner() as owner:
        owner.execute("UPDATE wallet_outage SET ended_at = %s", [now() - GRACE])
    return left
