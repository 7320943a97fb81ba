"""Refused callbacks are kept whole and counted exactly, and a flood of them costs no more than a few."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.db.models import Sum

from payments.callbacks import rejected
from payments.callbacks.rejected import BURST, REFUSALS
from payments.models import Order, RefusalCount, RefusedCallback
from payments.providers.signing_secrets import new_webhook_secret
from tests.support.shop import FakeProvider, ShopSetup, event_body, make_provider


@pytest.fixture
def fake(callers: Any) -> FakeProvider:
    return make_provider("standard-webhooks")


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be written later, by a thread of its own."""
    waiting: list[Any] = []
    monkeypatch.setattr(REFUSALS, "write_later", waiting.append)
    monkeypatch.setattr(connection, "close", lambda: None)
    return waiting


def forge(fake: FakeProvider, body: bytes = b"{}", **headers: str) -> None:
    assert fake.post(body, fake.signed(body, secret=new_webhook_secret()) | headers).status == 401


def kept(fake: FakeProvider) -> list[RefusedCallback]:
    return list(RefusedCallback.objects.filter(provider=fake.provider).order_by("-pk"))


def counted(fake: FakeProvider) -> int:
    found = RefusalCount.objects.filter(provider=fake.provider).aggregate(sum=Sum("times"))["sum"]
    return int(found or 0)


def refused_payment(fake: FakeProvider, order: Order) -> None:
    forge(fake, event_body("payment.succeeded", order, reference=f"pay-{order.pk.hex}"))


def test_refused_callback__is_kept_whole_with_what_it_says(shop_setup: ShopSetup, fake: FakeProvider) -> None:
    order = shop_setup.order(fake_provider=fake)
    body = event_body("payment.succeeded", order, reference="pay-7", padding="x" * 60_000)
    forge(fake, body, **{"Authorization": "Basic c2VjcmV0", "User-Agent": "y" * 9000})
    [row] = kept(fake)
    assert (bytes(row.body), row.size, row.is_likely) == (body, len(body), True)
    assert (row.said_type, row.said_order, row.said_reference) == ("payment.succeeded", order.pk, "pay-7")
    assert (row.said_amount, row.said_currency, row.verified_at) == (4_99, "EUR", None)
    assert row.message_id == row.headers["webhook-id"]
    assert set(row.headers) >= {"content-type", "user-agent", "webhook-signature"}
    assert "authorization" not in row.headers
    assert len(row.headers["user-agent"]) == 2000


def test_refused_callback__of_order_notify_names_its_price(shop_setup: ShopSetup) -> None:
    fake = make_provider("order-notify")
    order = shop_setup.order(fake_provider=fake)
    assert fake.notify(order, secret="another-secret-of-16").status == 401
    [row] = kept(fake)
    assert (row.said_order, row.said_amount, row.said_currency) == (order.pk, 4_99, "EUR")


@pytest.mark.parametrize("scheme", ["standard-webhooks", "order-notify", "stripe", "sandbox"])
@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"[]", b"7", b'{"data": 7}', b"[" * 60_000])
def test_refused_callback__that_says_nothing_is_kept(callers: Any, scheme: str, body: bytes) -> None:
    secret = "whsec_" + uuid4().hex if scheme == "stripe" else None
    fake = make_provider(scheme, secret)
    # A provider of the sandbox is none if DEMO is off, but its address is there.
    assert fake.post(body, {"webhook-id": "a"}).status == 401
    [row] = kept(fake)
    assert (bytes(row.body), row.said_order, row.said_amount, row.is_likely) == (body, None, None, False)


def test_refused_callback__of_a_stranger_is_not_likely(shop_setup: ShopSetup, fake: FakeProvider) -> None:
    elsewhere = shop_setup.order()
    refused_payment(fake, elsewhere)
    forge(fake, json.dumps({"type": "payment.succeeded", "data": {"orderId": str(uuid4())}}).encode())
    assert [row.is_likely for row in kept(fake)] == [False, False]


def test_flood__is_counted_exactly_and_written_seldom(
    fake: FakeProvider, later: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is.
    monkeypatch.setattr(rejected, "PER_SECOND", 0.0)
    for _ in range(int(BURST) + 30):
        forge(fake)
    few = len(kept(fake))
    assert few == BURST
    assert later == [fake.provider.pk]
    assert counted(fake) == BURST
    REFUSALS.flush(fake.provider.pk)
    assert (counted(fake), len(kept(fake))) == (BURST + 30, few)


def test_flood__of_one_provider_leaves_another_its_places(
    shop_setup: ShopSetup, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected, "MOST_ROWS", 3)
    other = make_provider("standard-webhooks")
    refused_payment(other, shop_setup.order(fake_provider=other))
    for _ in range(6):
        forge(fake)
    assert (len(kept(fake)), len(kept(other))) == (3, 1)
    assert (counted(fake), counted(other)) == (6, 1)


def test_flood__thins_the_oldest_out_and_likely_ones_last(
    shop_setup: ShopSetup, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected, "MOST_ROWS", 3)
    orders = [shop_setup.order(fake_provider=fake) for _ in range(2)]
    for order in orders:
        refused_payment(fake, order)
    for number in range(4):
        forge(fake, str(number).encode())
    assert [row.said_order or bytes(row.body) for row in kept(fake)] == [b"3", orders[1].pk, orders[0].pk]


def test_flood__of_one_order_is_likely_a_few_times(shop_setup: ShopSetup, fake: FakeProvider) -> None:
    order = shop_setup.order(fake_provider=fake)
    for _ in range(7):
        refused_payment(fake, order)
    assert [row.is_likely for row in kept(fake)] == [False] * 2 + [True] * 5


def test_flood__of_long_bodies_is_bounded_in_bytes(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected, "MOST_BYTES", 100_000)
    for _ in range(4):
        forge(fake, b"x" * 40_000)
    assert len(kept(fake)) == 2


def test_count__is_not_lost_if_the_database_is_away(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(rejected, "write", lambda *given: (_ for _ in ()).throw(OperationalError("away")))
        broken.setattr(rejected, "drop_unfit_connection", lambda problem: None)
        forge(fake)
    assert counted(fake) == 0
    forge(fake)
    assert counted(fake) == 2
