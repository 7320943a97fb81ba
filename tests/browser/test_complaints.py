"""Two jobs of operators in a real browser, with their clicks counted and their end in the ledger."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from lib.clock import now
from payments.callbacks.refusals import watch_callbacks
from payments.callbacks.reverification import verify_due
from payments.models import Order, Provider, RefusalCount, RefusedCallback
from payments.providers.signing_secrets import new_webhook_secret
from players.models import Approval
from tests.browser.visits import Visit, looks, visiting
from tests.support.admin_fixtures import forget_providers, plain_static_files, shop_setup
from tests.support.callers import PlayerSession
from tests.support.doors import with_password
from tests.support.order_replay import difference
from tests.support.shop import FakeProvider, ShopSetup, event_body, fresh, make_provider
from wallet.job_runs import Run
from wallet.models import Alert

__all__ = ["forget_providers", "plain_static_files", "shop_setup"]

MOST_CLICKS = 4


def find_player(visit: Visit, session: PlayerSession) -> None:
    """From the first page to the player's, by the search box."""
    visit.open("/admin/")
    visit.page.fill("input[name=q]", session.player.uid)
    visit.page.keyboard.press("Enter")
    visit.clicks.append("search")
    visit.shows("Latest orders")


def open_order(visit: Visit, order: Order) -> None:
    visit.page.locator(f"main a[href*='{order.pk}']").first.click()
    visit.clicks.append("order")


def approve(visit: Visit, words: str) -> None:
    """The newest request, by a second person."""
    visit.open(f"/admin/players/approval/{Approval.objects.latest('pk').pk}/change/")
    visit.begin("Approve")
    visit.shows(words)
    visit.press("Approve")


@pytest.mark.parametrize("look", looks("wide"))
def test_paid_and_got_nothing__is_answered_in_few_clicks(
    office: str, browser: Browser, shop_setup: ShopSetup, look: str
) -> None:
    session = shop_setup.player_session()
    orders = [shop_setup.order(session) for _ in range(6)]
    assert shop_setup.webhooks.tell("payment.succeeded", orders[3], "3.99").status == 422
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(with_password("support", "finance"))
        find_player(first, session)
        first.shows("named 3.99 EUR instead of 4.99 EUR.")
        open_order(first, orders[3])
        first.shows(f"Not paid: a callback of {shop_setup.webhooks.provider} named 3.99 EUR")
        first.begin("Accept a payment")
        assert len([click for click in first.clicks if click != "Actions"]) <= MOST_CLICKS
        first.page.fill("input[name=reason]", "The provider confirms 3.99 EUR")
        first.press("Continue")
        first.shows("399.80 XAG")
        first.press("Accept a payment")
        first.shows("Requested, not done yet")
        assert session.holding().spendable == 0
        second.enter(with_password("finance"))
        approve(second, "399.80 XAG")
        second.shows("The callback is accepted")
        first.page.reload()
        first.shows("1.00 EUR of 4.99 EUR were never paid.")
    assert session.holding().spendable == 399_80
    assert [fresh(order).state for order in orders] == ["created"] * 3 + ["delivered"] + ["created"] * 2
    assert difference(fresh(orders[3])) == ""


def refused_payments(fake: FakeProvider, shop_setup: ShopSetup, secret: str) -> list[PlayerSession]:
    """Six players who paid after the provider's secret was changed at its side only."""
    sessions = [shop_setup.player_session() for _ in range(6)]
    for session in sessions:
        body = event_body("payment.succeeded", shop_setup.order(session, fake_provider=fake))
        assert fake.post(body, fake.signed(body, secret=secret)).status == 401
    return sessions


def enter_secret(visit: Visit, provider: Provider, secret: str) -> None:
    visit.begin("Enter a secret")
    visit.page.fill("input[name=secret]", secret)
    visit.page.fill("input[name=reason]", "The provider has changed it")
    visit.press("Enter a secret")
    visit.shows("Requested, not done yet")


@pytest.mark.parametrize("look", looks("wide"))
def test_rotated_secret__one_paste_and_one_button_credit_all(
    office: str, browser: Browser, shop_setup: ShopSetup, look: str
) -> None:
    fake, secret = make_provider("standard-webhooks"), new_webhook_secret()
    sessions = refused_payments(fake, shop_setup, secret)
    watch_callbacks(Run("watch_callbacks"))
    alert = Alert.objects.get(kind="callbacks_refused", subject=fake.provider.slug, resolved_at=None)
    page = f"/admin/payments/provider/{fake.provider.pk}/change/"
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(with_password("integration"))
        first.open(f"/admin/wallet/alert/{alert.pk}/change/")
        for row in RefusedCallback.objects.filter(provider=fake.provider):
            assert str(row.said_order) in first.page.content()
        first.shows("The reason: The signature is not of a live secret.")
        first.open(page)
        first.shows("6 were refused in the last 7 days; 6 are kept, not verified, and name 6 orders")
        enter_secret(first, fake.provider, secret)
        second.enter(with_password("integration"))
        approve(second, "can tell us that orders of any player are paid")
        first.open(page)
        first.begin("Verify refused callbacks")
        first.shows("Verify 6 refused callbacks again?")
        first.page.fill("input[name=reason]", "The new secret is there")
        first.press("Verify refused callbacks")
        first.shows("6 refused callbacks are being verified again.")
        assert {session.holding().spendable for session in sessions} == {0}
        # As the worker does it.
        verify_due(Run("verify_refused"))
        first.open(page)
        first.shows("verified: acted on")
        RefusalCount.objects.filter(provider=fake.provider).update(last_at=now() - timedelta(minutes=2))
        watch_callbacks(Run("watch_callbacks"))
        first.open(page)
        first.shows("no more than a small share")
    assert [session.holding().spendable for session in sessions] == [500_00] * 6
    alert.refresh_from_db()
    assert alert.resolved_at is not None
