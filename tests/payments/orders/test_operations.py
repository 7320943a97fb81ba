"""Orders as games start and query them (contract 4.1)."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db.utils import ProgrammingError

from lib.clock import now
from payments.models import Order, OrderEvent, Price, Product
from payments.orders.operations import expire_orders
from tests.conftest import Clock
from tests.support.callers import (
    Answer,
    Caller,
    Callers,
    PlayerSession,
    basic,
    dump,
    make_party,
    open_session,
    unique,
)
from tests.support.names import NAMES
from tests.support.owned import owned
from tests.support.shop import ShopSetup, event_body, fresh, make_product, make_shop_setup, story_of

MINUTE = timedelta(minutes=1)


def refused(answer: Answer, code: int) -> None:
    """A refusal of that code, and no order."""
    assert (answer.status, answer.error) == (200, code), answer.raw


def orders_of(shop_setup: ShopSetup) -> int:
    return Order.objects.filter(game=shop_setup.game).count()


# --- What an order is ---------------------------------------------------------------------------------------


def test_order__freezes_its_price_and_content(shop_setup: ShopSetup) -> None:
    player_session, cp, began = shop_setup.player_session(), unique("cp"), now()
    answer = shop_setup.initiate(
        player_session,
        "pack",
        cpOrderId=cp,
        serverId=-7,
        extParams="zone=7 ü\n😀\u200d🔥",
        returnUrl="https://game.example/back?x=1#y",
    )
    assert (answer.status, set(answer.body)) == (200, {"orderId", "paymentUrl", "state", "expiresAt"})
    order = Order.objects.get(pk=answer.body["orderId"])
    assert (
        order.price,
        order.currency_id,
        order.credit,
        order.credit_currency_id,
        order.is_delivered_by_game,
    ) == (20_00, "EUR", 1000_00, "XAG", True)
    assert (order.server_id, order.ext_params, order.return_url) == (
        -7,
        "zone=7 ü\n😀\u200d🔥",
        "https://game.example/back?x=1#y",
    )
    assert (order.game, order.player, order.cp_order_id, order.product_code) == (
        shop_setup.game,
        player_session.player,
        cp,
        "pack",
    )
    assert answer.body["paymentUrl"] == f"http://testserver/checkout/{order.page_key}"
    assert answer.body["state"] == "created"
    assert began + 60 * MINUTE <= order.expires_at <= now() + 60 * MINUTE
    assert story_of(order) == [("created", "created")]


def test_order__later_product_changes_do_not_affect_it(shop_setup: ShopSetup) -> None:
    product = make_product(shop_setup.game, unique("p"), 3_00, credit=30_00)
    order = shop_setup.order(product=product.code, productPrice=Decimal("3.00"))
    Product.objects.filter(pk=product.pk).update(
        credit=99_00, is_delivered=True, name="Another", on_sale_to=now()
    )
    Price.objects.filter(product=product).update(amount=9_00)
    assert shop_setup.webhooks.tell("payment.succeeded", order, "9.00").status == 422
    assert shop_setup.webhooks.tell("payment.succeeded", order, "3.00").status == 200
    assert (fresh(order).state, fresh(order).clawed_back, fresh(order).credit) == ("delivered", 0, 30_00)


@pytest.mark.parametrize(
    "change",
    [
        "price = 1",
        "credit = 1",
        "currency_id = 'XAG'",
        "credit_currency_id = 'EUR'",
        "cp_order_id = 'x'",
        "ext_params = 'x'",
        "server_id = 1",
        "product_code = 'x'",
    ],
)
def test_order__frozen_fields_never_change_even_for_db_owner(
    shop_setup: ShopSetup, owner: "psycopg.Connection[Any]", change: str
) -> None:
    order = shop_setup.order()
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(f"UPDATE payments_order SET {change} WHERE id = %s", [order.pk])
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("DELETE FROM payments_order WHERE id = %s", [order.pk])


def test_order_history__never_changes(shop_setup: ShopSetup, owner: "psycopg.Connection[Any]") -> None:
    order = shop_setup.paid()
    for statement in (
        "UPDATE payments_orderevent SET note = 'x' WHERE order_id = %s",
        "DELETE FROM payments_orderevent WHERE order_id = %s",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement, [order.pk])
    with pytest.raises(ProgrammingError, match="permission denied"):
        OrderEvent.objects.filter(order=order).update(note="x")


# --- What is refused ----------------------------------------------------------------------------------------

MALFORMED: dict[str, dict[str, Any]] = {
    "no token": {"token": None},
    "a token that is a number": {"token": 7},
    "a token that is none": {"token": "abc"},
    "no cpOrderId": {"cpOrderId": None},
    "an empty cpOrderId": {"cpOrderId": ""},
    "a cpOrderId of 65 characters": {"cpOrderId": "x" * 65},
    "a cpOrderId that is a number": {"cpOrderId": 7},
    "a cpOrderId with a zero byte": {"cpOrderId": "a\x00"},
    "a cpOrderId with a line break": {"cpOrderId": "a\n"},
    "a cpOrderId of half a character": {"cpOrderId": "a\ud800"},
    "a cpOrderId with a direction override": {"cpOrderId": "a\u202eb"},
    "no productId": {"productId": None},
    "an unknown product": {"productId": "nothing"},
    "a product in capitals": {"productId": "GOLD"},
    "a product with a zero byte": {"productId": "gold\x00"},
    "no price": {"productPrice": None},
    "a price that is a text": {"productPrice": "4.99"},
    "a price that is true": {"productPrice": True},
    "a price of nothing": {"productPrice": 0},
    "a price below nothing": {"productPrice": Decimal("-4.99")},
    "a price in tenths of cents": {"productPrice": Decimal("4.991")},
    "another price": {"productPrice": Decimal("4.98")},
    "a huge price": {"productPrice": Decimal("1e999")},
    "no currency": {"currencyCode": None},
    "an unknown currency": {"currencyCode": "XXX"},
    "a currency in small letters": {"currencyCode": "eur"},
    "a currency of half a character": {"currencyCode": "EU\ud800"},
    "a currency that it is not sold in": {"currencyCode": "XAG"},
    "no serverId": {"serverId": None},
    "a serverId that is a text": {"serverId": "10001"},
    "a serverId that is no whole number": {"serverId": Decimal("1.5")},
    "a serverId that is true": {"serverId": True},
    "a huge serverId": {"serverId": 10**18 + 1},
    "extParams of 1025 characters": {"extParams": "x" * 1025},
    "extParams that is a list": {"extParams": []},
    "extParams with a zero byte": {"extParams": "a\x00"},
    "extParams with half a character": {"extParams": "a\udfff"},
    "a returnUrl of 2001 characters": {"returnUrl": "https://game.example/" + "x" * 1980},
    "a returnUrl that is a number": {"returnUrl": 7},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_order__invalid_request_is_101_and_starts_nothing(shop_setup: ShopSetup, name: str) -> None:
    player_session, before = shop_setup.player_session(), orders_of(shop_setup)
    refused(shop_setup.initiate(player_session, **MALFORMED[name]), 101)
    assert orders_of(shop_setup) == before


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_order__id_in_any_script_is_taken(shop_setup: ShopSetup, name: str) -> None:
    player_session, id = shop_setup.player_session(), f"{name} {uuid.uuid4().hex}"
    started = shop_setup.initiate(player_session, cpOrderId=id)
    assert (started.error, Order.objects.get(pk=started.body["orderId"]).cp_order_id) == (None, id)


FOREIGN = [
    "http://game.example/",
    "https://game.example:8443/",
    "https://evil.example/",
    "https://game.example.evil.example/",
    "https://evil.example/game.example",
    "https://game.example@evil.example/",
    "https://user@game.example/",
    "https://:@game.example/",
    "https://game.example\\@evil.example/",
    "https://evil.example\\.game.example/",
    "https:\\\\game.example/",
    "https:/game.example/",
    "https:game.example/",
    "//game.example/",
    "/back",
    "game.example",
    "javascript:alert(1)//https://game.example",
    "https://",
    "https:///game.example",
    "https://game.example:99999/",
    "https://game.example:x/",
    "https://[game.example]/",
    " https://game.example/",
    "https://game.example /",
    "https://game.example/\r\nSet-Cookie: a=b",
    "https://game\t.example/",
    "https://game.example./",
    "https://xn--game.example/",
    "https://evil.example?https://game.example/",
    "https://evil.example#@game.example/",
    "data:text/html,x",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_return_url__must_be_of_a_registered_origin(shop_setup: ShopSetup, url: str) -> None:
    before = orders_of(shop_setup)
    refused(shop_setup.initiate(shop_setup.player_session(), returnUrl=url), 101)
    assert orders_of(shop_setup) == before


@pytest.mark.parametrize(
    "url",
    [
        "https://game.example",
        "https://GAME.example/a?b=c#d",
        "https://game.example:443/x@y:z",
        "https://game.example/%5C@evil",
    ],
)
def test_return_url__registered_origin_matches_in_any_spelling(shop_setup: ShopSetup, url: str) -> None:
    answer = shop_setup.initiate(shop_setup.player_session(), returnUrl=url)
    assert (answer.error, Order.objects.get(pk=answer.body["orderId"]).return_url) == (None, url)


def test_product__is_sold_only_while_on_sale(shop_setup: ShopSetup, clock: Clock) -> None:
    code, noon = unique("p"), datetime.fromisoformat("2031-03-05T12:00:00+00:00")
    product = make_product(shop_setup.game, code, 3_00, credit=30_00)
    Product.objects.filter(pk=product.pk).update(on_sale_from=noon, on_sale_to=noon + MINUTE)
    for moment, expected in (
        (noon - MINUTE / 60, 101),
        (noon, None),
        (noon + MINUTE - MINUTE / 60, None),
        (noon + MINUTE, 101),
    ):
        clock.stand(moment)
        assert (
            shop_setup.initiate(shop_setup.player_session(), code, productPrice=Decimal("3.00")).error
            == expected
        )


def test_product__of_another_game_does_not_exist(shop_setup: ShopSetup) -> None:
    make_product(make_party().game, "foreign", 4_99, credit=1)
    refused(shop_setup.initiate(shop_setup.player_session(), "foreign"), 101)


@pytest.mark.parametrize("status", ["blocked", "self_excluded", "closed"])
def test_player__barred_one_buys_nothing(shop_setup: ShopSetup, status: str) -> None:
    player_session, before = shop_setup.player_session(), orders_of(shop_setup)
    player_session.block(status)
    refused(shop_setup.initiate(player_session), 103)
    assert orders_of(shop_setup) == before


def test_session__dead_buys_nothing_and_foreign_token_is_unknown(shop_setup: ShopSetup) -> None:
    player_session, before = shop_setup.player_session(), orders_of(shop_setup)
    player_session.end()
    refused(shop_setup.initiate(player_session), 102)
    refused(shop_setup.initiate(replace(player_session, caller=make_party().caller), "gold"), 102)
    elsewhere = open_session(make_party(), player_session.player)
    refused(shop_setup.initiate(replace(shop_setup.player_session(), token=elsewhere.token)), 102)
    refused(
        shop_setup.initiate(
            replace(shop_setup.player_session(), token="01234567-89ab-4def-8123-456789abcdef")
        ),
        102,
    )
    assert orders_of(shop_setup) == before


def test_wallet__is_111_if_it_cannot_hold_the_credit(shop_setup: ShopSetup) -> None:
    player_session = shop_setup.player_session()
    # The most that an adjustment can be.
    for _ in range(9):
        player_session.adjust("credit", 10**17 - 1)
    player_session.adjust("credit", 10**18 - 1 - 9 * (10**17 - 1) - 500_00 + 1)
    before = orders_of(shop_setup)
    refused(shop_setup.initiate(player_session), 111)
    assert orders_of(shop_setup) == before
    player_session.adjust("debit", 1)
    assert shop_setup.initiate(player_session).error is None
    assert shop_setup.initiate(player_session, "sword").error is None


def test_credential__only_a_game_credential_starts_orders(shop_setup: ShopSetup) -> None:
    player_session = shop_setup.player_session()
    for caller in (Caller(None), Caller(basic("nobody", "nothing")), shop_setup.callers.front):
        answer = shop_setup.initiate(replace(player_session, caller=caller))
        assert (answer.status, answer.error) == (401, 100)
        assert caller.post("/payments/query", {"cpOrderId": "x"}).status == 401
    assert player_session.caller.send("GET", "/payments/initiate").status == 405
    assert player_session.caller.post("/payments/refund", {}).status == 404


# --- Which refusal comes first ------------------------------------------------------------------------------


def test_order__repeat_works_if_session_player_or_product_gone(
    shop_setup: ShopSetup,
) -> None:
    player_session, cp = shop_setup.player_session(), unique("cp")
    product = make_product(shop_setup.game, unique("p"), 3_00, credit=30_00)
    first = shop_setup.initiate(
        player_session,
        product.code,
        cpOrderId=cp,
        productPrice=Decimal("3.00"),
        returnUrl="https://game.example/",
    )
    Product.objects.filter(pk=product.pk).update(on_sale_to=now())
    Price.objects.filter(product=product).update(amount=5)
    player_session.block()
    player_session.end()
    again = shop_setup.initiate(
        player_session,
        product.code,
        cpOrderId=cp,
        productPrice=Decimal("3.00"),
        returnUrl="https://game.example/",
    )
    assert (first.error, again.raw) == (None, first.raw)
    refused(
        shop_setup.initiate(
            player_session,
            product.code,
            cpOrderId=cp,
            productPrice=Decimal("3.01"),
            returnUrl="https://game.example/",
        ),
        110,
    )


def test_order__refusals_come_in_contract_order(shop_setup: ShopSetup) -> None:
    player_session, never = shop_setup.player_session(), "01234567-89ab-4def-8123-456789abcdef"
    known = unique("cp")
    assert shop_setup.initiate(player_session, cpOrderId=known).error is None
    player_session.block()
    # 101 for the form before 102; 102 for a token that never was before a known id; then 110, 102, 103.
    refused(shop_setup.initiate(replace(player_session, token=never), cpOrderId=known, serverId="x"), 101)
    refused(shop_setup.initiate(replace(player_session, token=never), cpOrderId=known, serverId=8), 102)
    refused(shop_setup.initiate(player_session, cpOrderId=known, serverId=8), 110)
    refused(shop_setup.initiate(player_session), 103)
    refused(shop_setup.initiate(player_session, "nothing"), 101)
    player_session.end()
    refused(shop_setup.initiate(player_session, cpOrderId=known, serverId=8), 110)
    refused(shop_setup.initiate(player_session), 102)


# --- Once ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"productId": "sword", "productPrice": Decimal("9.99")}, {"productPrice": Decimal("5.00")},
     {"currencyCode": "XAG"}, {"serverId": 10002}, {"extParams": "zone=8"}, {"extParams": None},
     {"extParams": ""}, {"returnUrl": "https://game.example/other"}, {"returnUrl": None}],
)  # fmt: skip
def test_duplicate__same_id_with_other_content_is_110(shop_setup: ShopSetup, change: dict[str, Any]) -> None:
    player_session, cp = shop_setup.player_session(), unique("cp")
    sent = {"cpOrderId": cp, "extParams": "zone=7", "returnUrl": "https://game.example/"}
    first = shop_setup.initiate(player_session, **sent)
    refused(shop_setup.initiate(player_session, **(sent | change)), 110)
    assert shop_setup.initiate(player_session, **sent).raw == first.raw
    assert story_of(Order.objects.get(game=shop_setup.game, cp_order_id=cp)) == [("created", "created")]


def test_duplicate__other_spelling_or_session_is_the_same_order(shop_setup: ShopSetup) -> None:
    player_session, cp = shop_setup.player_session(), unique("cp")
    first = shop_setup.initiate(player_session, cpOrderId=cp)
    again = shop_setup.initiate(
        player_session.elsewhere(),
        cpOrderId=cp,
        productPrice=Decimal("0.4990e1"),
        serverId=Decimal("1.0001e4"),
        extParams="",
        more={"x": []},
    )
    assert again.raw == first.raw
    refused(shop_setup.initiate(shop_setup.player_session(), cpOrderId=cp), 110)


def test_order_id__belongs_to_one_game(shop_setup: ShopSetup) -> None:
    cp, other = unique("cp"), make_party()
    make_product(other.game, "gold", 4_99, credit=1_00)
    first = shop_setup.initiate(shop_setup.player_session(), cpOrderId=cp)
    second = shop_setup.initiate(open_session(other, shop_setup.callers.player()), cpOrderId=cp)
    assert (first.error, second.error, first.body["orderId"] == second.body["orderId"]) == (None, None, False)
    assert other.caller.post("/payments/query", {"cpOrderId": cp}).body["orderId"] == second.body["orderId"]


def initiate_at_once(player_sessions: list[PlayerSession], server: str, cp: str) -> list[Answer]:
    """Every session's game starts an order under the same id at the same instant."""
    barrier = threading.Barrier(len(player_sessions))

    def call(player_session: PlayerSession) -> Answer:
        sent = {
            "cpOrderId": cp,
            "productId": "gold",
            "productPrice": Decimal("4.99"),
            "currencyCode": "EUR",
            "serverId": 10001,
        }
        barrier.wait()
        return player_session.caller.at(server).post(
            "/payments/initiate", {"token": player_session.token, **sent}
        )

    with ThreadPoolExecutor(len(player_sessions)) as pool:
        return list(pool.map(call, player_sessions))


