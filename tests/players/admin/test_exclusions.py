"""Self-exclusions that end at a date: made by one, never shortened, ended by the clock or by two people."""

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from lib.clock import now
from players.exclusions import confirm_lifting, end_exclusions, exclude_player
from players.models import Approval, Player, PlayerEvent
from players.operations import put_player, set_player_status
from players.outcomes import PlayerRefused
from tests.conftest import Clock
from tests.support.admin_pages import approved_by, get, page, requested, sent
from tests.support.callers import Callers, PlayerSession, open_session
from tests.support.owned import owned

DAY = timedelta(days=1)


def state(player: Player) -> tuple[str, str, datetime | None]:
    row = Player.objects.get(pk=player.pk)
    return row.status, row.status_set_by, row.excluded_until


def exclude(player: Player, until: datetime | None) -> None:
    exclude_player(player.pk, until=until, set_by="operator", actor="test", reason="wished so")


def reach_end(player: Player) -> None:
    """The end of a self-exclusion has come."""
    owned(Player).filter(pk=player.pk).update(excluded_until=now() - DAY)


def test_exclusion__bars_until_its_day_and_ends_by_itself(
    client: Client, player_session: PlayerSession, callers: Callers
) -> None:
    player = player_session.player
    response, _ = sent(client, page(Player, player, "self_exclude"), until="2080-01-31", reason="Wished so")
    assert "self-excluded, until 2080-01-31 00:00:00 UTC. 1 session was ended." in get(
        client, response["Location"]
    )
    assert state(player) == ("self_excluded", "operator", datetime(2080, 1, 31, tzinfo=UTC))
    assert player_session.call("withdraw", "w-1", "1.00").error == 102
    with pytest.raises(PlayerRefused):
        open_session(callers.game, player)
    end_exclusions()
    assert state(player)[0] == "self_excluded"

    reach_end(player)
    assert end_exclusions() >= 1
    assert state(player) == ("active", "platform", None)
    event = PlayerEvent.objects.filter(player=player).latest("at")
    assert (event.actor, event.reason) == ("platform", "The self-exclusion has reached its end.")
    open_session(callers.game, player).done("withdraw", "w-2", "1.00")


def test_exclusion__without_a_day_has_no_end(client: Client, player_session: PlayerSession) -> None:
    sent(client, page(Player, player_session.player, "self_exclude"), reason="Wished so")
    assert state(player_session.player) == ("self_excluded", "operator", None)
    assert "Self-excluded without an end" in get(client, page(Player, player_session.player))


@pytest.mark.parametrize("until", ["2020-01-31", "2999-01-31", "tomorrow"])
def test_exclusion__needs_a_day_that_comes(client: Client, player_session: PlayerSession, until: str) -> None:
    response, _ = sent(client, page(Player, player_session.player, "self_exclude"), until=until, reason="r")
    assert response.status_code == 200
    assert state(player_session.player)[0] == "active"


@pytest.mark.parametrize("days", [5, None])
def test_exclusion__is_lengthened_but_never_shortened(
    client: Client, player_session: PlayerSession, days: int | None
) -> None:
    player, at = player_session.player, now()
    exclude(player, at + 4 * DAY)
    until = at + days * DAY if days else None
    exclude(player, until)
    with pytest.raises(PlayerRefused):
        exclude(player, at + 3 * DAY)
    assert state(player) == ("self_excluded", "operator", until)
    response, _ = sent(
        client, page(Player, player, "self_exclude"), until=f"{at + DAY:%Y-%m-%d}", reason="Shorter"
    )
    assert "that is not shortened" in response.content.decode()
    assert state(player) == ("self_excluded", "operator", until)


def lifted_by_two(first: Client, second: Client, player: Player, status: str = "active") -> None:
    approved_by(second, requested(first, page(Player, player, "change_status"), status=status))


def confirm(player: Player) -> Player:
    return confirm_lifting(player.pk, actor="platform:front")


@pytest.mark.parametrize(("profile", "wait"), [("24h", DAY), ("7d", 7 * DAY), ("period", DAY)])
@pytest.mark.parametrize("days", [40, None])
def test_exclusion__is_lifted_by_two_people_the_waiting_time_and_the_player(
    client: Client,
    second: Client,
    player_session: PlayerSession,
    clock: Clock,
    settings: Any,
    profile: str,
    wait: timedelta,
    days: int | None,
) -> None:
    settings.LIMIT_PROFILE = profile
    player, at = player_session.player, now()
    clock.stand(at)
    until = at + days * DAY if days else None
    exclude(player, until)
    approval = requested(client, page(Player, player, "change_status"), status="active")
    with pytest.raises(PlayerRefused, match="not_lifted"):
        confirm(player)
    shown = get(second, page(Approval, approval, "approve"))
    assert ("ends by itself" in shown) == (until is not None)
    assert f"{wait // timedelta(hours=1)} hours after the approval" in shown
    approved_by(second, approval)
    assert "Lifted by two operators: it ends when the player confirms it" in get(client, page(Player, player))
    for early in (timedelta(0), wait - timedelta(microseconds=1)):
        clock.stand(at + early)
        with pytest.raises(PlayerRefused, match="lifted_later"):
            confirm(player)
        assert state(player) == ("self_excluded", "operator", until)
    clock.stand(at + wait)
    # The waiting time alone ends nothing.
    end_exclusions()
    assert state(player) == ("self_excluded", "operator", until)
    confirm(player)
    assert state(player) == ("active", "platform", None)
    event = PlayerEvent.objects.filter(player=player).latest("at")
    assert (event.actor, event.old_status, event.new_status) == ("platform:front", "self_excluded", "active")
    assert "the player has confirmed it" in event.reason
    assert confirm(player).status == "active"
    assert PlayerEvent.objects.filter(player=player).latest("at") == event


