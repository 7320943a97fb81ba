"""Everything happens once, wherever a process dies.

The process that acts on a callback, tells a game or asks for a refund dies after each single statement.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.conf import settings

from lib.clock import now
from lib.ids import new_id
from payments.checkout.payments import start_payment
from payments.deliveries.operations import LEASE
from payments.deliveries.worker import deliver_due
from payments.models import Callback, Delivery, DeliveryAttempt, Order, OrderEvent, Refund
from payments.nudges import NUDGER
from payments.providers.registry import PROVIDERS
from payments.refunds.operations import request_refund
from payments.refunds.worker import LEASE as REFUND_LEASE
from payments.refunds.worker import settle_refunds
from tests.conftest import Clock
from tests.faults.platform_processes import Platform
from tests.faults.refund_api import Refunder, refunding
from tests.faults.step_client import StepClient, working
from tests.support.callers import holding
from tests.support.game_order_server import GameServer, selling
from tests.support.invariants import problems_of
from tests.support.shop import (
    FakeProvider,
    ShopSetup,
    event_body,
    fresh,
    make_provider,
    make_shop_setup,
    refunds_of,
    story_of,
)
from wallet.job_runs import Run
from wallet.models import Transaction

# More steps than any of it can need.
MOST_STEPS = 150
SUCCEEDED, REFUNDED, CHARGED_BACK, REVERSED = (
    "payment.succeeded",
    "payment.refunded",
    "payment.charged_back",
    "payment.charge_back_reversed",
)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, platform: Platform) -> None:
    """No worker is there to be nudged; peers of the tests' own may be called."""
    PROVIDERS.forget()
    monkeypatch.setattr(NUDGER, "paused_until", float("inf"))
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    monkeypatch.setattr(settings, "DEMO", True)


@pytest.fixture(scope="module")
def provider() -> Iterator[Refunder]:
    with refunding() as refunder:
        yield refunder


@pytest.fixture(scope="module")
def step_client(own_platform: Platform, provider: Refunder) -> Iterator[StepClient]:
    with working(own_platform, PUBLIC_URL=provider.url) as step_client:
        yield step_client


@pytest.fixture
def seller() -> Iterator[GameServer]:
    with selling() as seller:
        yield seller


@pytest.fixture
def shop_setup(platform: Platform, seller: GameServer) -> ShopSetup:
    shop_setup = make_shop_setup(platform.callers, seller.url)
    seller.secrets.append(shop_setup.delivery_secret)
    return shop_setup


def tell(fake_provider: FakeProvider, body: bytes, headers: dict[str, str]) -> None:
    answer = fake_provider.post(body, headers)
    assert answer.status == 200, answer.raw


def headers_of(fake_provider: FakeProvider, body: bytes) -> dict[str, str]:
    """Signed now, by the database's clock, which may be ahead."""
    return fake_provider.signed(body, at=int(now().timestamp()))


