"""A player's latest calls on the player's page, those that were refused too."""

import pytest
from django.test import Client

from players.models import Player
from tests.support.admin_pages import address, get, page, queries
from tests.support.callers import Callers, PlayerSession, make_party, open_session, unique
from wallet.admin import player_calls
from wallet.admin.player_calls import calls_of_player
from wallet.models import ApiCall


def outcomes(player: Player) -> list[tuple[str, str]]:
    """The endpoints and outcomes of a player's latest calls, the newest first."""
    return [(call.endpoint, call.outcome) for call in calls_of_player(player)[0]]


def refused(session: PlayerSession) -> str:
    """A withdrawal of what the player does not have."""
    mm = unique("mm")
    assert session.call("withdraw", mm, "999999.00").error == 104
    return mm


def test_player_calls__have_refused_ones_and_nobody_elses(
    client: Client, player_session: PlayerSession, callers: Callers
) -> None:
    mm = player_session.opened("withdraw", "1.00")
    mine = refused(player_session)
    other = refused(open_session(make_party(), callers.player()))
    assert outcomes(player_session.player)[0] == ("withdraw", "insufficient_funds")
    text = get(client, page(Player, player_session.player))
    assert (mm in text, mine in text, other in text) == (True, True, False)
    listed = get(client, f"{address(ApiCall)}?player={player_session.player.uid}")
    assert (mm in listed, mine in listed, other in listed) == (True, True, False)
    assert f"{address(ApiCall)}?player={player_session.player.uid}" in text


def test_player_calls__that_are_older_are_found_by_their_transactions(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    player_session.opened("withdraw", "1.00")
    refused(player_session)
    monkeypatch.setattr(player_calls, "MOST_LOOKED_THROUGH", 1)
    found, since = calls_of_player(player_session.player)
    assert [call.outcome for call in found] == ["insufficient_funds", "opened"]
    assert since is not None


def test_player_page__takes_no_more_queries_for_many_calls(
    client: Client, player_session: PlayerSession
) -> None:
    refused(player_session)
    get(client, page(Player, player_session.player))
    few = len(queries(client, page(Player, player_session.player)))
    for _ in range(5):
        refused(player_session)
    assert len(queries(client, page(Player, player_session.player))) <= few
