"""What a page says was marked for translation, on every page of what is German already."""

from collections.abc import Iterator

import pytest
from django.test import Client

from players.models import Game, Player
from tests.german.marked_language import marked_german
from tests.german.unmarked import unmarked
from tests.support.admin_pages import PLAYER_ACTIONS, page
from tests.support.callers import PlayerSession
from wallet.models import Currency, Wallet

# Pages of the site itself that are German. A part that becomes so adds its own. The first page shows what all
# other tests have left behind; `test_language.py` reads its own texts.
SITE = (
    *("/admin/find/", "/admin/error-codes/", "/admin/no-such-page/"),
    *("/admin/account/factors/", "/admin/account/factors/app/", "/admin/account/factors/passkey/"),
    "/admin/account/sessions/",
    "/admin/players/approvalrule/",
    "/admin/wallet/alert/",
    "/admin/wallet/checkpoint/",
    "/admin/wallet/closedday/",
    "/admin/wallet/currency/",
    "/admin/wallet/currency/add/",
    "/admin/wallet/discrepancy/",
    "/admin/payments/delivery/",
    "/admin/payments/shop/",
)

MONEY = (
    *("transaction/", "transaction/?unfinished=pending", "wallet/", "wallet/?withdrawals=frozen"),
    *("inquiry/", "inquiry/?state=all", "payoutlimit/"),
)
WALLET_ACTIONS = ("adjust", "set_limit", "freeze")


def names() -> set[str]:
    """The words in names that tests have given to games and currencies."""
    given = (*Game.objects.values_list("name", flat=True), *Currency.objects.values_list("name", flat=True))
    return {word for name in given for word in name.split()}


@pytest.fixture(autouse=True)
def marked() -> Iterator[None]:
    with marked_german():
        yield


@pytest.fixture
def german(client: Client) -> Client:
    client.cookies["language"] = "de"
    return client


def test_log_in_page__every_text_is_marked() -> None:
    response = Client().get("/admin/login/", headers={"Accept-Language": "de"})
    assert unmarked(response.content.decode()) == []


@pytest.mark.parametrize("place", SITE)
def test_site__every_text_is_marked(german: Client, story: PlayerSession, place: str) -> None:
    response = german.get(place)
    assert "\n".join(unmarked(response.content.decode(), names())) == ""


@pytest.mark.parametrize("act", PLAYER_ACTIONS)
def test_acts_on_player__every_text_is_marked(german: Client, story: PlayerSession, act: str) -> None:
    response = german.get(page(Player, story.player, act))
    assert response.status_code == 200
    assert "\n".join(unmarked(response.content.decode(), names())) == ""


@pytest.mark.parametrize("place", MONEY)
def test_lists_of_money__every_text_is_marked(german: Client, story: PlayerSession, place: str) -> None:
    response = german.get(f"/admin/wallet/{place}")
    assert "\n".join(unmarked(response.content.decode(), names())) == ""


@pytest.mark.parametrize("act", WALLET_ACTIONS)
def test_acts_on_wallet__every_text_is_marked(german: Client, story: PlayerSession, act: str) -> None:
    response = german.get(page(Wallet, Wallet.objects.get(player=story.player), act))
    assert response.status_code == 200
    assert "\n".join(unmarked(response.content.decode(), names())) == ""
