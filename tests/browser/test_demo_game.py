"""Somebody plays the demonstration's game in a browser; what came of it is read from the ledger."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from payments.models import Order, RefusedCallback
from tests.browser.demo_game import Guest, PlayedGame, played_game
from tests.browser.demo_shop import Shop
from tests.browser.visits import looks, visiting
from tests.faults.platform_processes import eventually
from wallet.models import Transaction

Opener = Callable[..., Page]
WIDE = (1280, 900)


@pytest.fixture(scope="module")
def game(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[PlayedGame]:
    with django_db_blocker.unblock(), played_game(shop, tmp_path_factory.mktemp("game")) as game:
        yield game


@pytest.fixture
def guest(game: PlayedGame) -> Guest:
    return game.guest()


@pytest.fixture
def page(open_page: Opener, guest: Guest) -> Page:
    """The game's page, where the guest has just come in."""
    page = open_page(WIDE)
    page.goto(guest.address)
    expect(page.locator("#balance")).to_have_text("0.00 XAG")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def says(page: Page, words: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(words)


def catch_stars(page: Page, *worth: int) -> None:
    """Some money for a player who had none. The purse tells one star from the next that is worth as much."""
    for caught, one in enumerate(worth):
        press(page, f"Catch a star worth {one}")
        says(page, f"+{one}.00 XAG")
        expect(page.locator("#balance")).to_have_text(f"{sum(worth[: caught + 1])}.00 XAG")


def wire(page: Page) -> list[str]:
    """What went over the wire: the path and the status of each exchange."""
    lines = page.locator("#wire .line")
    return [
        f"{line.locator('code').inner_text()} {line.locator('.status').inner_text()}" for line in lines.all()
    ]


def expect_wire(page: Page, *lines: str) -> None:
    """The wire ends with these exchanges."""
    eventually(lambda: wire(page)[-len(lines) :] == list(lines), "the wire", 20, lambda: wire(page))


def test_game__wins_buys_and_rolls_back(page: Page, guest: Guest) -> None:
    catch_stars(page, 25, 10)
    assert guest.money() == ("35.00", "0.00")
    press(page, "Buy a lantern")
    says(page, "Lantern: it is yours.")
    expect(page.locator("#owned")).to_contain_text("Lantern")
    expect_wire(page, "POST /wallet/withdraw 200", "POST /wallet/confirmWithdrawal 200")
    assert guest.money() == ("20.00", "0.00")
    press(page, "Change my mind about a lantern")
    says(page, "nothing was paid")
    expect_wire(page, "POST /wallet/withdraw 200", "POST /wallet/rollbackWithdrawal 200")
    expect(page.locator("#balance")).to_have_text("20.00 XAG")
    press(page, "Buy a telescope")
    says(page, "not enough money")
    assert guest.money() == ("20.00", "0.00")
    assert guest.transactions() == [
        ("deposit", "confirmed"),
        ("deposit", "confirmed"),
        ("withdrawal", "confirmed"),
        ("withdrawal", "rolled_back"),
        ("withdrawal", "declined"),
    ]


def test_game__free_round_takes_no_stake(page: Page, guest: Guest) -> None:
    expect(page.locator("#rounds")).to_have_text("3 left")
    press(page, "Play a free round")
    expect(page.locator("#rounds")).to_have_text("2 left")
    expect_wire(page, "POST /wallet/deposit 200", "POST /wallet/confirmDeposit 200")
    assert (guest.money(), guest.transactions()) == (("12.00", "0.00"), [("deposit", "confirmed")])


def test_game__top_up_is_paid_delivered_and_shown(page: Page, guest: Guest) -> None:
    with page.context.expect_page() as opened:
        press(page, "Starter pack")
    checkout = opened.value
    checkout.get_by_role("button", name="Pay with Sandbox").click()
    checkout.get_by_role("button", name="Pay", exact=True).click()
    expect(checkout.get_by_role("heading", level=1)).to_have_text("Thank you!")
    expect(page.locator("#balance")).to_have_text("2,000.00 XAG")
    expect(page.locator("#rounds")).to_have_text("8 left")
    expect(page.locator("#orders")).to_contain_text("delivered")
    eventually(lambda: "POST /platform/deliveries 200" in wire(page), "the delivery is on the wire", 20)
    assert guest.money() == ("2000.00", "0.00")
    assert Order.objects.get(player__uid=guest.uid).state == "delivered"


def test_mischief__lost_answer_and_second_confirmation_cost_nothing(page: Page, guest: Guest) -> None:
    catch_stars(page, 25, 10)
    press(page, "Lose the answer")
    says(page, "paid once")
    twice = ["POST /wallet/withdraw 200"] * 2
    expect_wire(page, *twice, "POST /wallet/confirmWithdrawal 200", "POST /wallet/getBalance 200")
    assert guest.money() == ("20.00", "0.00")
    press(page, "Confirm twice")
    says(page, "Confirmed twice, paid once.")
    twice = ["POST /wallet/confirmWithdrawal 200"] * 2
    expect_wire(page, "POST /wallet/withdraw 200", *twice, "POST /wallet/getBalance 200")
    assert guest.money() == ("5.00", "0.00")
    assert guest.transactions()[2:] == [("withdrawal", "confirmed")] * 2


def test_mischief__rollback_that_comes_first_wins(page: Page, guest: Guest) -> None:
    catch_stars(page, 25)
    press(page, "Roll back first")
    says(page, "nothing was paid")
    expect(page.locator("#wire .status.no")).to_have_count(1)
    expect(page.locator("#wire .answer").filter(has_text='"errorCode": 108')).to_have_count(1)
    assert guest.money() == ("25.00", "0.00")
    assert guest.transactions()[1:] == [("withdrawal", "rolled_back")]


def test_mischief__forged_callback_is_refused_and_seen_at_the_desk(page: Page, guest: Guest) -> None:
    press(page, "Forge a callback")
    says(page, "The forged callback was refused.")
    expect_wire(
        page, "POST /payments/initiate 200", "POST /pay/webhooks 401 refused", "POST /payments/query 200"
    )
    order = Order.objects.get(player__uid=guest.uid)
    assert (order.state, guest.money()) == ("created", ("0.00", "0.00"))
    eventually(
        lambda: RefusedCallback.objects.filter(provider__slug="webhooks", said_order=order.pk).exists(),
        "the desk has it",
    )


def test_mischief__what_is_left_pending_is_reserved_until_it_is_settled(page: Page, guest: Guest) -> None:
    catch_stars(page, 25, 10, 10)
    press(page, "Leave it pending")
    says(page, "45.00 XAG are reserved.")
    assert guest.money() == ("0.00", "45.00")
    expect(page.get_by_label("If the platform asks")).to_have_value("CONFIRMED")
    press(page, "Roll it back now")
    says(page, "Comet: rolled back.")
    expect(page.locator("#unsettled")).to_be_hidden()
    assert (guest.money(), guest.transactions()[3:]) == (("45.00", "0.00"), [("withdrawal", "rolled_back")])


def test_game__two_tabs_and_two_players_see_their_own(
    page: Page, guest: Guest, game: PlayedGame, open_page: Opener
) -> None:
    tab, stranger = page.context.new_page(), open_page(WIDE)
    other = game.guest()
    tab.goto(page.url)
    stranger.goto(other.address)
    catch_stars(page, 25)
    expect(tab.locator("#balance")).to_have_text("25.00 XAG")
    expect(tab.locator("#wire article").last).to_contain_text("confirmDeposit")
    expect(stranger.locator("#balance")).to_have_text("0.00 XAG")
    assert (wire(stranger), other.money()) == (["POST /wallet/verifySession 200"], ("0.00", "0.00"))


def test_game__can_be_played_by_keyboard_and_without_scripts(guest: Guest, open_page: Opener) -> None:
    page = open_page(WIDE, scripts=False)
    page.goto(guest.address)
    star = page.get_by_role("button", name="Catch a star worth 25")
    star.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#balance")).to_have_text("25.00 XAG")
    assert guest.money() == ("25.00", "0.00")


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_game__page_is_sound(guest: Guest, browser: Browser, look: str) -> None:
    with visiting(browser, guest.address, look) as visit:
        visit.open("")
        catch_stars(visit.page, 25, 10, 10)
        press(visit.page, "Leave it pending")
        visit.shows("45.00 XAG are reserved.")


# --- The clock moves: the last tests of this platform, whose sessions end ---


@pytest.mark.parametrize(
    ("told", "state", "money", "owned"),
    [
        ("CONFIRMED", "confirmed", ("0.00", "0.00"), "Comet"),
        ("ROLLED_BACK", "rolled_back", ("45.00", "0.00"), "Nothing yet."),
    ],
)
def test_mischief__platform_asks_after_72_hours(
    page: Page, guest: Guest, told: str, state: str, money: tuple[str, str], owned: str
) -> None:
    catch_stars(page, 25, 10, 10)
    press(page, "Leave it pending")
    says(page, "45.00 XAG are reserved.")
    page.get_by_label("If the platform asks").select_option(told)
    press(page, "Move the clock by 72 hours")
    says(page, "72 hours later")
    eventually(lambda: guest.money() == money, "the platform settles", 60)
    left = Transaction.objects.get(player__uid=guest.uid, type="withdrawal")
    assert (left.state, left.settled_source) == (state, "sweep")
    asked = page.locator("#wire article").filter(has_text="POST /platform/state")
    expect(asked.locator(".answer")).to_contain_text(f'"state": "{told}"')
    # The game repeats its own call, and hears how it ended.
    expect(page.locator("#wire article").last).to_contain_text("hears how it ended")
    expect(page.locator("#owned")).to_contain_text(owned)
    expect(page.locator("#unsettled")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("This session has ended")).to_be_visible()
