"""A game that fails, hangs and answers too late, told by real workers through a real broker.

Each delivery is made at least once, each order is delivered once.
"""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPException

import pytest

from payments.models import Delivery, DeliveryAttempt, Order, OrderEvent
from payments.providers.registry import PROVIDERS
from tests.conftest import Clock
from tests.faults.platform_processes import PATIENCE, SEED, Platform, eventually, kill_group, rounds
from tests.support.game_order_server import GameServer, answers, closes, hangs, late, selling, sends
from tests.support.game_query_server import Behaviour
from tests.support.shop import ShopSetup, event_body, fresh, make_shop_setup, story_of
from wallet.models import JobRun

# What a worker waits for a game, in seconds.
TIMEOUT = 1.0
WAYS: tuple[Behaviour, ...] = (
    answers(500),
    answers(404),
    answers(302),
    closes,
    sends(b"nonsense"),
    late(0.5),
    late(TIMEOUT * 1.5),
    hangs,
)
EVERY = {"DELIVER_SECONDS": "0.4", "OUTGOING_TOTAL_SECONDS": str(TIMEOUT)}
DELIVERED = [
    ("created", "created"),
    ("started", "created"),
    ("payment.succeeded", "paid"),
    ("delivered", "delivered"),
]


@pytest.fixture
def seller() -> Iterator[GameServer]:
    with selling() as seller:
        yield seller


@pytest.fixture
def shop_setup(platform: Platform, seller: GameServer) -> ShopSetup:
    PROVIDERS.forget()
    shop_setup = make_shop_setup(platform.callers, seller.url)
    seller.secrets.append(shop_setup.delivery_secret)
    return shop_setup


def pay(shop_setup: ShopSetup, url: str, order: Order) -> None:
    """Paid by a callback to the real web server, again and again until that listens.

    It nudges a real worker.
    """
    fake_provider, body = replace(shop_setup.webhooks, url=url), event_body("payment.succeeded", order)
    headers = fake_provider.signed(body)

    def is_answered() -> bool:
        with suppress(OSError, HTTPException):
            return fake_provider.post(body, headers).status == 200
        return False

    eventually(is_answered, "the callback is answered")


def go_on(clock: Clock, orders: list[Order]) -> None:
    """Time passes faster than it does, until all is delivered."""
    ids, ahead, deadline = [order.pk for order in orders], timedelta(0), time.monotonic() + PATIENCE
    while left := Order.objects.filter(pk__in=ids).exclude(state="delivered").count():
        assert time.monotonic() < deadline, f"{left} are not delivered"
        ahead += timedelta(seconds=5)
        clock.go_ahead(ahead)
        time.sleep(0.5)


def assert_delivered_once(orders: list[Order], seller: GameServer) -> None:
    for order in orders:
        delivery = Delivery.objects.get(order=order)
        told = seller.about(order.cp_order_id)
        assert {one.id for one in told} == {str(delivery.pk)}
        # Each was written down before it was sent.
        assert 1 <= len(told) <= DeliveryAttempt.objects.filter(delivery=delivery).count()
        assert (fresh(order).state, delivery.state, delivery.next_attempt_at) == (
            "delivered",
            "delivered",
            None,
        )
        assert story_of(order) == DELIVERED
    assert OrderEvent.objects.filter(order__in=orders, what="delivered").count() == len(orders)
    assert seller.problems == []


def test_delivery__paid_order_is_delivered_within_a_moment(
    platform: Platform, shop_setup: ShopSetup, seller: GameServer
) -> None:
    # Beat is not there: it is the callback that says so.
    platform.start("worker", **EVERY)
    _, url = platform.serve()
    # The worker has begun to listen when the first one is through.
    pay_and_wait(shop_setup, url)
    assert pay_and_wait(shop_setup, url) < 5
    assert seller.problems == []


def pay_and_wait(shop_setup: ShopSetup, url: str) -> float:
    """How many seconds it took from the payment to the delivery."""
    began, order = time.monotonic(), shop_setup.order(product="sword")
    pay(shop_setup, url, order)
    while fresh(order).state != "delivered":
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.02)
    return time.monotonic() - began


def test_delivery__to_failing_hanging_or_late_game_happens_once(
    platform: Platform, shop_setup: ShopSetup, seller: GameServer, clock: Clock
) -> None:
    dice = random.Random(SEED)
    worker = platform.start("worker", **EVERY)
    platform.start("beat", **EVERY)
    _, url = platform.serve()
    orders = [shop_setup.order(product="sword") for _ in range(rounds(24, 1000))]
    for order in orders:
        seller.turns[order.cp_order_id] = [
            *dice.sample(WAYS, dice.randrange(3)),
            answers(dice.choice((200, 204)), b""),
        ]
        pay(shop_setup, url, order)
    # In the midst of it the worker is gone, with all that it had under way.
    time.sleep(dice.uniform(0, 2))
    kill_group(worker)
    platform.start("worker", **EVERY)
    go_on(clock, orders)
    assert_delivered_once(orders, seller)
    assert not JobRun.objects.filter(task="deliver_due").exclude(error="").exists()
    platform.assert_whole()
