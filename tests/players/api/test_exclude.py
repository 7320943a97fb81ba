"""The web front keeps a player out, for a while or for good (contract 2.5 and 3)."""

from datetime import timedelta
from typing import Any

import pytest

from lib.clock import now, timestamp
from players.exclusions import allow_lifting, end_exclusions
from players.models import Player, PlayerEvent
from tests.conftest import Clock
from tests.support.callers import Answer, Callers, PlayerSession
from tests.support.limits import limit

DAY = timedelta(days=1)


def exclude(callers: Callers, player: Player, **given: Any) -> Answer:
    return callers.front.post("/entry/exclude", {"uid": player.uid, **given})


def test_exclude__ends_sessions_and_lets_what_has_begun_settle(
    callers: Callers, player_session: PlayerSession
) -> None:
    player, mm = player_session.player, player_session.opened("withdraw", "1.00")
    until = timestamp(now() + DAY)
    answer = exclude(callers, player, until=until)
    assert answer.body == {
        "uid": player.uid,
        "nickname": player.nickname,
        "country": player.country,
        "language": player.language,
        "status": "self_excluded",
        "excludedUntil": until,
    }
    assert player_session.call("withdraw", "w", "1.00").error == 102
    launch = {"uid": player.uid, "game": player_session.game.slug, "currencyCode": "XAG"}
    assert callers.front.post("/entry/launch", launch).error == 103
    assert player_session.done("confirmWithdrawal", mm).balance == "99.00"
    balance = callers.front.post("/entry/balance", {"uid": player.uid, "currencyCode": "XAG"})
    assert balance.balance == "99.00"


def test_exclude__is_made_longer_and_never_shorter(callers: Callers, player_session: PlayerSession) -> None:
    player, at = player_session.player, now()
    exclude(callers, player, until=timestamp(at + 2 * DAY))
    assert exclude(callers, player, until=timestamp(at + DAY)).error == 103
    longer = timestamp(at + 3 * DAY)
    assert exclude(callers, player, until=longer).body["excludedUntil"] == longer
    events = PlayerEvent.objects.filter(player=player, new_status="self_excluded")
    assert events.count() == 2
    # Repeated, the same, and nothing is written down again.
    assert exclude(callers, player, until=longer).body["excludedUntil"] == longer
    assert events.count() == 2
    for_good = exclude(callers, player)
    assert (for_good.body["status"], "excludedUntil" in for_good.body) == ("self_excluded", False)
    assert exclude(callers, player, until=longer).error == 103


@pytest.mark.parametrize(
    "until",
    [
        "2020-01-01T00:00:00Z",
        "2999-01-01T00:00:00Z",
        "2080-01-01",
        "2080-01-01T00:00:00",
        "2080-13-01T00:00:00Z",
        "tomorrow",
        "",
        7,
        True,
    ],
)
def test_exclude__takes_only_a_moment_that_comes(
    callers: Callers, player_session: PlayerSession, until: Any
) -> None:
    assert exclude(callers, player_session.player, until=until).error == 101
    assert Player.objects.get(pk=player_session.player.pk).status == "active"


def test_exclude__knows_the_player(callers: Callers) -> None:
    assert callers.front.post("/entry/exclude", {"uid": "nobody-at-all"}).error == 101


def test_exclude__of_a_closed_player_is_refused(callers: Callers, player_session: PlayerSession) -> None:
    player_session.block("closed")
    assert exclude(callers, player_session.player).error == 103


def test_exclude__of_a_blocked_player_gives_the_block_back(
    callers: Callers, player_session: PlayerSession
) -> None:
    player = player_session.player
    player_session.block()
    assert exclude(callers, player, until=timestamp(now() + timedelta(seconds=1))).error is None
    Player.objects.filter(pk=player.pk).update(excluded_until=now())
    end_exclusions()
    status = callers.front.put(f"/entry/players/{player.uid}", {"status": "active"})
    assert (status.error, Player.objects.get(pk=player.pk).status) == (103, "blocked")


def test_exclude__is_lifted_by_the_players_own_word(
    callers: Callers, player_session: PlayerSession, clock: Clock
) -> None:
    player, at = player_session.player, now()
    clock.stand(at)
    exclude(callers, player)
    refused = exclude(callers, player, confirm=True)
    assert (refused.error, "no operators have agreed" in refused.body["errorDescription"]) == (103, True)
    allow_lifting(player.pk, after="active")
    moment = timestamp(at + DAY)
    shown = callers.front.put(f"/entry/players/{player.uid}", {}).body
    assert (shown["status"], shown["liftableAt"]) == ("self_excluded", moment)
    early = exclude(callers, player, confirm=True)
    assert (early.error, moment in early.body["errorDescription"]) == (103, True)
    clock.stand(at + DAY)
    for _ in range(2):
        answer = exclude(callers, player, confirm=True)
        assert (answer.error, answer.body["status"], "liftableAt" in answer.body) == (None, "active", False)
    launch = {"uid": player.uid, "game": player_session.game.slug, "currencyCode": "XAG"}
    assert callers.front.post("/entry/launch", launch).error is None


@pytest.mark.parametrize("given", [{"confirm": False}, {"confirm": "true"}, {"confirm": 1}])
def test_exclude__takes_only_a_clear_confirmation(
    callers: Callers, player_session: PlayerSession, given: Any
) -> None:
    assert exclude(callers, player_session.player, **given).error == 101
    both = exclude(callers, player_session.player, confirm=True, until=timestamp(now() + DAY))
    assert both.error == 101
    assert Player.objects.get(pk=player_session.player.pk).status == "active"


def test_exclude__leaves_limits_and_what_they_have_counted(
    callers: Callers, player_session: PlayerSession
) -> None:
    player = player_session.player
    limit(player_session, "spend", "rolling", 5_00)
    player_session.done("withdraw", "w-1", "3.00")
    assert exclude(callers, player, until=timestamp(now() + timedelta(seconds=1))).error is None
    Player.objects.filter(pk=player.pk).update(excluded_until=now())
    end_exclusions()
    again = player_session.elsewhere()
    assert again.call("withdraw", "w-2", "2.01").error == 111
    assert again.call("withdraw", "w-3", "2.00").error is None
