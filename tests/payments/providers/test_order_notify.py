"""order-notify (contract 4.2).

A right signature proves little, so every field is compared by value with the order.
"""

import json
from datetime import datetime
from typing import Any

import pytest

from payments.checkout.payments import start_payment
from payments.models import Callback, Order
from payments.providers.order_notify import plain
from payments.providers.signatures import order_notify
from payments.providers.signatures.order_notify import Literal, Notification
from tests.conftest import Clock
from tests.payments.callbacks.test_intake import is_untouched, kept
from tests.support.callers import Answer, holding
from tests.support.invariants import problems_of
from tests.support.shop import (
    BASE,
    FakeProvider,
    ShopSetup,
    event_body,
    fresh,
    make_provider,
    notification_fields,
    outcomes,
    payments_of,
)

NOON = datetime.fromisoformat("2031-03-05T12:00:00+00:00")


def post(fake_provider: FakeProvider, fields: dict[str, Any]) -> Answer:
    """Signs fields and posts them as JSON; a `Literal` is a JSON number of these very characters."""
    texts = {name: str(value) for name, value in fields.items()}
    sign = order_notify.sign(Notification(**{"extParams": "", **texts, "sign": ""}), fake_provider.secret)
    body = json.dumps({**fields, "sign": sign})
    for value in fields.values():
        if isinstance(value, Literal):
            body = body.replace(f'"{value}"', value, 1)
    return fake_provider.post(body.encode(), {})


def order_of(shop_setup: ShopSetup, product: str = "gold", **changes: Any) -> Order:
    return shop_setup.order(product=product, fake_provider=shop_setup.notify, **changes)


@pytest.mark.parametrize("form", [False, True])
def test_order_notify__pays_its_order(shop_setup: ShopSetup, form: bool) -> None:
    order = order_of(shop_setup, extParams="zone=7&x=ü +%")
    answer = shop_setup.notify.notify(order, form=form)
    assert (answer.status, answer.raw) == (200, b'{"status":"ok"}')
    assert (fresh(order).state, payments_of(order), holding(order.player).spendable) == (
        "delivered",
        [("paid", False)],
        500_00,
    )
    assert (kept(order).message_id, kept(order).reference, kept(order).type) == (
        order.pk.hex,
        order.pk.hex,
        "payment.succeeded",
    )
    assert problems_of(order.player) == []


@pytest.mark.parametrize("price", ["4.990", "4.99000000", "04.99", "499e-2", "0.499E1", "4.99e0", "4.99E+0"])
def test_order_notify__price_is_compared_by_value(shop_setup: ShopSetup, price: str) -> None:
    order = order_of(shop_setup)
    assert shop_setup.notify.notify(order, productPrice=price).status == 200
    assert fresh(order).state == "delivered"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("serverId", "10001"),
        ("productPrice", "4.99"),
        ("productPrice", "4.990"),
        ("productPrice", "499e-2"),
        ("ts", "1682319749000"),
    ],
)
def test_order_notify__number_may_be_a_json_number(shop_setup: ShopSetup, name: str, written: str) -> None:
    order = order_of(shop_setup)
    assert post(shop_setup.notify, notification_fields(order) | {name: Literal(written)}).status == 200
    assert fresh(order).state == "delivered"


def test_order_notify__retry_in_another_spelling_or_form_is_same(shop_setup: ShopSetup) -> None:
    order = order_of(shop_setup)
    assert shop_setup.notify.notify(order).status == 200
    for name, value in (
        ("productPrice", "4.990"),
        ("productPrice", "499e-2"),
        ("serverId", "010001"),
        ("ts", "1682319749000"),
    ):
        assert post(shop_setup.notify, notification_fields(order) | {name: value}).status == 200
    assert shop_setup.notify.notify(order, form=True).status == 200
    assert (outcomes(order), kept(order).times_seen, holding(order.player).spendable) == (
        ["acted"],
        6,
        500_00,
    )


