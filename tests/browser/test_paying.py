"""Players pay in a real browser.

Callbacks, credits and deliveries go through the real worker and over HTTP, and balances are read from the
wallet API.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from payments.models import Order
from payments.refunds.operations import request_refund
from tests.browser.demo_shop import PaymentRequest, Shop
from tests.faults.platform_processes import eventually

Opener = Callable[..., Page]
WIDE, PHONE = (1280, 900), (390, 844)
BACK = "https://starfall.example/back"


def begin(page: Page, purchase: PaymentRequest, provider: str = "Sandbox") -> None:
    """From the game to the checkout, and on to the provider's page."""
    page.goto(purchase.url)
    page.get_by_role("button", name=f"Pay with {provider}").click()
    expect(page.get_by_text("No real money moves here.")).to_be_visible()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def expect_heading(page: Page, text: str) -> None:
    """The page comes to say that, by itself."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def expect_balance(purchase: PaymentRequest, balance: str) -> None:
    eventually(lambda: purchase.customer.balance() == balance, f"a balance of {balance}", 20)


def expect_told(page: Page, message: str, answer: str, *, times: int = 1) -> None:
    """The platform has answered that to so many callbacks with this message."""
    rows = page.get_by_role("row").filter(has_text=message).filter(has_text=answer)
    for _ in range(100):
        if rows.count() == times:
            return
        page.wait_for_timeout(100)
        page.reload()
    raise AssertionError(f"{message} was not answered {answer} {times} times: {page.inner_text('main')}")


def assert_fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_checkout__player_pays_and_the_page_updates_by_itself(shop: Shop, open_page: Opener) -> None:
    page, other, purchase = (
        open_page(PHONE, scripts=False),
        open_page(WIDE),
        shop.customer().order(returnUrl=BACK),
    )
    assert (purchase.customer.balance(), purchase.state()) == ("0.00", "created")
    page.goto(purchase.url)
    assert_fits(page)
    begin(page, purchase)
    assert_fits(page)
    press(page, "Pay, but the callback comes 10 seconds later")
    other.goto(page.url)
    for one in (page, other):
        expect_heading(one, "Waiting for the payment")
        assert_fits(one)
    assert (purchase.customer.balance(), purchase.state()) == ("0.00", "created")
    # Nobody touches anything.
    for one in (page, other):
        expect_heading(one, "Thank you!")
        assert_fits(one)
    assert (purchase.customer.balance(), purchase.state()) == ("500.00", "delivered")
    expect(page.get_by_role("link", name="Back to Starfall")).to_have_attribute("href", BACK)
    page.goto(purchase.url)
    expect_heading(page, "Thank you!")


def test_checkout__declined_player_tries_again_in_another_way(shop: Shop, open_page: Opener) -> None:
    page, purchase = open_page(PHONE), shop.customer().order()
    begin(page, purchase)
    press(page, "Decline")
    expect_heading(page, "The payment did not go through")
    assert (purchase.customer.balance(), purchase.state()) == ("0.00", "failed")
    page.get_by_role("link", name="Try again").click()
    page.get_by_role("button", name="Pay with Demo Pay").click()
    press(page, "Pay, and the callback is sent twice")
    expect_heading(page, "Thank you!")
    expect_balance(purchase, "500.00")
    page.go_back()
    expect_told(page, "payment.succeeded", "200", times=2)
    assert (purchase.customer.balance(), purchase.state()) == ("500.00", "delivered")


def test_checkout__player_pays_in_german(shop: Shop, open_page: Opener) -> None:
    page, purchase = open_page(PHONE, locale="de-AT"), shop.customer("de").order()
    page.goto(purchase.url)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect_heading(page, "Ihre Bestellung")
    expect(page.get_by_text("500 Silbermünzen")).to_be_visible()
    expect(page.get_by_text("4,99\N{NO-BREAK SPACE}EUR")).to_be_visible()
    page.get_by_role("button", name="Mit Sandbox bezahlen").click()
    expect(page.get_by_text("Hier fließt kein echtes Geld.")).to_be_visible()
    press(page, "Bezahlen")
    expect_heading(page, "Vielen Dank!")
    assert_fits(page)
    assert purchase.customer.balance() == "500.00"


def test_language__choice_outlasts_the_visit_to_the_provider(shop: Shop, open_page: Opener) -> None:
    page, purchase = open_page(WIDE), shop.customer("en").order()
    page.goto(purchase.url)
    page.get_by_role("link", name="Deutsch").click()
    page.get_by_role("button", name="Mit Demo Pay bezahlen").click()
    page.locator("button[value=pay]").click()
    expect_heading(page, "Vielen Dank!")


def test_checkout__paid_item_is_delivered_by_the_game(shop: Shop, open_page: Opener) -> None:
    page, purchase = open_page(WIDE), shop.customer().order("wm.spin.1")
    begin(page, purchase)
    press(page, "Pay")
    expect_heading(page, "Thank you!")
    expect(page.get_by_text("the game has your purchase")).to_be_visible()
    assert (purchase.state(), purchase.told()["deliveredAt"] is not None, purchase.customer.balance()) == (
        "delivered",
        True,
        "0.00",
    )
    page.goto(f"{shop.url}/sandbox/deliveries/{shop.slug}")
    letter = page.get_by_role("article").filter(has_text=purchase.cp_order_id)
    expect(letter).to_have_count(1)
    expect(letter).to_contain_text("answered 200")


def test_refunds__take_the_credit_back_whoever_asks(
    shop: Shop, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, purchase = open_page(PHONE), shop.customer().order()
    begin(page, purchase)
    hosted = page.url
    press(page, "Pay")
    expect_balance(purchase, "500.00")
    page.goto(hosted)
    page.get_by_label("Amount (EUR)").fill("1,00")
    press(page, "Refund")
    # floor(500.00 * 1.00 / 4.99) is taken back.
    expect_balance(purchase, "399.80")
    assert (purchase.state(), str(purchase.told()["refunded"])) == ("delivered", "1.00")
    # The rest by an operator's wish: the platform asks the sandbox over HTTP, whose answer and callback tell
    # of the same refund.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    request_refund(
        Order.objects.get(cp_order_id=purchase.cp_order_id).pk, 2_00, actor="operator", reason="a wish"
    )
    expect_balance(purchase, "199.40")
    eventually(lambda: str(purchase.told()["refunded"]) == "3.00", "the refund's end", 20)
    page.goto(hosted)
    expect_told(page, "payment.refunded", "200", times=2)
    assert (purchase.customer.balance(), str(purchase.told()["refunded"])) == ("199.40", "3.00")
    press(page, "Charge back")
    expect_balance(purchase, "0.00")
    page.get_by_role("link", name="Back to the shop").click()
    expect_heading(page, "Charged back")
    assert_fits(page)
    page.goto(hosted)
    press(page, "Reverse the chargeback")
    expect_balance(purchase, "199.40")
    assert purchase.state() == "delivered"


def test_callback__forgery_or_wrong_amount_pays_nothing(shop: Shop, open_page: Opener) -> None:
    page, purchase = open_page(WIDE), shop.customer().order()
    begin(page, purchase, "Demo Notify")
    press(page, "Forged callback")
    expect_told(page, "order-notify", "401")
    press(page, "Callback with a wrong amount")
    expect_told(page, "order-notify", "422")
    assert (purchase.customer.balance(), purchase.state()) == ("0.00", "created")
    press(page, "Pay")
    expect_heading(page, "Thank you!")
    assert (purchase.customer.balance(), purchase.state()) == ("500.00", "delivered")


def test_checkout__can_be_done_by_keyboard_alone(shop: Shop, open_page: Opener) -> None:
    page, purchase = open_page(WIDE), shop.customer().order(returnUrl=BACK)
    page.goto(purchase.url)
    tab_to(page, "Pay with Sandbox")
    page.keyboard.press("Enter")
    expect_heading(page, "To be paid")
    tab_to(page, "Pay")
    page.keyboard.press("Space")
    expect_heading(page, "Thank you!")
    tab_to(page, "Back to Starfall")
    assert purchase.customer.balance() == "500.00"


def tab_to(page: Page, name: str) -> None:
    """Goes on by the tabulator to what is called so; wherever it stops, one sees it."""
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        if not focused.count():
            continue
        assert (
            focused.evaluate(
                "element => { const style = getComputedStyle(element); return style.outlineStyle + ' ' + "
                "style.outlineWidth }"
            )
            == "solid 3px"
        )
        if focused.inner_text() == name:
            return
    raise AssertionError(f"the tabulator does not lead to {name!r}")
