"""What a page says was marked for translation, on every page of what is German already."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.test import Client

from config.roles import ROLES
from payments.models import Product, Provider
from players.access.answer_counts import ANSWER_COUNTS
from players.models import Game, Operator, Player
from tests.german.marked_language import marked_german
from tests.german.unmarked import unmarked
from tests.support.admin_pages import PLAYER_ACTIONS, alert, checkpoint, page, rows_of, run
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from tests.support.limits import make_limits
from wallet.models import Currency, Wallet
from wallet.reports.registry import REPORTS

# Pages of the site itself.
SITE = (
    *("/admin/find/", "/admin/error-codes/", "/admin/no-such-page/"),
    *("/admin/account/factors/", "/admin/account/factors/app/", "/admin/account/factors/passkey/"),
    *("/admin/account/sessions/", "/admin/integration/", "/admin/reports/"),
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


# What tests have given names to.
NAMED: tuple[Any, ...] = (Game, Currency, Provider, Product)
# Who has acted, as histories name them.
ACTORS = ("platform", "player", "sweep", "test", "tests", "Test")
# What people have written.
WRITTEN = ("Goodwill", "Ticket 7")
# A call's endpoint is its name.
ENDPOINTS = ("withdraw", "deposit", "confirmWithdrawal", "rollbackWithdrawal", "rollbackDeposit")


def given_names() -> set[str]:
    """The names that tests have given, the codes of products, and the names of laws."""
    given = {name for model in NAMED for name in model.objects.values_list("name", flat=True)}
    laws = {report.rule for report in REPORTS.values()}
    return {*given, *laws, *Product.objects.values_list("code", flat=True)}


def names() -> set[str]:
    """These, and the words in them."""
    given = given_names()
    return {*given, *(word for name in given for word in name.split())}


def unmarked_on(client: Client, place: str, given: Iterable[str] = ()) -> list[str]:
    """The texts of a page that nobody marked, without names and what else is data."""
    response = client.get(place)
    assert response.status_code == 200, place
    return unmarked(response.content.decode(), {*names(), *ACTORS}, given)


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


def test_home__every_text_is_marked(german: Client, story: PlayerSession) -> None:
    run("audit_all", note="3 wallets, 12 entries: no difference.")
    checkpoint()
    alert()
    assert "\n".join(unmarked_on(german, "/admin/")) == ""


def test_page_of_each_kind__every_text_is_marked(
    german: Client, boss: Operator, story: PlayerSession
) -> None:
    rows = rows_of(story) | {Operator: [boss]}
    places = [page(model, row) for model, found in rows.items() for row in found]
    data = (*WRITTEN, *ENDPOINTS, *ROLES, *given_names())
    found = [f"{place}: {text}" for place in places for text in unmarked_on(german, place, data)]
    assert "\n".join(found) == ""


def test_integration__every_text_is_marked(german: Client, callers: Callers) -> None:
    called = open_session(make_party(), callers.player())
    for amount in ("0.00", "5.00"):
        called.call("withdraw", "w-1", amount)
    ANSWER_COUNTS.write()
    for game in (called.game, make_party().game):
        place = f"/admin/integration/{game.slug}/"
        assert "\n".join(unmarked_on(german, place, (*ENDPOINTS, *given_names()))) == ""


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("query", ["", "?day=2001-01-01", "?day=x"])
def test_report__every_text_is_marked(german: Client, story: PlayerSession, name: str, query: str) -> None:
    place = f"/admin/reports/{name}/{query}"
    uids = Player.objects.values_list("uid", flat=True)
    assert "\n".join(unmarked_on(german, place, (*given_names(), *uids))) == ""


@pytest.mark.parametrize("act", PLAYER_ACTIONS)
def test_acts_on_player__every_text_is_marked(german: Client, story: PlayerSession, act: str) -> None:
    response = german.get(page(Player, story.player, act))
    assert response.status_code == 200
    assert "\n".join(unmarked(response.content.decode(), names())) == ""


def test_limits__every_text_is_marked(german: Client, player_session: PlayerSession) -> None:
    make_limits(player_session)
    for act in ("change", "set_limit", "loosen_limit", "cancel_limit_change"):
        response = german.get(page(Player, player_session.player, act))
        assert response.status_code == 200
        assert "\n".join(unmarked(response.content.decode(), {*names(), *ACTORS})) == ""


@pytest.mark.parametrize("place", MONEY)
def test_lists_of_money__every_text_is_marked(german: Client, story: PlayerSession, place: str) -> None:
    response = german.get(f"/admin/wallet/{place}")
    assert "\n".join(unmarked(response.content.decode(), names())) == ""


@pytest.mark.parametrize("act", WALLET_ACTIONS)
def test_acts_on_wallet__every_text_is_marked(german: Client, story: PlayerSession, act: str) -> None:
    response = german.get(page(Wallet, Wallet.objects.get(player=story.player), act))
    assert response.status_code == 200
    assert "\n".join(unmarked(response.content.decode(), names())) == ""