def test_exclusion__that_is_lifted_leaves_the_block_that_was_asked_for(
    client: Client, second: Client, player_session: PlayerSession, clock: Clock
) -> None:
    player = player_session.player
    exclude(player, None)
    lifted_by_two(client, second, player, "blocked")
    clock.go_ahead(DAY)
    confirm(player)
    assert state(player) == ("blocked", "operator", None)


def test_exclusion__lifted_to_active_ends_a_block_beneath_it(
    client: Client, second: Client, player_session: PlayerSession, clock: Clock
) -> None:
    player = player_session.player
    player_session.block()
    exclude(player, None)
    lifted_by_two(client, second, player)
    clock.go_ahead(DAY)
    confirm(player)
    assert state(player) == ("active", "platform", None)


def test_exclusion__wished_for_again_takes_back_what_two_had_agreed_to(
    client: Client, second: Client, player_session: PlayerSession, clock: Clock
) -> None:
    player, until = player_session.player, now() + 40 * DAY
    exclude(player, until)
    lifted_by_two(client, second, player)
    exclude(player, until)
    clock.go_ahead(DAY)
    with pytest.raises(PlayerRefused, match="not_lifted"):
        confirm(player)
    assert state(player) == ("self_excluded", "operator", until)


@pytest.mark.parametrize("status", ["active", "blocked"])
def test_exclusion__is_not_lifted_by_the_detour_of_a_closed_account(
    client: Client, second: Client, player_session: PlayerSession, clock: Clock, status: str
) -> None:
    player = player_session.player
    exclude(player, now() + 40 * DAY)
    set_player_status(player.pk, status="closed", actor="test", reason="r")
    # Closed once more, it is still an excluded player's account.
    set_player_status(player.pk, status="closed", actor="test", reason="r")
    given = {"status": status, "reason": "Opened again"}
    response, _ = sent(client, page(Player, player, "change_status"), **given)
    assert "open it again as self-excluded" in unescape(get_or_text(client, response))
    with pytest.raises(PlayerRefused):
        set_player_status(player.pk, status=status, actor="test", reason="r", is_approved=True)
    lifted_by_two(client, second, player, "self_excluded")
    assert state(player) == ("self_excluded", "operator", None)
    lifted_by_two(client, second, player)
    clock.go_ahead(DAY)
    confirm(player)
    assert state(player)[0] == "active"


def get_or_text(client: Client, response: Any) -> str:
    """The page that follows, or the one that is there."""
    return get(client, response["Location"]) if response.has_header("Location") else response.content.decode()


def test_exclusion__ended_by_its_day_leaves_a_request_nothing_to_do(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    player = player_session.player
    exclude(player, now() + DAY)
    approval = requested(client, page(Player, player, "change_status"), status="active")
    reach_end(player)
    end_exclusions()
    second.post(page(Approval, approval, "approve"), {})
    assert state(player) == ("active", "platform", None)


def test_exclusion__of_who_was_closed_meanwhile_frees_nobody(player_session: PlayerSession) -> None:
    player = player_session.player
    exclude(player, now() + DAY)
    put_player(player.uid, attributes={}, status="closed", actor="front")
    assert state(player) == ("closed", "front", None)
    end_exclusions()
    assert state(player)[0] == "closed"


def test_exclusion__is_not_lifted_by_the_front(player_session: PlayerSession) -> None:
    player, until = player_session.player, now() + DAY
    exclude(player, until)
    for status in ("active", "blocked"):
        with pytest.raises(PlayerRefused):
            put_player(player.uid, attributes={}, status=status, actor="front")
    put_player(player.uid, attributes={}, status="self_excluded", actor="front")
    assert state(player) == ("self_excluded", "operator", until)


@pytest.mark.parametrize("hours", [24, 6 * 7 * 24])
def test_time_out__begins_at_once_and_ends_by_itself(
    client: Client, player_session: PlayerSession, clock: Clock, hours: int
) -> None:
    player, at = player_session.player, now()
    clock.stand(at)
    sent(client, page(Player, player, "time_out"), hours=str(hours), reason="Wished so")
    assert state(player) == ("self_excluded", "operator", at + timedelta(hours=hours))
    assert player_session.call("withdraw", "w-1", "1.00").error == 102
    clock.stand(at + timedelta(hours=hours, microseconds=-1))
    end_exclusions()
    assert state(player)[0] == "self_excluded"
    clock.stand(at + timedelta(hours=hours))
    end_exclusions()
    assert state(player) == ("active", "platform", None)


def test_time_out__shortens_no_exclusion(client: Client, player_session: PlayerSession) -> None:
    player, until = player_session.player, now() + 4 * DAY
    exclude(player, until)
    response, _ = sent(client, page(Player, player, "time_out"), hours="24", reason="r")
    assert "that is not shortened" in response.content.decode()
    assert state(player) == ("self_excluded", "operator", until)


@pytest.mark.parametrize("blocked_by", ["operator", "front"])
def test_exclusion__leaves_a_block_where_it_found_one(player_session: PlayerSession, blocked_by: str) -> None:
    player = player_session.player
    if blocked_by == "operator":
        player_session.block()
    else:
        put_player(player.uid, attributes={}, status="blocked", actor="front")
    exclude(player, now() + DAY)
    # Made longer, it still knows.
    exclude(player, now() + 2 * DAY)
    reach_end(player)
    end_exclusions()
    assert state(player) == ("blocked", blocked_by, None)
