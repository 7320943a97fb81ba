"""Why an order is in its state, as its page and its player's page say it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from lib.clock import in_words, now
from payments.admin.reasons import reason, stories_of
from payments.deliveries.operations import pause_deliveries, resume_deliveries
from payments.models import Delivery, DeliveryAttempt, Order, Payment, Refund
from payments.orders.operations import expire_orders
from players.models import Player
from tests.conftest import Clock
from tests.support.admin_orders import sandbox_provider, tried
from tests.support.admin_pages import address, find, get, page, queries
from tests.support.owned import owned
from tests.support.shop import ShopSetup, fresh

STOPPED = "it has stopped its delivery by that: no attempt follows"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


def why(order: Order) -> str:
    return reason(stories_of([fresh(order)])[0])


def says(order: Order, pattern: str) -> None:
    assert re.fullmatch(pattern.replace("TIME", TIME), why(order)), why(order)


def test_reason__order_that_nobody_has_begun_to_pay(shop_setup: ShopSetup) -> None:
    says(shop_setup.order(start=False), r"Not paid: the player has not been sent to a provider yet\.")


def test_reason__order_that_nobody_ever_began_to_pay(shop_setup: ShopSetup, clock: Clock) -> None:
    order = shop_setup.order(start=False)
    clock.go_ahead(timedelta(days=2))
    expire_orders(now())
    says(order, r"Expired TIME without a payment: the player was never sent to a provider\.")


def test_reason__order_whose_provider_said_nothing(shop_setup: ShopSetup, clock: Clock) -> None:
    order = shop_setup.order()
    slug = shop_setup.webhooks.provider.slug
    silent = rf"the player was sent to {slug} TIME, and no callback came\."
    says(order, f"Not paid: {silent}")
    clock.go_ahead(timedelta(days=2))
    expire_orders(now())
    says(order, f"Expired TIME without a payment: {silent}")


def test_reason__callback_of_another_amount(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    shop_setup.webhooks.tell("payment.succeeded", order, "3.99")
    slug = shop_setup.webhooks.provider.slug
    says(order, rf"Not paid: a callback of {slug} named 3\.99 EUR instead of 4\.99 EUR\.")


def test_reason__callback_that_contradicts_otherwise(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(start=False)
    shop_setup.webhooks.tell("payment.succeeded", order)
    slug = shop_setup.webhooks.provider.slug
    says(
        order,
        rf"Not paid: a callback of {slug} contradicts the order: "
        r"the order was not started with this provider\.",
    )


def test_reason__payment_that_failed(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    shop_setup.webhooks.tell("payment.failed", order)
    slug = shop_setup.webhooks.provider.slug
    says(order, rf"Not paid: the payment with {slug} failed\.")


def test_reason__payment_that_could_not_be_started(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    Payment.objects.filter(order=order).update(state="unstarted", problem="status 500")
    slug = shop_setup.webhooks.provider.slug
    says(order, rf"Not paid: the payment with {slug} could not be started \(status 500\)\.")


def test_reason__credit_that_was_given(shop_setup: ShopSetup) -> None:
    says(shop_setup.paid(), r"Paid; credited\.")


def test_reason__credit_that_the_wallet_could_not_hold(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    owned(Order).filter(pk=order.pk).update(is_credit_held=True)
    says(order, r"Paid; the wallet could not hold the credit: it has to be given by an adjustment\.")


def test_reason__delivery_on_its_way(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid(product="sword")
    says(order, r"Paid; the game is being told\.")
    tried(order, 503)
    says(order, r"Paid; the game answers 503 since TIME \(1 attempt\); next attempt at TIME\.")
    tried(order, 503)
    says(order, r"Paid; the game answers 503 since TIME \(2 attempts\); next attempt at TIME\.")
    tried(order, None)
    fails = r"the game fails since TIME \(3 attempts, the last: timeout: no answer\)"
    says(order, rf"Paid; {fails}; next attempt at TIME\.")
    pause_deliveries(shop_setup.shop)
    says(order, rf"Paid; {fails}; deliveries to this game are paused\.")
    resume_deliveries(shop_setup.shop)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (200, r"Paid; delivered by the game TIME\."),
        (410, rf"Paid; the game answers 410 since TIME \(1 attempt\); {STOPPED}\."),
    ],
)
def test_reason__delivery_that_has_ended(shop_setup: ShopSetup, status: int, sentence: str) -> None:
    order = shop_setup.paid(product="sword")
    tried(order, status)
    says(order, sentence)


def test_reason__failures_since_the_first_of_them(shop_setup: ShopSetup, clock: Clock) -> None:
    order = shop_setup.paid(product="sword")
    tried(order, None)
    [first] = DeliveryAttempt.objects.filter(delivery__order=order)
    clock.go_ahead(timedelta(hours=2))
    tried(order, None)
    since = in_words(first.began_at)
    unanswered = rf"the game gives no answer since {since} \(2 attempts, the last: timeout: no answer\)"
    says(order, rf"Paid; {unanswered}; next attempt at TIME\.")
    Delivery.objects.filter(order=order).update(state="exhausted", next_attempt_at=None)
    says(order, rf"Paid; {unanswered}; given up after 48 hours: no attempt follows\.")


def test_reason__money_that_went_back(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    shop_setup.webhooks.tell("payment.refunded", order, "1.00")
    says(order, r"Paid; credited\. 1\.00 EUR of 4\.99 EUR are refunded\.")
    shop_setup.webhooks.tell("payment.refunded", order, "3.99")
    says(order, r"4\.99 EUR are refunded\.")


def test_reason__chargeback(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    shop_setup.webhooks.tell("payment.charged_back", order)
    says(order, r"4\.99 EUR of 4\.99 EUR are charged back\.")


def test_reason__duplicate_payment(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    shop_setup.webhooks.tell("payment.succeeded", order)
    says(order, r"Paid; credited\. It was paid twice\.")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("unknown", r"A refund of 2\.00 EUR is not confirmed by the provider yet\."),
        ("refused", r"A refund of 2\.00 EUR was refused by the provider\."),
    ],
)
def test_reason__refund_that_is_not_done(shop_setup: ShopSetup, state: str, sentence: str) -> None:
    order = shop_setup.paid()
    payment = Payment.objects.get(order=order)
    Refund.objects.create(
        order=order,
        payment=payment,
        provider=payment.provider,
        kind="refund",
        state=state,
        amount=2_00,
        actor="operator:anna",
        created_at=now(),
    )
    says(order, rf"Paid; credited\. {sentence}")


# --- Where it is shown ------------------------------------------------------------------------------------


def test_player_page__has_the_orders_with_their_reasons(client: Client, shop_setup: ShopSetup) -> None:
    player_session = shop_setup.player_session()
    player = player_session.player
    assert "This player has bought nothing yet." in get(client, page(Player, player))
    order = shop_setup.order(player_session)
    shop_setup.webhooks.tell("payment.succeeded", order, "3.99")
    text = get(client, page(Player, player))
    assert page(Order, order) in text
    assert "named 3.99 EUR instead of 4.99 EUR." in text
    assert f"{address(Order)}?q={player.uid}" in text
    assert "named 3.99 EUR instead of 4.99 EUR." in get(client, page(Order, order))


def test_player_page__takes_no_more_queries_for_many_orders(client: Client, shop_setup: ShopSetup) -> None:
    player_session = shop_setup.player_session()
    tried(shop_setup.paid(player_session, "pack"), 503)
    get(client, page(Player, player_session.player))
    few = len(queries(client, page(Player, player_session.player)))
    for _ in range(4):
        tried(shop_setup.paid(player_session, "pack"), 503)
    assert len(queries(client, page(Player, player_session.player))) <= few


def test_order_search__finds_by_what_starting_gave(
    client: Client, shop_setup: ShopSetup, settings: Any
) -> None:
    settings.DEMO = True
    order = shop_setup.order(fake_provider=sandbox_provider())
    reference = Payment.objects.get(order=order).start_reference
    assert reference
    assert page(Order, order) in find(client, Order, reference)
