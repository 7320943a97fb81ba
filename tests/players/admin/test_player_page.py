"""A player's page: its head, notes, sessions, requests, and what is done there."""

import re
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from payments.admin.player_orders import LATEST_ORDERS
from payments.models import Order
from players.models import Approval, GameSession, Operator, Player, PlayerEvent, PlayerNote
from tests.support.admin_orders import paid_there, sandbox_provider
from tests.support.admin_pages import (
    address,
    alert,
    doubted,
    get,
    operator,
    page,
    requested,
    sent,
    signed_in,
)
from tests.support.callers import Callers, PlayerSession, open_session, unique
from tests.support.shop import ShopSetup
from wallet.models import Alert, Inquiry, Transaction, Wallet


def words_of(client: Client, player: Player) -> str:
    """The text of a player's page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", get(client, page(Player, player))))


def live(player: Player) -> int:
    return GameSession.objects.filter(player=player, ended_at=None).count()


def test_head__says_who_in_which_status_why_and_with_how_much(
    client: Client, boss: Operator, player_session: PlayerSession
) -> None:
    player_session.opened("withdraw", "30.25")
    sent(client, page(Player, player_session.player, "block"), reason="Two chargebacks")
    text = words_of(client, player_session.player)
    for words in (
        f"set by operator:{boss.username}: Two chargebacks",
        "69.75 XAG",
        "30.25 XAG reserved",
        "Credit or debit",
    ):
        assert words in text, words
    clerk = signed_in(operator("players.view_player"))
    assert "69.75 XAG" not in words_of(clerk, player_session.player)
    viewer = signed_in(operator("players.view_player", "wallet.view_wallet"))
    assert "Credit or debit" not in words_of(viewer, player_session.player)


def test_block__ends_every_session_and_unblock_revives_none(
    client: Client, player_session: PlayerSession, callers: Callers
) -> None:
    player, other = player_session.player, player_session.elsewhere(party=callers.other_game)
    stranger = callers.player_session()
    reserved = player_session.opened("withdraw", "1.00")
    assert live(player) == 2
    sent(client, page(Player, player, "block"), reason="Chargebacks")
    assert (live(player), live(stranger.player)) == (0, 1)
    assert [one.call("withdraw", "w-1", "1.00").error for one in (player_session, other)] == [102, 102]
    player_session.done("confirmWithdrawal", reserved)
    sent(client, page(Player, player, "unblock"), reason="Settled")
    assert (live(player), Player.objects.get(pk=player.pk).status) == (0, "active")
    open_session(callers.game, player).done("withdraw", "w-2", "1.00")


def test_block__is_offered_to_whom_it_helps(client: Client, player_session: PlayerSession) -> None:
    place = page(Player, player_session.player, "block")
    unblock = page(Player, player_session.player, "unblock")
    text = get(client, page(Player, player_session.player))
    assert (place in text, unblock in text) == (True, False)
    player_session.block()
    text = get(client, page(Player, player_session.player))
    assert (place in text, unblock in text) == (False, True)


@pytest.mark.parametrize("status", ["self_excluded", "closed"])
def test_unblock__does_not_lift_what_takes_two(
    client: Client, player_session: PlayerSession, status: str
) -> None:
    player_session.block(status)
    for action in ("unblock", "block"):
        sent(client, page(Player, player_session.player, action), reason="Please")
    assert Player.objects.get(pk=player_session.player.pk).status == status
    assert PlayerEvent.objects.filter(player=player_session.player).count() == 2


def test_sessions__are_all_ended_by_one_act(client: Client, player_session: PlayerSession) -> None:
    player_session.elsewhere()
    response, _ = sent(client, page(Player, player_session.player, "end_sessions"), reason="Stolen phone")
    assert "2 sessions were ended." in client.get(response["Location"]).content.decode()
    assert live(player_session.player) == 0
    response, _ = sent(client, page(Player, player_session.player, "end_sessions"), reason="Again")
    assert "No session was live." in client.get(response["Location"]).content.decode()


def test_sessions__each_live_one_can_be_ended(client: Client, player_session: PlayerSession) -> None:
    place = page(GameSession, player_session.session(), "end")
    assert place in get(client, page(Player, player_session.player))
    onlooker = signed_in(operator("players.view_player", "players.view_gamesession"))
    assert place not in get(onlooker, page(Player, player_session.player))
    player_session.end()
    assert place not in get(client, page(Player, player_session.player))


def test_note__stays_with_its_author(client: Client, boss: Operator, player_session: PlayerSession) -> None:
    place = page(Player, player_session.player, "add_note")
    assert client.post(place, {"text": "  "}).status_code == 200
    assert client.post(place, {"text": "x" * 2_001}).status_code == 200
    assert PlayerNote.objects.filter(player=player_session.player).count() == 0
    assert client.post(place, {"text": "<b>Called</b> twice."}).status_code == 302
    [note] = PlayerNote.objects.filter(player=player_session.player)
    assert (note.text, note.operator) == ("<b>Called</b> twice.", boss)
    text = get(client, page(Player, player_session.player))
    assert "&lt;b&gt;Called&lt;/b&gt; twice." in text


def test_note__is_never_changed_nor_deleted(
    client: Client, player_session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    client.post(page(Player, player_session.player, "add_note"), {"text": "First"})
    for statement in (
        "UPDATE players_playernote SET text = 'other'",
        "DELETE FROM players_playernote",
        "TRUNCATE players_playernote",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement)
    with pytest.raises(DatabaseError):
        PlayerNote.objects.filter(player=player_session.player).update(text="other")
    assert PlayerNote.objects.get(player=player_session.player).text == "First"


def requests_on(client: Client, place: str) -> list[str]:
    """The requests that a page leads to, as it lists them."""
    return re.findall(r'href="(/admin/players/approval/[0-9a-f-]{36}/change/)', get(client, place))


def test_requests__about_all_that_is_the_players_are_listed(
    client: Client, shop_setup: ShopSetup, settings: Any
) -> None:
    settings.DEMO = True
    player_session = shop_setup.player_session()
    player_session.adjust("credit", 100_00)
    uid, order = player_session.player.uid, paid_there(shop_setup, sandbox_provider(), "gold", player_session)
    for number in range(LATEST_ORDERS):
        shop_setup.order(player_session, cpOrderId=f"later-{number}")
    pending = player_session.transaction(player_session.opened("withdraw", "1.00"))
    doubt = doubted(player_session, player_session.opened("withdraw", "2.00"))
    found = alert("ledger_difference", wallet=player_session.wallet())
    requests = [
        requested(client, page(Wallet, player_session.wallet(), "adjust"), type="credit", amount="1.00"),
        requested(client, page(Order, order, "refund"), amount="4.99"),
        requested(client, page(Transaction, pending, "roll_back")),
        requested(client, page(Inquiry, doubt, "roll_back")),
        requested(client, page(Alert, found, "accept")),
    ]
    player_session.block("closed")
    requests.append(requested(client, page(Player, player_session.player, "change_status"), status="active"))
    newest_first = [page(Approval, row) for row in reversed(requests)]
    assert requests_on(client, page(Player, player_session.player)) == newest_first
    assert set(requests_on(client, f"{address(Approval)}?requests=all&player={uid}")) == set(newest_first)
    assert requests_on(client, f"{address(Approval)}?requests=all&player={unique('p')}") == []
    assert f'href="{page(Player, player_session.player)}"' in get(client, newest_first[-1])
    onlooker = signed_in(operator("players.view_player", "players.view_approval"))
    assert requests_on(onlooker, page(Player, player_session.player)) == newest_first[:1]
    assert requests_on(client, page(Player, shop_setup.player_session().player)) == []