def test_duplicate__identical_requests_at_once_start_one_order(shop_setup: ShopSetup, server: str) -> None:
    for _ in range(5):
        player_session, cp = shop_setup.player_session(), unique("cp")
        answers = initiate_at_once([player_session] * 12, server, cp)
        assert len({answer.raw for answer in answers}) == 1
        assert (answers[0].status, answers[0].error) == (200, None)
        assert story_of(Order.objects.get(game=shop_setup.game, cp_order_id=cp)) == [("created", "created")]


def test_duplicate__differing_at_once_one_wins_others_are_110(shop_setup: ShopSetup, server: str) -> None:
    player_sessions, cp = [shop_setup.player_session() for _ in range(12)], unique("cp")
    answers = initiate_at_once(player_sessions, server, cp)
    assert sorted(answer.error or 0 for answer in answers) == [0, *[110] * 11]
    assert Order.objects.filter(game=shop_setup.game, cp_order_id=cp).count() == 1


# --- What has become of it ----------------------------------------------------------------------------------


def query(player_session: PlayerSession, order: Order) -> dict[str, Any]:
    answer = player_session.caller.post("/payments/query", {"cpOrderId": order.cp_order_id})
    assert answer.error is None
    return answer.body


def test_order_query__tells_the_state_of_an_order(shop_setup: ShopSetup) -> None:
    player_session = shop_setup.player_session()
    order = shop_setup.order(player_session)
    told = {
        "orderId": str(order.pk), "cpOrderId": order.cp_order_id, "state": "created", "productId": "gold",
        "productPrice": Decimal("4.99"), "currencyCode": "EUR", "refunded": Decimal("0.00"),
        "deliveredAt": None,
    }  # fmt: skip
    assert query(player_session, order) == told
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    delivered_at = fresh(order).delivered_at
    assert delivered_at is not None
    told |= {
        "state": "delivered",
        "deliveredAt": delivered_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    assert query(player_session, order) == told
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.23").status == 200
    assert query(player_session, order) == told | {"refunded": Decimal("1.23")}
    assert shop_setup.webhooks.tell("payment.charged_back", order, "1.00").status == 200
    assert query(player_session, order) == told | {"refunded": Decimal("1.23"), "state": "charged_back"}
    raw = player_session.caller.post("/payments/query", {"cpOrderId": order.cp_order_id}).raw
    assert b'"productPrice":4.99' in raw
    assert b'"refunded":1.23' in raw


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"cpOrderId": "nothing"}, 106),
        ({}, 101),
        ({"cpOrderId": ""}, 101),
        ({"cpOrderId": "a\x00"}, 101),
        ({"cpOrderId": 7}, 101),
    ],
)
def test_order_query__invalid_or_unknown_one_is_refused(
    shop_setup: ShopSetup, sent: dict[str, Any], code: int
) -> None:
    refused(shop_setup.party.caller.post("/payments/query", sent), code)


