"""Operators launch sessions of test players, and get at nobody's money by it."""

import re
from typing import Any

import pytest
from django.test import Client

from payments.models import Provider
from players.models import AuditEvent, GameSession, Operator, Player
from tests.support.admin_pages import get, operator, page, signed_in
from tests.support.callers import PlayerSession
from tests.support.owned import owned
from tests.support.shop import ShopSetup, make_provider

LAUNCH = "launch_test_session"
TOKEN = re.compile(r'id="token"[^>]*>\s*([0-9a-f-]{36})')


@pytest.fixture
def tester(shop_setup: ShopSetup) -> PlayerSession:
    """A test player, marked by a command on the machine."""
    session = shop_setup.player_session()
    Player.objects.filter(pk=session.player.pk).update(is_test=True)
    return session


def launched(client: Client, session: PlayerSession) -> Any:
    given = {"game": session.game.slug, "currency": "XAG", "reason": "Trying the game"}
    return client.post(page(Player, session.player, LAUNCH), given, follow=True)


def sessions_of(session: PlayerSession) -> int:
    return GameSession.objects.filter(player=session.player).count()


def assert_refused(client: Client, session: PlayerSession, why: str) -> None:
    before = sessions_of(session)
    answer = launched(client, session)
    assert why in answer.content.decode()
    assert sessions_of(session) == before


def test_launch__shows_a_session_once_that_is_like_others(client: Client, tester: PlayerSession) -> None:
    assert page(Player, tester.player, LAUNCH) in get(client, page(Player, tester.player))
    answer = launched(client, tester)
    text = answer.content.decode()
    found = TOKEN.search(text)
    assert found, text
    token = found[1]
    assert f"token={token}" in text
    assert "no-store" in answer["Cache-Control"]
    mine = PlayerSession(tester.caller, tester.player, tester.game, token, "XAG")
    assert mine.call("getBalance").status == 200
    event = AuditEvent.objects.filter(action=LAUNCH, subject_id=str(tester.player.pk)).latest("pk")
    assert event.outcome == "done"
    assert f"A test session in {tester.game.slug} in XAG was launched" in event.note
    assert token not in f"{event.note}{event.before}{event.after}{event.reason}"
    assert token not in get(client, page(Player, tester.player))
    client.post(page(Player, tester.player, "end_sessions"), {"reason": "Done"})
    assert mine.call("getBalance").error == 102


def test_launch__of_a_player_who_is_none_for_tests_is_refused(client: Client, shop_setup: ShopSetup) -> None:
    session = shop_setup.player_session()
    assert page(Player, session.player, LAUNCH) not in get(client, page(Player, session.player))
    assert_refused(client, session, "is no test player.")


def test_launch__of_a_blocked_player_is_refused(client: Client, tester: PlayerSession) -> None:
    tester.block()
    assert_refused(client, tester, "is blocked.")


def test_launch__by_whoever_marked_the_player_is_refused(
    client: Client, boss: Operator, shop_setup: ShopSetup
) -> None:
    session = shop_setup.player_session()
    assert client.post(page(Player, session.player), {"is_test": "on"}).status_code == 302
    assert_refused(client, session, "You have marked this player as a test player yourself")
    # To save it once more changes nobody's mark.
    client.post(page(Player, session.player), {"is_test": "on"})
    assert_refused(client, session, "You have marked this player as a test player yourself")
    other = signed_in(operator(is_superuser=True))
    assert TOKEN.search(launched(other, session).content.decode())
    # Marked anew by the other one, it is theirs.
    other.post(page(Player, session.player), {})
    other.post(page(Player, session.player), {"is_test": "on"})
    assert_refused(other, session, "You have marked this player as a test player yourself")


@pytest.mark.parametrize(
    ("scheme", "is_live", "is_real"),
    [
        ("standard-webhooks", False, True),
        ("order-notify", False, True),
        ("stripe", True, True),
        ("stripe", False, False),
        ("sandbox", False, False),
    ],
)
def test_launch__of_a_player_who_has_paid_is_refused(
    client: Client, shop_setup: ShopSetup, tester: PlayerSession, scheme: str, is_live: bool, is_real: bool
) -> None:
    fake_provider = make_provider("standard-webhooks")
    order = shop_setup.order(tester, fake_provider=fake_provider)
    assert fake_provider.tell("payment.succeeded", order).status == 200
    # No page and no right of the platform's lets a scheme be changed.
    provider = owned(Provider).filter(pk=fake_provider.provider.pk)
    provider.update(scheme=scheme, is_live=is_live, currency_id="EUR")
    if is_real:
        assert_refused(client, tester, "has paid with real money")
    else:
        assert TOKEN.search(launched(client, tester).content.decode())