# --- Callbacks -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """What a provider tells of an order before, and what while the process dies.

    And what has to be true in the end.
    """

    before: tuple[str, ...]
    dying: str
    state: str
    spendable: int
    postings: tuple[tuple[str, int], ...]
    events: tuple[str, ...]
    deliveries: tuple[str, ...]


PAID = (("payment", 20_00), ("top_up", 1000_00))
BACK = (("payment_return", 20_00), ("clawback", 1000_00))
AGAIN = (("payment", 20_00), ("top_up", 1000_00))
STORIES = {
    "a payment": Story((), SUCCEEDED, "paid", 1000_00, PAID, (SUCCEEDED,), ("pending",)),
    "a second payment": Story(
        (SUCCEEDED,),
        SUCCEEDED,
        "paid",
        1000_00,
        (*PAID, ("payment", 20_00)),
        (SUCCEEDED, "duplicate_payment"),
        ("pending",),
    ),
    "a failure": Story((), "payment.failed", "failed", 0, (), ("payment.failed",), ()),
    "a refund": Story(
        (SUCCEEDED,), REFUNDED, "refunded", 0, PAID + BACK, (SUCCEEDED, "refund"), ("returned",)
    ),
    "a refund that comes first": Story((), REFUNDED, "created", 0, (), ("refund_remembered",), ()),
    "a payment after its refund": Story(
        (REFUNDED,),
        SUCCEEDED,
        "refunded",
        0,
        (("payment", 20_00), ("payment_return", 20_00)),
        ("refund_remembered", SUCCEEDED, "refund_applied"),
        (),
    ),
    "a charge-back": Story(
        (SUCCEEDED,), CHARGED_BACK, "charged_back", 0, PAID + BACK, (SUCCEEDED, "charge_back"), ("returned",)
    ),
    "a reversal": Story(
        (SUCCEEDED, CHARGED_BACK),
        REVERSED,
        "paid",
        1000_00,
        PAID + BACK + AGAIN,
        (SUCCEEDED, "charge_back", "charge_back_reversed"),
        ("pending",),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_callback__repeat_after_death_at_any_statement_acts_once(
    platform: Platform, shop_setup: ShopSetup, step_client: StepClient, name: str
) -> None:
    story, fake_provider = STORIES[name], shop_setup.webhooks
    for last in range(1, MOST_STEPS):
        order = shop_setup.order(product="pack")
        for number, type in enumerate(story.before):
            body = event_body(type, order, reference=reference_of(order, type, number))
            tell(fake_provider, body, headers_of(fake_provider, body))
        body = event_body(story.dying, order, reference=reference_of(order, story.dying, 9))
        headers = headers_of(fake_provider, body)
        words = [headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")]
        what, steps = step_client.work(last, "call_back", fake_provider.provider.slug, *words, body.hex())
        # The provider had no answer, so it tries again; and once more, for no reason.
        for _ in range(2):
            tell(fake_provider, body, headers)
        assert_once(order, story, headers["webhook-id"])
        if what == "completed":
            break
        assert steps == last
    # A process that waits a second longer for the game takes a few steps more: that many have been tried, or
    # more.
    assert what == "completed"
    assert steps < last
    assert steps > 5
    platform.assert_whole()


def reference_of(order: Order, type: str, number: int) -> str:
    """A dispute has one name; all else has names of their own."""
    return f"dispute-{order.pk}" if "charge" in type else f"ref-{number}-{order.pk}"


def assert_once(order: Order, story: Story, message_id: str) -> None:
    order = fresh(order)
    assert (order.state, holding(order.player).spendable, holding(order.player).debt) == (
        story.state,
        story.spendable,
        0,
    )
    postings = Transaction.objects.filter(player=order.player).values_list("type", "amount")
    assert Counter(postings) == Counter(story.postings)
    assert tuple(what for what, _ in story_of(order)[2:]) == story.events
    assert tuple(Delivery.objects.filter(order=order).values_list("state", flat=True)) == story.deliveries
    # Two answers were given; where the dead one had committed, its callback was the first of three.
    (times,) = Callback.objects.filter(order=order, message_id=message_id).values_list(
        "times_seen", flat=True
    )
    assert times in (2, 3)
    assert problems_of(order.player) == []


# --- Deliveries ----------------------------------------------------------------------------------------


def test_delivery__death_at_any_statement_keeps_one_id_acts_once(
    platform: Platform, shop_setup: ShopSetup, step_client: StepClient, seller: GameServer, clock: Clock
) -> None:
    fake_provider, told_twice = shop_setup.webhooks, 0
    for last in range(1, MOST_STEPS):
        order = shop_setup.order(product="pack")
        body = event_body(SUCCEEDED, order)
        tell(fake_provider, body, headers_of(fake_provider, body))
        what, steps = step_client.work(last, "deliver")
        # Nobody does anything; only the lease that the dead one held runs out.
        clock.go_ahead(last * (LEASE + timedelta(seconds=1)))
        assert deliver_due(Run("deliver_due"))
        delivery = Delivery.objects.get(order=order)
        told = seller.about(order.cp_order_id)
        assert {one.id for one in told} == {str(delivery.pk)}
        assert 1 <= len(told) <= DeliveryAttempt.objects.filter(delivery=delivery).count() <= 2
        told_twice += len(told) == 2
        assert (delivery.state, delivery.next_attempt_at, fresh(order).state) == (
            "delivered",
            None,
            "delivered",
        )
        assert OrderEvent.objects.filter(order=order, what="delivered").count() == 1
        if what == "completed":
            break
        assert steps == last
    # A process that waits a second longer for the game takes a few steps more: that many have been tried, or
    # more.
    assert what == "completed"
    assert steps < last
    # What the game had taken while nobody could write it down any more.
    assert told_twice > 0
    assert seller.problems == []
    platform.assert_whole()


# --- Refunds initiated by us ---------------------------------------------------------------------------


def test_refund__death_after_any_statement_refunds_once(
    platform: Platform,
    shop_setup: ShopSetup,
    step_client: StepClient,
    provider: Refunder,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "PUBLIC_URL", provider.url)
    fake_provider, asked_about = make_provider("sandbox"), 0
    for last in range(1, MOST_STEPS):
        order, id = paid_in_the_sandbox(shop_setup, fake_provider), new_id()
        what, steps = step_client.work(last, "refund", str(order.pk), "499", str(id))
        # The operator had no answer, and asks again; the lease that the dead one held runs out.
        request_refund(order.pk, 4_99, actor="operator", reason="test", refund_id=id)
        clock.go_ahead(last * (REFUND_LEASE + timedelta(seconds=1)))
        settle_refunds(Run("settle_refunds"))
        assert_refunded_once(order, str(id), provider)
        asked_about += ("refunds/status", str(id)) in provider.asked
        if what == "completed":
            break
        assert steps == last
    # A process that waits a second longer for the game takes a few steps more: that many have been tried, or
    # more.
    assert what == "completed"
    assert steps < last
    # Where the dead one may have asked for it, nobody guessed.
    assert asked_about > 0
    platform.assert_whole()


def paid_in_the_sandbox(shop_setup: ShopSetup, fake_provider: FakeProvider) -> Order:
    order = shop_setup.order(start=False)
    start_payment(order, fake_provider.provider.slug, "http://testserver/")
    body = event_body(SUCCEEDED, order, startReference=order.payments.get().start_reference)
    tell(fake_provider, body, headers_of(fake_provider, body))
    assert holding(order.player).spendable == 500_00
    return fresh(order)


def assert_refunded_once(order: Order, id: str, provider: Refunder) -> None:
    order = fresh(order)
    assert (order.state, order.refunded, holding(order.player)[:4]) == ("refunded", 4_99, (0, 0, 0, 0))
    assert (refunds_of(order), provider.made[id]) == ([("refund", "done", 4_99)], 4_99)
    assert Refund.objects.get(order=order).reference == f"re_{id}"
    assert [what for what, _ in story_of(order)[3:]] == ["refund_asked", "refund"]
    postings = Transaction.objects.filter(player=order.player).values_list("type", "state", "amount")
    assert Counter(postings) == {(type, "confirmed", amount): 1 for type, amount in REFUND_POSTINGS}
    # Asked for once more only where the provider had never heard of it.
    asked = [call for call, of in provider.asked if of == id]
    assert asked in (["refunds"], ["refunds", "refunds/status"], ["refunds/status", "refunds"])
    assert problems_of(order.player) == []


REFUND_POSTINGS = (("payment", 4_99), ("top_up", 500_00), ("set_aside", 500_00), ("payment_return", 4_99))
