"""The audit of the ledger knows what orders must have moved."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from payments.models import Order
from payments.providers.registry import PROVIDERS
from payments.reconciliation import ORPHANS, difference_of, differing_orders, read_kept
from payments.refunds.operations import request_refund
from payments.settlement.replay import Kept
from tests.support.shop import Market, fresh, make_till
from wallet.audit.orphans import ORPHANS as ASKED
from wallet.models import Transaction

Change = Callable[[Order], tuple[str, list[Any]]]
MISSING = "orders that are not as the ledger moved"
CHANGES: dict[str, tuple[Change, str]] = {
    "a refund that nobody booked": (
        lambda order: ("UPDATE payments_order SET refunded = 1 WHERE id = %s", [order.pk]),
        MISSING,
    ),
    "credit that was not taken back": (
        lambda order: ("UPDATE payments_order SET clawed_back = 1 WHERE id = %s", [order.pk]),
        MISSING,
    ),
    "a payment that did not happen": (
        lambda order: ("UPDATE payments_order SET paid_at = NULL WHERE id = %s", [order.pk]),
        MISSING,
    ),
    "a payment that failed after all": (
        lambda order: ("UPDATE payments_payment SET state = 'failed' WHERE order_id = %s", [order.pk]),
        MISSING,
    ),
    "a top-up of another player's order": (
        lambda order: (
            "UPDATE wallet_transaction SET reference = gen_random_uuid() WHERE id = %s",
            [order.credit_transaction],
        ),
        "payments' transactions of no order",
    ),
    "a top-up whose reference was lost": (
        lambda order: (
            "UPDATE wallet_transaction SET reference = NULL WHERE id = %s",
            [order.credit_transaction],
        ),
        "transactions whose description names another order than their reference",
    ),
    "a top-up that moved to another order": (
        lambda order: (
            (
                "UPDATE wallet_transaction SET reference = "
                "(SELECT id FROM payments_order WHERE id <> %s LIMIT 1) WHERE id = %s"
            ),
            [order.pk, order.credit_transaction],
        ),
        "transactions whose description names another order than their reference",
    ),
}


def test_everything_that_an_order_moves_refers_to_it(market: Market) -> None:
    order = market.paid()
    moved = Transaction.objects.filter(reference=order.pk)
    assert {row.type for row in moved} == {"payment", "top_up"}
    assert {row.description for row in moved} == {f"order {order.pk}"}


def asked(owner: "psycopg.Connection[Any]", what: str) -> set[str]:
    return {str(id) for (id,) in owner.execute(f"SELECT x.id {ASKED[what]}")}


def test_the_audit_asks_about_orders() -> None:
    assert ORPHANS.keys() <= ASKED.keys()


@pytest.mark.parametrize("name", CHANGES)
def test_an_order_that_is_not_as_the_ledger_moved_is_found(
    market: Market, owner: "psycopg.Connection[Any]", name: str
) -> None:
    order = market.paid()
    change, what = CHANGES[name]
    subject = str(order.credit_transaction if "transactions" in what else order.pk)
    assert all(subject not in asked(owner, question) for question in ORPHANS)
    with owner.transaction(force_rollback=True):
        owner.execute(*change(order))
        assert subject in asked(owner, what)


def test_refunds_and_second_payments_are_no_differences(
    market: Market, owner: "psycopg.Connection[Any]"
) -> None:
    order = market.paid(product="pack")
    for type, amount in (
        ("payment.refunded", "3.33"),
        ("payment.charged_back", "1.01"),
        ("payment.succeeded", None),
        ("payment.refunded", "5.00"),
    ):
        assert market.webhooks.tell(type, order, amount).status == 200
    item = market.paid(product="sword")
    assert market.webhooks.tell("payment.refunded", item, "2.00").status == 200
    found = asked(owner, MISSING)
    assert str(order.pk) not in found
    assert str(item.pk) not in found


def difference(order: Order) -> str:
    """How an order's money differs from its replay."""
    (kept,) = read_kept([order.pk])
    return difference_of(kept, {config.id: config for config in PROVIDERS.all(0).values()}, is_held=False)


def test_replay__an_order_is_what_its_callbacks_make_of_it(market: Market) -> None:
    order = market.paid(product="pack")
    for type, amount in (
        ("payment.refunded", "3.33"),
        ("payment.succeeded", None),
        ("payment.refunded", "25.00"),
        ("payment.charged_back", "11.00"),
    ):
        assert market.webhooks.tell(type, order, amount).status == 200
    assert (fresh(order).state, difference(order)) == ("charged_back", "")
    notified = market.order(till=market.notify)
    assert market.notify.notify(notified).status == 200
    assert (fresh(notified).state, difference(notified)) == ("delivered", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE payments_order SET clawed_back = 100", "taken back of the credit is 100, not 10020"),
        ("UPDATE payments_order SET refunded = 0", "refunded is 0, not 100"),
        (
            "UPDATE payments_order SET refunded = 0, charged_back = 100",
            "refunded is 0, not 100; charged back is 100, not 0",
        ),
    ],
)
def test_replay__money_that_no_callback_made_is_found(
    market: Market, owner: "psycopg.Connection[Any]", change: str, said: str
) -> None:
    order = market.paid()
    assert market.webhooks.tell("payment.refunded", order, "1.00").status == 200
    assert difference(order) == ""
    owner.execute(f"{change} WHERE id = %s", [order.pk])
    assert difference(order) == said
    assert f"order {order.pk}: {said}" in list(differing_orders())
    owner.execute(
        "UPDATE payments_order SET clawed_back = 10020, refunded = 100, charged_back = 0 WHERE id = %s",
        [order.pk],
    )
    assert difference(order) == ""


def test_replay__a_callback_that_was_taken_away_is_missed(market: Market) -> None:
    order = market.paid()
    assert market.webhooks.tell("payment.refunded", order, "1.00").status == 200
    kept = next(iter(read_kept([order.pk])))
    alone = Kept(kept.order, kept.payments, kept.refunds, kept.callbacks[1:])
    configs = {config.id: config for config in PROVIDERS.all(0).values()}
    assert difference_of(alone, configs, is_held=False).startswith("kept is 399, not 0")


def test_credit_that_is_set_aside_belongs_to_an_open_refund(
    market: Market, owner: "psycopg.Connection[Any]", settings: Any
) -> None:
    settings.DEMO = True
    till = make_till("sandbox")
    order = market.order(till=till)
    reference = order.payments.get().start_reference
    assert till.tell("payment.succeeded", order, reference=reference).status == 200
    refund = request_refund(order.pk, 1_00, actor="operator:test", reason="test")
    what = "credit set aside for no open refund"
    assert str(refund.set_aside_transaction) not in asked(owner, what)
    with owner.transaction(force_rollback=True):
        owner.execute("UPDATE payments_refund SET state = 'refused' WHERE id = %s", [refund.pk])
        assert str(refund.set_aside_transaction) in asked(owner, what)
