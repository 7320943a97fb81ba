"""The first page of the demonstration in a real browser, and its clock."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from players.models import Player
from tests.browser.demo_lobby import Lobby, game_page, open_lobby
from tests.browser.visits import LOOKS, Visit, visiting
from tests.faults.platform_processes import running_platform
from tests.support.callers import Caller, PlayerSession, unique
from tests.support.game_query_server import playing, says

MINUS = "\N{MINUS SIGN}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def lobby(chromium: str, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lobby]:
    with (
        django_db_blocker.unblock(),
        game_page() as game_url,
        running_platform(durable=False) as platform,
    ):
        yield open_lobby(platform, game_url, tmp_path_factory.mktemp("lobby"))


def launch(visit: Visit, lobby: Lobby, nickname: str) -> PlayerSession:
    """Makes a new player and launches the game; the session that the game is given."""
    visit.open("/")
    visit.page.get_by_label("Or make a new one").fill(nickname)
    visit.press("Make")
    expect(visit.page.locator("[aria-current]")).to_contain_text(nickname)
    with visit.page.expect_popup() as opened:
        visit.page.get_by_role("button", name=f"Launch {lobby.game.name} as {nickname}").click()
    game: Page = opened.value
    game.wait_for_load_state()
    assert game.url.startswith(f"{lobby.game_url}/play?token=")
    [token] = parse_qs(urlsplit(game.url).query)["token"]
    game.close()
    player = Player.objects.get(nickname=nickname)
    assert (player.uid[:5], player.is_test) == ("demo-", True)
    return PlayerSession(lobby.caller, player, lobby.game, token, "XAG")


@pytest.mark.parametrize("look", ["wide", "phone"])
def test_lobby__shows_by_itself_what_the_game_does(lobby: Lobby, browser: Browser, look: str) -> None:
    with visiting(browser, lobby.url, look) as visit:
        session = launch(visit, lobby, unique("Z")[:20])
        money = visit.page.locator("#money")
        expect(money.locator("strong")).to_have_text("250.00 XAG")
        mm = session.opened("withdraw", "30.00")
        expect(money.locator("strong")).to_have_text("220.00 XAG")
        expect(money).to_contain_text("30.00 XAG reserved for games")
        expect(money.locator(".lines li").first).to_contain_text(f"Reserved for {lobby.game.name}")
        expect(money.locator(".lines li").first).to_contain_text(f"{MINUS}30.00 XAG")
        visit.is_sound()
        session.done("confirmWithdrawal", mm)
        expect(money.locator(".lines li").first).to_contain_text(f"Paid to {lobby.game.name}")
        visit.shows("Pocket money of the demonstration")


def test_clock__settles_in_seconds_what_was_left_pending(lobby: Lobby, browser: Browser) -> None:
    with visiting(browser, lobby.url) as visit, playing() as asked:
        asked.otherwise = says("CONFIRMED")
        type(lobby.game).objects.filter(pk=lobby.game.pk).update(query_url=asked.url)
        session = launch(visit, lobby, unique("T")[:20])
        session.opened("withdraw", "30.00")
        line = visit.page.locator("#money .lines li").first
        expect(line).to_contain_text(f"Reserved for {lobby.game.name}")
        before = visit.page.locator(".time time").inner_text()
        visit.press("Move the clock by 72 hours")
        expect(visit.page.get_by_role("status")).to_contain_text("The clock has moved by 72 hours.")
        assert visit.page.locator(".time time").inner_text() != before
        expect(line).to_contain_text("Settled by the platform. The game said CONFIRMED.")
        expect(line).to_contain_text(f"Paid to {lobby.game.name}")
        visit.shows("hours ahead of the true time")
    assert session.holding()[:2] == (220_00, 0)


@pytest.mark.parametrize("look", LOOKS)
def test_lobby__can_be_used_by_everybody(lobby: Lobby, browser: Browser, look: str) -> None:
    with visiting(browser, lobby.url, look) as visit:
        for place in ("/", "/?player=demo-chloe", "/?player=nobody", "/docs/"):
            visit.open(place)
            visit.is_sound()
        visit.open("/")
        visit.shows("not a coin lost")


def test_lobby__is_played_by_keyboard_alone(lobby: Lobby, browser: Browser) -> None:
    nickname = unique("K")[:20]
    with visiting(browser, lobby.url) as visit:
        visit.open("/")
        page = visit.page
        page.keyboard.press("Tab")
        expect(page.locator(":focus-visible")).to_have_text("To the game")
        page.get_by_label("Or make a new one").focus()
        page.keyboard.type(nickname)
        page.keyboard.press("Enter")
        expect(page.locator("[aria-current]")).to_contain_text(nickname)
        page.locator("#play button").focus()
        page.keyboard.press("Shift+Tab")
        expect(page.locator(":focus-visible")).to_have_text("Make")
        page.keyboard.press("Tab")
        with page.expect_popup() as opened:
            page.keyboard.press("Enter")
        opened.value.wait_for_load_state()
        expect(opened.value.get_by_role("heading")).to_have_text("The game")


def test_lobby__says_what_is_wrong_with_a_name(lobby: Lobby, browser: Browser) -> None:
    with visiting(browser, lobby.url) as visit:
        visit.open("/")
        visit.page.get_by_label("Or make a new one").fill("   ")
        visit.press("Make")
        expect(visit.page.get_by_role("alert")).to_have_text("A nickname has 1 to 24 characters.")
        visit.complaints.clear()  # The browser tells of each 422.


def test_lobby__reveals_no_password(lobby: Lobby) -> None:
    page = Caller(None, url=lobby.url).send("GET", "/").raw.decode()
    known = lobby.platform.environment
    assert "var/demo.json" in page
    assert not any(known[name] in page for name in ("SECRET_KEY", "CREDENTIAL_KEY"))
    demo = lobby.caller.authorization or ""
    assert demo not in page


@pytest.mark.parametrize("place", ["/demo/players", "/demo/launch", "/demo/clock"])
def test_forms__of_other_sites_are_refused(lobby: Lobby, place: str) -> None:
    stranger, count = Caller(None, url=lobby.url), Player.objects.count()
    answer = stranger.send("POST", place, b"nickname=Mallory&player=demo-anna&game=starfall", FORM)
    assert (answer.status, Player.objects.count()) == (403, count)


@pytest.mark.parametrize("look", LOOKS)
def test_front_page__without_demo_can_be_used_by_everybody(office: str, browser: Browser, look: str) -> None:
    with visiting(browser, office, look) as visit:
        for place in ("/", "/docs/"):
            visit.open(place)
            visit.is_sound()
        visit.open("/")
        visit.shows("money for online games")