OTHERS = {
    "uid": ["someone-else", "", "UID"],
    "serverId": ["10002", "", "10001.5", "1e4", "ten", "9" * 1000],
    "productId": ["sword", "", "GOLD", "gold "],
    "productPrice": [
        "4.98",
        "5",
        "499",
        "",
        "0",
        "-4.99",
        "4,99",
        "4.99 ",
        "4.991",
        "NaN",
        "Infinity",
        "1e999999999",
        "1e99999",
        "9" * 1000,
        "٤.٩٩",
        "0x5",
    ],
    "extParams": ["", "zone=8", "ZONE=7", "zone=7 ", "zone=7\x00"],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in OTHERS.items() for value in values]
)
def test_order_notify__field_mismatch_is_422_however_well_signed(
    shop_setup: ShopSetup, name: str, value: str
) -> None:
    order = order_of(shop_setup, extParams="zone=7")
    value = order.player.uid.upper() if value == "UID" else value
    answer = post(shop_setup.notify, notification_fields(order) | {name: value})
    assert (answer.status, answer.error) == (422, 101)
    assert (outcomes(order), kept(order).problem, kept(order).resolved_at) == (
        ["contradicts"],
        f"{name} differs from the order",
        None,
    )
    assert is_untouched(order)
    assert shop_setup.notify.notify(order).status == 200
    assert fresh(order).state == "delivered"


def test_order_notify__several_wrong_fields_are_all_named(shop_setup: ShopSetup) -> None:
    order = order_of(shop_setup)
    assert shop_setup.notify.notify(order, uid="x", productPrice="1", extParams="y").status == 422
    assert kept(order).problem == "uid, productPrice, extParams differ from the order"


def test_order_notify__ext_params_absent_only_if_order_has_none(shop_setup: ShopSetup) -> None:
    for ext_params, expected in ((None, 200), ("zone=7", 422)):
        order = order_of(shop_setup, extParams=ext_params)
        fields = {name: value for name, value in notification_fields(order).items() if name != "extParams"}
        assert post(shop_setup.notify, fields).status == expected
        assert fresh(order).state == ("delivered" if expected == 200 else "created")


def test_order_notify__shifted_fields_verify_but_pay_nothing(shop_setup: ShopSetup) -> None:
    order = order_of(shop_setup)
    right = notification_fields(order)
    sign = order_notify.sign(Notification(**right, sign=""), shop_setup.notify.secret)
    shifts = [
        {"serverId": "1000", "uid": "1" + right["uid"]},
        {"productPrice": "4.9", "productId": "9gold"},
        {"productPrice": "4.99g", "productId": "old"},
        {"uid": right["uid"][:-1], "productPrice": right["uid"][-1] + "4.99"},
        {"productId": "gol", "ts": "d" + right["ts"]},
        {"productId": "gold" + right["ts"][0], "ts": right["ts"][1:]},
    ]
    for shift in shifts:
        assert order_notify.sign(Notification(**(right | shift), sign=""), shop_setup.notify.secret) == sign
        assert shop_setup.notify.post(json.dumps(right | shift | {"sign": sign}).encode(), {}).status in (
            401,
            422,
        )
    assert is_untouched(order)
    assert shop_setup.notify.post(json.dumps(right | {"sign": sign}).encode(), {}).status == 200


def test_order_notify__signature_without_its_secret_is_401(shop_setup: ShopSetup) -> None:
    order, before = order_of(shop_setup), Callback.objects.count()
    right = notification_fields(order)
    for secret in ("", order_notify.PUBLISHED_SECRET, "another secret that is wrong"):
        sign = order_notify.sign(Notification(**right, sign=""), secret)
        assert shop_setup.notify.post(json.dumps(right | {"sign": sign}).encode(), {}).status == 401
    assert shop_setup.notify.notify(order, sign="\ud800").status == 401
    assert (
        shop_setup.notify.notify(
            order, sign=order_notify.sign(Notification(**right, sign=""), shop_setup.notify.secret).lower()
        ).status
        == 401
    )
    assert (is_untouched(order), Callback.objects.count()) == (True, before)