def test_order_query__order_of_another_game_is_not_found(shop_setup: ShopSetup) -> None:
    refused(make_party().caller.post("/payments/query", {"cpOrderId": shop_setup.order().cp_order_id}), 106)


# --- Time runs out ------------------------------------------------------------------------------------------


def test_order__unpaid_one_expires_and_late_success_still_pays(shop_setup: ShopSetup, clock: Clock) -> None:
    order = shop_setup.order()
    clock.stand(order.expires_at - MINUTE / 60_000)
    expire_orders(now())
    assert fresh(order).state == "created"
    clock.stand(order.expires_at)
    assert expire_orders(now()) >= 1
    assert (fresh(order).state, expire_orders(now())) == ("expired", 0)
    for type, state in (("payment.failed", "expired"), ("payment.succeeded", "delivered")):
        body = event_body(type, order)
        assert (
            shop_setup.webhooks.post(
                body, shop_setup.webhooks.signed(body, at=int(order.expires_at.timestamp()))
            ).status
            == 200
        )
        assert fresh(order).state == state
    assert story_of(order) == [
        ("created", "created"),
        ("started", "created"),
        ("expired", "expired"),
        ("payment.failed", "expired"),
        ("payment.succeeded", "delivered"),
    ]


def test_order__paid_or_failed_one_does_not_expire(shop_setup: ShopSetup) -> None:
    paid, failed = shop_setup.paid(), shop_setup.order()
    assert shop_setup.webhooks.tell("payment.failed", failed).status == 200
    owned(Order).filter(pk__in=[paid.pk, failed.pk]).update(expires_at=now() - MINUTE)
    expire_orders(now())
    assert (fresh(paid).state, fresh(failed).state) == ("delivered", "failed")


