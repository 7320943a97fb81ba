"""Standard Webhooks as providers send them (contract 4.2).

Their time, and bodies that are genuine and make no sense.
"""

import json
from datetime import datetime
from typing import Any

import pytest

from payments.models import Callback, Order
from tests.conftest import Clock
from tests.payments.callbacks.test_intake import is_untouched
from tests.support.callers import unique
from tests.support.shop import ShopSetup, event_body, fresh

NOON = datetime.fromisoformat("2031-03-05T12:00:00+00:00")


@pytest.mark.parametrize(("off", "expected"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)])
def test_webhook__tolerates_five_minutes_by_the_database_clock(
    shop_setup: ShopSetup, clock: Clock, off: int, expected: int
) -> None:
    order = shop_setup.order()
    body = event_body("payment.succeeded", order)
    clock.stand(NOON)
    assert (
        shop_setup.webhooks.post(
            body, shop_setup.webhooks.signed(body, at=int(NOON.timestamp()) + off)
        ).status
        == expected
    )
    clock.restore()
    assert fresh(order).state == ("delivered" if expected == 200 else "created")


def test_webhook__retry_with_a_new_time_is_the_same_message(shop_setup: ShopSetup, clock: Clock) -> None:
    order, message = shop_setup.order(), unique("msg")
    body = event_body("payment.succeeded", order)
    for off in (0, 3600, 48 * 3600):
        clock.stand(datetime.fromtimestamp(NOON.timestamp() + off, NOON.tzinfo))
        assert (
            shop_setup.webhooks.post(
                body, shop_setup.webhooks.signed(body, id=message, at=int(NOON.timestamp()) + off)
            ).status
            == 200
        )
    clock.restore()
    assert Callback.objects.get(order=order).times_seen == 3


def spelt(order: Order, type: str = '"payment.succeeded"', **parts: str | None) -> bytes:
    """A body whose parts are JSON as written here; None leaves one out."""
    data: dict[str, str | None] = {
        "orderId": f'"{order.pk}"',
        "providerReference": f'"{unique("ref")}"',
        "amount": "4.99",
        "currencyCode": '"EUR"',
    }
    members = ", ".join(f'"{name}": {value}' for name, value in (data | parts).items() if value is not None)
    return f'{{"type": {type}, "data": {{{members}}}}}'.encode(errors="surrogatepass")


NONSENSE: dict[str, dict[str, Any]] = {
    "no order": {"orderId": None},
    "an order that is null": {"orderId": "null"},
    "an order that is a number": {"orderId": "7"},
    "an order that is no UUID": {"orderId": '"order-7"'},
    "an order with a line break": {"orderId": '"00000000-0000-4000-8000-000000000000\\n"'},
    "an order of half a character": {"orderId": '"\\ud800"'},
    "an order with a zero byte": {"orderId": '"\\u0000"'},
    "no reference": {"providerReference": None},
    "an empty reference": {"providerReference": '""'},
    "a reference with a space": {"providerReference": '"a b"'},
    "a reference with a zero byte": {"providerReference": '"a\\u0000"'},
    "a reference of half a character": {"providerReference": '"\\udfff"'},
    "a reference that is not ASCII": {"providerReference": '"\\u00e4"'},
    "a reference of 256 characters": {"providerReference": f'"{"x" * 256}"'},
    "a reference that is a list": {"providerReference": "[]"},
    "no currency": {"currencyCode": None},
    "an unknown currency": {"currencyCode": '"XYZ"'},
    "a currency in small letters": {"currencyCode": '"eur"'},
    "a currency of half a character": {"currencyCode": '"EU\\ud800"'},
    "a currency with a zero byte": {"currencyCode": '"EUR\\u0000"'},
    "a very long currency": {"currencyCode": f'"{"E" * 50_000}"'},
    "no amount": {"amount": None},
    "an amount that is a text": {"amount": '"4.99"'},
    "an amount that is true": {"amount": "true"},
    "nothing": {"amount": "0"},
    "less than nothing": {"amount": "-4.99"},
    "a tenth of a cent": {"amount": "4.991"},
    "a huge exponent": {"amount": "1e999999999"},
    "an exponent beyond all": {"amount": "1e99999999999999999999"},
    "a tiny exponent": {"amount": "1e-999999999"},
    "a tiny exponent beyond all": {"amount": "1e-99999999999999999999"},
    "a huge number": {"amount": "9" * 60_000},
    "a very long number": {"amount": "0." + "0" * 60_000 + "1"},
    "infinity": {"amount": "Infinity"},
    "no number": {"amount": "NaN"},
    "another type": {"type": '"payment.created"'},
    "a type in capitals": {"type": '"PAYMENT.SUCCEEDED"'},
    "a type that is a list": {"type": '["payment.succeeded"]'},
    "a type of half a character": {"type": '"\\ud800"'},
    "no type": {"type": "null"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NONSENSE)
def test_webhook__genuine_nonsense_is_422_and_on_operators_list(shop_setup: ShopSetup, name: str) -> None:
    order, message = shop_setup.order(), unique("msg")
    body = spelt(order, **NONSENSE[name])
    answer = shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body, id=message))
    assert (answer.status, answer.error) == (422, 101), answer.raw
    row = Callback.objects.get(message_id=message)
    assert (row.outcome, row.resolved_at, bytes(row.body)) == ("contradicts", None, body)
    assert row.problem != ""
    assert is_untouched(order)


BROKEN = {
    "empty": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"type": "\xff"}',
    "UTF-16": '{"type": "payment.succeeded"}'.encode("utf-16"),
    "half a character": b'{"type": "\xed\xa0\x80"}',
    "a list": b"[]",
    "a text": b'"payment.succeeded"',
    "null": b"null",
    "deep": b"[" * 60_000,
    "deep and closed": b"[" * 30_000 + b"]" * 30_000,
    "deep objects": b'{"data":' * 8_000,
    "data that is a list": b'{"type": "payment.succeeded", "data": []}',
    "no data": b'{"type": "payment.succeeded"}',
    "zero bytes": b"\x00" * 100,
}


@pytest.mark.parametrize("name", BROKEN)
def test_webhook__genuine_broken_body_is_422_and_kept(shop_setup: ShopSetup, name: str) -> None:
    message = unique("msg")
    for times in (1, 2):
        assert (
            shop_setup.webhooks.post(
                BROKEN[name], shop_setup.webhooks.signed(BROKEN[name], id=message)
            ).status
            == 422
        )
        row = Callback.objects.get(message_id=message)
        assert (row.outcome, bytes(row.body), row.order, row.times_seen) == (
            "contradicts",
            BROKEN[name],
            None,
            times,
        )


def test_webhook__two_broken_bodies_under_one_id_are_both_kept(shop_setup: ShopSetup) -> None:
    message = unique("msg")
    for body in (b"{", b"[", b"{"):
        assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body, id=message)).status == 422
    assert sorted(
        (bytes(row.body), row.times_seen) for row in Callback.objects.filter(message_id=message)
    ) == [(b"[", 1), (b"{", 2)]


def test_webhook__last_of_doubled_members_counts_extras_are_ok(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    body = (
        json.dumps({"id": 1, "data": {"orderId": "x"}, "type": "x"}).encode()[:-1] + b", " + spelt(order)[1:]
    )
    assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body)).status == 200
    assert fresh(order).state == "delivered"