@pytest.mark.parametrize(
    ("off", "expected"),
    [(-10 * 365 * 86_400_000, 200), (0, 200), (300_000, 200), (300_001, 401), (86_400_000, 401)],
)
def test_order_notify__ts_refused_only_if_over_5_minutes_ahead(
    shop_setup: ShopSetup, clock: Clock, off: int, expected: int
) -> None:
    order = order_of(shop_setup)
    clock.stand(NOON)
    assert shop_setup.notify.notify(order, ts=int(NOON.timestamp() * 1000) + off).status == expected
    clock.restore()
    assert fresh(order).state == ("delivered" if expected == 200 else "created")


STRANGE = [
    "",
    "x",
    "0" * 32,
    "A" * 32,
    "0" * 31,
    "\x00",
    "\ud800",
    "x" * 1024,
    "ü" * 300,
    "00000000-0000-4000-8000-000000000000",
    "' OR 1=1 --",
]


@pytest.mark.parametrize("named", STRANGE)
def test_order_notify__unknown_order_is_404_on_operators_list(shop_setup: ShopSetup, named: str) -> None:
    fake_provider = make_provider("order-notify")
    order = shop_setup.order(fake_provider=fake_provider)
    for times in (1, 2):
        assert fake_provider.notify(order, cpOrderId=named).status == 404
        row = Callback.objects.get(provider=fake_provider.provider)
        assert (row.outcome, row.order, row.times_seen) == ("no_order", None, times)
    assert is_untouched(order)


def test_order_notify__cp_order_id_of_the_game_finds_nothing(shop_setup: ShopSetup) -> None:
    order = order_of(shop_setup)
    assert shop_setup.notify.notify(order, cpOrderId=order.cp_order_id).status == 404
    assert is_untouched(order)


def test_order_notify__other_currency_is_not_offered_nor_paid(shop_setup: ShopSetup) -> None:
    fake_provider = make_provider("order-notify", currency_id="XAG")
    order = shop_setup.order(start=False)
    assert fake_provider.notify(order).status == 422
    assert is_untouched(order)


def test_order_notify__provider_that_did_not_start_pays_nothing(shop_setup: ShopSetup) -> None:
    other = make_provider("order-notify")
    order = order_of(shop_setup)
    assert other.notify(order).status == 422
    assert is_untouched(order)
    assert shop_setup.notify.notify(order).status == 200


def test_order_notify__and_webhook_refuse_each_others_body(shop_setup: ShopSetup) -> None:
    order = order_of(shop_setup)
    body = event_body("payment.succeeded", order)
    assert shop_setup.notify.post(body, shop_setup.webhooks.signed(body)).status == 401
    assert shop_setup.webhooks.notify(order, secret=shop_setup.notify.secret).status == 401
    assert is_untouched(order)


def test_order_notify__sign_of_a_published_example_pays_nothing(shop_setup: ShopSetup) -> None:
    published = {
        "uid": "test", "serverId": "10001", "cpOrderId": "c9c35cf409344312146fa7546a94d1a6",
        "productId": "wm.spin.1", "productPrice": "4.99", "extParams": "", "ts": "1682319749000",
        "sign": "39E27178DE3254875D8470AB7A13D912",
    }  # fmt: skip
    assert shop_setup.notify.post(json.dumps(published).encode(), {}).status == 401


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("4.990", "4.99"),
        ("499e-2", "4.99"),
        ("4e2", "400"),
        ("0400", "400"),
        ("0.0", "0"),
        ("-7.0", "-7"),
        ("x", "x"),
        ("", ""),
        ("1e9999", "1e9999"),
        ("+1", "+1"),
    ],
)
def test_order_notify__number_is_stored_in_its_plainest_spelling(written: str, said: str) -> None:
    assert plain(written) == said


def test_order_notify__after_another_provider_is_a_duplicate(shop_setup: ShopSetup) -> None:
    order = order_of(shop_setup)
    start_payment(order, shop_setup.webhooks.provider.slug, BASE)
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert shop_setup.notify.notify(order).status == 200
    assert (outcomes(order), payments_of(order)) == (
        ["acted", "duplicate"],
        [("paid", True), ("paid", False)],
    )
    assert holding(order.player).spendable == 500_00