def test_order_history__tells_who_did_what(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(product="pack")
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert shop_setup.webhooks.tell("payment.refunded", order, "0.01").status == 200
    columns = ("what", "old_state", "new_state", "amount", "actor")
    slug = shop_setup.webhooks.provider.slug
    assert list(OrderEvent.objects.filter(order=order).order_by("pk").values_list(*columns)) == [
        ("created", "", "created", None, f"game:{shop_setup.party.credential.username}"),
        ("started", "created", "created", None, "player"),
        ("payment.succeeded", "created", "paid", 20_00, f"provider:{slug}"),
        ("refund", "paid", "paid", 1, f"provider:{slug}"),
    ]


def test_checkout_url__uses_called_host_but_never_a_foreign_name(
    shop_setup: ShopSetup, settings: Any
) -> None:
    player_session = shop_setup.player_session()
    sent = dump(
        {
            "token": player_session.token,
            "cpOrderId": unique("cp"),
            "productId": "gold",
            "productPrice": Decimal("4.99"),
            "currencyCode": "EUR",
            "serverId": 1,
        }
    )
    settings.ALLOWED_HOSTS = ["wallet.example", "pay.example"]
    for host, place in (
        ("pay.example", "http://pay.example/checkout/"),
        ("evil.example", "http://wallet.example/checkout/"),
    ):
        answer = player_session.caller.send("POST", "/payments/initiate", sent.encode(), {"Host": host})
        assert answer.body["paymentUrl"].startswith(place), answer.raw
    settings.PUBLIC_URL = "https://shop.example"
    answer = player_session.caller.send("POST", "/payments/initiate", sent.encode(), {"Host": "evil.example"})
    assert answer.body["paymentUrl"].startswith("https://shop.example/checkout/")


def test_product__cannot_be_ordered_if_game_cannot_be_notified(callers: Callers) -> None:
    silent = make_shop_setup(callers, order_url="")
    player_session = silent.player_session()
    for product, error in (("sword", 101), ("pack", 101), ("gold", None)):
        assert silent.initiate(player_session, product).error == error
    assert list(
        Order.objects.filter(player=player_session.player).values_list("product_code", flat=True)
    ) == ["gold"]
