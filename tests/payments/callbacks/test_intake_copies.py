"""Callbacks at the same instant, on the real server (contract 4.2, rule 4).

One credit, one delivery, whatever they are.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest

from payments.models import Callback, Delivery, Order
from tests.config.test_health import wait_until
from tests.support.callers import Answer, holding, unique
from tests.support.invariants import problems_of
from tests.support.shop import (
    FakeProvider,
    ShopSetup,
    event_body,
    fresh,
    new_reference,
    outcomes,
    payments_of,
    refunds_of,
    story_of,
)
from wallet.models import Transaction

Action = Callable[[], Answer]
COPIES = 64


@pytest.fixture
def fake_provider(shop_setup: ShopSetup, server: str) -> FakeProvider:
    """The provider of Standard Webhooks, posting to a real server, which looks for new ones once a second."""
    posting = replace(shop_setup.webhooks, url=server)
    wait_until(lambda: posting.post(b"{}", {}).status != 404)
    return posting


def together(actions: Sequence[Action]) -> list[Answer]:
    """Runs all actions at the same instant, a thread each; returns their answers in order."""
    barrier = threading.Barrier(len(actions))
    answers: list[Answer | None] = [None] * len(actions)

    def act(index: int) -> None:
        barrier.wait()
        answers[index] = actions[index]()

    threads = [threading.Thread(target=act, args=(index,)) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = [answer for answer in answers if answer is not None]
    assert len(given) == len(actions)
    return given


def statuses(answers: Sequence[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def credits_of(order: Order) -> list[tuple[str, int | None]]:
    """The postings of an order's player, in the order of their making."""
    return list(Transaction.objects.filter(player=order.player).order_by("pk").values_list("type", "amount"))


def test_duplicate__64_copies_of_one_callback_pay_once(
    shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = shop_setup.order(product="pack")
    body = event_body("payment.succeeded", order)
    headers = fake_provider.signed(body)
    answers = together([lambda: fake_provider.post(body, headers)] * COPIES)
    assert statuses(answers) == {200: COPIES}
    assert {answer.raw for answer in answers} == {b'{"status":"ok"}'}
    assert list(Callback.objects.filter(order=order).values_list("outcome", "times_seen")) == [
        ("acted", COPIES)
    ]
    assert story_of(order) == [("created", "created"), ("started", "created"), ("payment.succeeded", "paid")]
    assert credits_of(order) == [("payment", 20_00), ("top_up", 1000_00)]
    assert holding(order.player).spendable == 1000_00
    assert Delivery.objects.filter(order=order).count() == 1
    assert problems_of(order.player) == []


def test_duplicate__64_messages_about_one_payment_pay_once(
    shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = shop_setup.order(product="pack")
    body = event_body("payment.succeeded", order)
    answers = together([lambda: fake_provider.post(body, fake_provider.signed(body))] * COPIES)
    assert statuses(answers) == {200: COPIES}
    # Each id is used up, by a message that was stored.
    assert Counter(outcomes(order)) == {"acted": 1, "nothing": COPIES - 1}
    assert credits_of(order) == [("payment", 20_00), ("top_up", 1000_00)]
    assert Delivery.objects.filter(order=order).count() == 1
    assert problems_of(order.player) == []


def test_duplicate_payment__64_credit_once_and_rest_is_owed_back(
    shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = shop_setup.order(product="pack")
    answers = together([lambda: fake_provider.tell("payment.succeeded", order)] * COPIES)
    assert statuses(answers) == {200: COPIES}
    assert Counter(outcomes(order)) == {"acted": 1, "duplicate": COPIES - 1}
    assert Counter(payments_of(order)) == {("paid", False): 1, ("paid", True): COPIES - 1}
    assert Counter(credits_of(order)) == {("payment", 20_00): COPIES, ("top_up", 1000_00): 1}
    assert holding(order.player).spendable == 1000_00
    assert Delivery.objects.filter(order=order).count() == 1
    assert problems_of(order.player) == []


def test_duplicate__success_and_full_refund_race_leaves_nothing(
    shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order, reference = shop_setup.order(product="pack"), new_reference()
    paid, returned = (
        event_body("payment.succeeded", order, reference=reference),
        event_body("payment.refunded", order),
    )
    paid_headers, returned_headers = fake_provider.signed(paid), fake_provider.signed(returned)
    actions: list[Action] = [
        lambda: fake_provider.post(paid, paid_headers),
        lambda: fake_provider.post(returned, returned_headers),
    ]
    answers = together(actions * (COPIES // 2))
    assert statuses(answers) == {200: COPIES}
    order = fresh(order)
    assert (order.state, order.refunded, holding(order.player).spendable, holding(order.player).debt) == (
        "refunded",
        20_00,
        0,
        0,
    )
    assert refunds_of(order) == [("refund", "done", 20_00)]
    assert sorted(Callback.objects.filter(order=order).values_list("type", "outcome", "times_seen")) == [
        ("payment.refunded", "acted", COPIES // 2),
        ("payment.succeeded", "acted", COPIES // 2),
    ]
    # Whichever came first: what was credited was taken back.
    assert Counter(type for type, _ in credits_of(order)) in (
        {"payment": 1, "payment_return": 1, "top_up": 1, "clawback": 1},
        {"payment": 1, "payment_return": 1},
    )
    assert not Delivery.objects.filter(order=order, next_attempt_at__isnull=False).exists()
    assert problems_of(order.player) == []


def test_refund__full_one_at_success_instant_leaves_nothing(
    shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    orders = [shop_setup.order() for _ in range(COPIES // 2)]
    answers = together(
        [
            partial(fake_provider.tell, type, order)
            for order in orders
            for type in ("payment.succeeded", "payment.refunded")
        ]
    )
    assert statuses(answers) == {200: COPIES}
    ends = [
        (fresh(order).state, refunds_of(order), holding(order.player).spendable, holding(order.player).debt)
        for order in orders
    ]
    assert ends == [("refunded", [("refund", "done", 4_99)], 0, 0)] * len(orders)


def test_message_id__same_for_two_orders_at_once_counts_for_one(
    shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    for _ in range(8):
        first, second, id = shop_setup.order(), shop_setup.order(), unique("msg")
        actions = [
            partial(fake_provider.tell, "payment.succeeded", order, id=id) for order in (first, second)
        ]
        assert statuses(together(actions)) == {200: 1, 422: 1}
        assert sorted((holding(order.player).spendable, fresh(order).state) for order in (first, second)) == [
            (0, "created"),
            (500_00, "delivered"),
        ]
        assert sorted(outcomes(first) + outcomes(second)) == ["acted", "contradicts"]


def test_reference__same_for_two_orders_at_once_counts_for_one(
    shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    for _ in range(8):
        first, second, reference = shop_setup.order(), shop_setup.order(), new_reference()
        actions = [
            partial(fake_provider.tell, "payment.succeeded", order, reference=reference)
            for order in (first, second)
        ]
        assert statuses(together(actions)) == {200: 1, 422: 1}
        assert sum(holding(order.player).spendable for order in (first, second)) == 500_00
