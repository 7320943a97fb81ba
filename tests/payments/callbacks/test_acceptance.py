"""A genuine callback that contradicts its order is accepted as its payment: once, and the audit agrees."""

import json
from typing import Any

import psycopg
import pytest
from django.db import transaction

from payments.approvals.acceptance import ACCEPT_CALLBACK, AcceptancePayload
from payments.callbacks.acceptance import NotAcceptable, accept_callback
from payments.models import Callback, Order, Payment
from payments.order_audit import ORPHANS
from payments.settlement.postings import Type
from tests.support.callers import PlayerSession
from tests.support.order_replay import difference
from tests.support.shop import (
    ShopSetup,
    event_body,
    fresh,
    make_provider,
    outcomes,
    payments_of,
)
from wallet.audit.orphans import ORPHANS as ASKED
from wallet.models import Transaction

ACTOR = "operator:anna"


@pytest.fixture
def session(shop_setup: ShopSetup) -> PlayerSession:
    return shop_setup.player_session()


def newest(order: Order) -> Callback:
    found = Callback.objects.filter(order=order).order_by("-pk").first()
    assert found
    return found


def accept(order: Order) -> None:
    accept_callback(order.pk, newest(order).pk, actor=ACTOR)


def moved(order: Order) -> list[tuple[str, int]]:
    rows = Transaction.objects.filter(reference=order.pk).order_by("pk")
    return [(row.type, row.amount or 0) for row in rows]


def is_right(order: Order, owner: "psycopg.Connection[Any]") -> bool:
    """Whether the audit finds nothing about an order."""
    asked = "orders that are not as the ledger moved"
    assert asked in ORPHANS
    wrong = {str(id) for (id,) in owner.execute(f"SELECT x.id {ASKED[asked]}")}
    return difference(fresh(order)) == "" and str(order.pk) not in wrong


def test_accepted_payment__of_less_gives_its_share(
    shop_setup: ShopSetup, session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    order = shop_setup.order(session)
    assert shop_setup.webhooks.tell("payment.succeeded", order, "3.99").status == 422
    accept(order)
    order = fresh(order)
    # 500.00 less its share of 1.00 of 4.99, rounded down.
    assert session.holding().spendable == 500_00 - 500_00 * 1_00 // 4_99
    assert (order.state, outcomes(order)) == ("delivered", ["acted"])
    assert moved(order) == [("payment", 3_99), ("top_up", 500_00 - 500_00 * 1_00 // 4_99)]
    callback = newest(order)
    assert (callback.accepted_by, callback.accepted_at) == (ACTOR, order.paid_at)
    assert is_right(order, owner)


def test_accepted_payment__of_another_reference_gives_the_whole(
    shop_setup: ShopSetup, session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    order = shop_setup.order(session)
    Payment.objects.filter(order=order).update(start_reference="started-as")
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 422
    accept(order)
    assert session.holding().spendable == 500_00
    assert fresh(order).state == "delivered"
    assert is_right(order, owner)


def test_accepted_payment__that_comes_again_is_only_counted(
    shop_setup: ShopSetup, session: PlayerSession
) -> None:
    order = shop_setup.order(session)
    body = event_body("payment.succeeded", order, "3.99", reference=f"pay-{order.pk.hex}")
    headers = shop_setup.webhooks.signed(body, id=f"msg-{order.pk.hex}")
    assert shop_setup.webhooks.post(body, headers).status == 422
    accept(order)
    has = session.holding().spendable
    assert shop_setup.webhooks.post(body, headers).status == 200
    # The same payment, said otherwise, is on the operators' list.
    other = event_body("payment.succeeded", order, reference=f"pay-{order.pk.hex}")
    assert shop_setup.webhooks.post(other, shop_setup.webhooks.signed(other)).status == 422
    assert session.holding().spendable == has
    assert outcomes(order) == ["acted", "contradicts"]


def test_late_payment__after_an_accepted_one_is_a_duplicate(
    shop_setup: ShopSetup, session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    order = shop_setup.order(session)
    shop_setup.webhooks.tell("payment.succeeded", order, "3.99")
    accept(order)
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert outcomes(order) == ["acted", "duplicate"]
    # Never more than the order's credit.
    assert session.holding().spendable == 500_00
    assert sorted(payments_of(order)) == [("paid", False), ("paid", True)]
    assert is_right(order, owner)


def test_accepted_payment__of_more_is_to_be_refunded(
    shop_setup: ShopSetup, session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    order = shop_setup.order(session)
    shop_setup.webhooks.tell("payment.succeeded", order, "5.99")
    accept(order)
    assert (session.holding().spendable, outcomes(order)) == (500_00, ["duplicate"])
    shop_setup.webhooks.tell("payment.refunded", order, "1.00")
    assert session.holding().spendable == 500_00
    assert is_right(order, owner)


def test_accepted_payment__of_a_provider_that_was_not_started(
    shop_setup: ShopSetup, session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    order = shop_setup.order(session)
    elsewhere = make_provider("order-notify")
    assert elsewhere.notify(order).status == 422
    accept(order)
    assert session.holding().spendable == 500_00
    assert {payment.provider_id for payment in Payment.objects.filter(order=order, state="paid")} == {
        elsewhere.provider.pk
    }
    assert is_right(order, owner)


def test_accepted_payment__of_an_item_is_told_to_the_game(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(product="sword")
    shop_setup.webhooks.tell("payment.succeeded", order, "9.00")
    assert accept_callback(order.pk, newest(order).pk, actor=ACTOR) is not None
    assert fresh(order).state == "paid"


@pytest.mark.parametrize(
    ("amount", "currency", "why"),
    [("4.99", "XAG", "the currency is XAG, the order's is EUR"), ("0", None, "it names no amount")],
)
def test_callback__that_is_no_payment_of_the_order_is_not_accepted(
    shop_setup: ShopSetup, session: PlayerSession, amount: str, currency: str | None, why: str
) -> None:
    order = shop_setup.order(session)
    assert shop_setup.webhooks.tell("payment.succeeded", order, amount, currency=currency).status == 422
    with pytest.raises(NotAcceptable, match=why):
        accept(order)
    assert (fresh(order).state, session.holding().spendable, outcomes(order)) == (
        "created",
        0,
        ["contradicts"],
    )


def test_callback__of_a_paid_order_is_not_accepted(shop_setup: ShopSetup, session: PlayerSession) -> None:
    order = shop_setup.paid(session)
    shop_setup.webhooks.tell("payment.succeeded", order, "3.99")
    with pytest.raises(NotAcceptable, match="the order is paid already"):
        accept(order)
    assert session.holding().spendable == 500_00


def test_callback__is_accepted_once(shop_setup: ShopSetup, session: PlayerSession) -> None:
    order = shop_setup.order(session)
    shop_setup.webhooks.tell("payment.succeeded", order, "3.99")
    accept(order)
    has = moved(order)
    with pytest.raises(NotAcceptable, match="does not contradict the order any more"):
        accept(order)
    assert moved(order) == has


def test_callback__of_another_order_is_not_accepted(shop_setup: ShopSetup, session: PlayerSession) -> None:
    order, other = shop_setup.order(session), shop_setup.order()
    shop_setup.webhooks.tell("payment.succeeded", other, "3.99")
    with pytest.raises(NotAcceptable, match="is of another one"):
        accept_callback(order.pk, newest(other).pk, actor=ACTOR)
    assert session.holding().spendable == 0


def test_callback__whose_payment_was_taken_is_not_accepted(
    shop_setup: ShopSetup, session: PlayerSession
) -> None:
    first, order = shop_setup.paid(), shop_setup.order(session)
    reference = newest(first).reference
    shop_setup.webhooks.tell("payment.succeeded", order, reference=reference)
    with pytest.raises(NotAcceptable, match="has been taken already"):
        accept(order)
    assert session.holding().spendable == 0


def test_preview__is_the_effect(shop_setup: ShopSetup, session: PlayerSession) -> None:
    order = shop_setup.order(session)
    shop_setup.webhooks.tell("payment.succeeded", order, "3.99")
    payload = AcceptancePayload(order.pk, newest(order).pk)
    with transaction.atomic():
        preview = ACCEPT_CALLBACK.preview(payload)
    assert [tuple(change) for change in preview.changes] == [
        ("Order", "created", "delivered"),
        ("Paid and not returned", "0.00 EUR", "3.99 EUR"),
        ("Credit that the player has of it", "0.00 XAG", "399.80 XAG"),
    ]
    assert (preview.amount, preview.currency) == (3_99, "EUR")
    assert "It names 3.99 EUR, which is booked as paid. The price is 4.99 EUR." in preview.says
    assert json.dumps(moved(order)) == "[]"
    accept(order)
    assert session.holding().spendable == 399_80
    assert {type for type, _ in moved(order)} == {Type.PAYMENT, Type.TOP_UP}
