"""The audit of the ledger knows what orders must have moved."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from lib.clock import now
from payments.models import Order, Provider
from payments.order_audit import ORPHANS, difference_of, differing_orders, read_kept
from payments.providers.adapters import ADAPTERS
from payments.providers.protocol import RefundResult, RefundStatus
from payments.providers.registry import PROVIDERS
from payments.refunds.operations import request_refund
from payments.refunds.worker import lease, record_result
from payments.settlement.replay import Kept
from tests.support.order_replay import difference
from tests.support.scripted_provider import Scripted
from tests.support.shop import ShopSetup, fresh, make_provider, new_reference
from wallet.audit.orphans import ORPHANS as ASKED
from wallet.audit.problems import Problem
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


def test_transaction__of_an_order_refers_to_it(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    moved = Transaction.objects.filter(reference=order.pk)
    assert {row.type for row in moved} == {"payment", "top_up"}
    assert {row.description for row in moved} == {f"order {order.pk}"}


def asked(owner: "psycopg.Connection[Any]", what: str) -> set[str]:
    return {str(id) for (id,) in owner.execute(f"SELECT x.id {ASKED[what]}")}


def test_audit__asks_about_orders() -> None:
    assert ORPHANS.keys() <= ASKED.keys()


@pytest.mark.parametrize("name", CHANGES)
def test_audit__finds_an_order_that_differs_from_the_ledger(
    shop_setup: ShopSetup, owner: "psycopg.Connection[Any]", name: str
) -> None:
    order = shop_setup.paid()
    change, what = CHANGES[name]
    subject = str(order.credit_transaction if "transactions" in what else order.pk)
    assert all(subject not in asked(owner, question) for question in ORPHANS)
    with owner.transaction(force_rollback=True):
        # Somebody who has put the triggers aside.
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute(*change(order))
        assert subject in asked(owner, what)


def test_audit__refunds_and_duplicate_payments_are_no_difference(
    shop_setup: ShopSetup, owner: "psycopg.Connection[Any]"
) -> None:
    order = shop_setup.paid(product="pack")
    for type, amount in (
        ("payment.refunded", "3.33"),
        ("payment.charged_back", "1.01"),
        ("payment.succeeded", None),
        ("payment.refunded", "5.00"),
    ):
        assert shop_setup.webhooks.tell(type, order, amount).status == 200
    item = shop_setup.paid(product="sword")
    assert shop_setup.webhooks.tell("payment.refunded", item, "2.00").status == 200
    found = asked(owner, MISSING)
    assert str(order.pk) not in found
    assert str(item.pk) not in found


def test_replay__an_order_is_what_its_callbacks_make_of_it(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid(product="pack")
    for type, amount in (
        ("payment.refunded", "3.33"),
        ("payment.succeeded", None),
        ("payment.refunded", "25.00"),
        ("payment.charged_back", "11.00"),
    ):
        assert shop_setup.webhooks.tell(type, order, amount).status == 200
    assert (fresh(order).state, difference(order)) == ("charged_back", "")


@pytest.mark.parametrize("form", [False, True])
def test_replay__an_order_notify_callback_is_read_again(shop_setup: ShopSetup, form: bool) -> None:
    order = shop_setup.order(fake_provider=shop_setup.notify)
    assert shop_setup.notify.notify(order, form=form).status == 200
    assert (fresh(order).state, difference(order)) == ("delivered", "")


def test_replay__a_callback_that_cannot_be_read_is_a_difference(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(fake_provider=shop_setup.notify)
    assert shop_setup.notify.notify(order).status == 200
    (kept,) = read_kept([order.pk])
    kept.callbacks[0].body = b"x"
    said = difference_of(kept, {config.id: config for config in PROVIDERS.all(0).values()}, is_held=False)
    assert said.startswith("what was kept of it cannot be replayed: ")


@pytest.mark.parametrize(
    ("change", "said", "words"),
    [
        (
            "UPDATE payments_order SET clawed_back = 100",
            "taken back of the credit is 100, not 10020",
            "taken back of the credit is 1.00 XAG, not 100.20 XAG",
        ),
        (
            "UPDATE payments_order SET refunded = 0",
            "refunded is 0, not 100",
            "refunded is 0.00 EUR, not 1.00 EUR",
        ),
        (
            "UPDATE payments_order SET refunded = 0, charged_back = 100",
            "refunded is 0, not 100; charged back is 100, not 0",
            "refunded is 0.00 EUR, not 1.00 EUR; charged back is 1.00 EUR, not 0.00 EUR",
        ),
    ],
)
def test_replay__money_that_no_callback_made_is_found(
    shop_setup: ShopSetup, owner: "psycopg.Connection[Any]", change: str, said: str, words: str
) -> None:
    order = shop_setup.paid()
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00").status == 200
    assert difference(order) == ""
    owner.execute(f"{change} WHERE id = %s", [order.pk])
    assert difference(order) == said
    found = Problem(f"order {order.pk}: {said}", f"order {order.pk}: {words}")
    assert found in list(differing_orders())
    owner.execute(
        "UPDATE payments_order SET clawed_back = 10020, refunded = 100, charged_back = 0 WHERE id = %s",
        [order.pk],
    )
    assert difference(order) == ""


def test_replay__a_refund_of_ours_is_of_a_payment_that_its_callback_made(
    shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = paid_twice_and_refunded(shop_setup, monkeypatch)
    assert (fresh(order).state, difference(order)) == ("delivered", "")
    assert not [found for found in differing_orders() if str(order.pk) in found.key]


def test_replay__a_refund_of_ours_whose_payment_was_taken_away_is_a_difference(
    shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = paid_twice_and_refunded(shop_setup, monkeypatch)
    (kept,) = read_kept([order.pk])
    alone = Kept(kept.order, kept.payments, kept.refunds, kept.callbacks[:1])
    configs = {config.id: config for config in PROVIDERS.all(0).values()}
    said = f"no callback before refund {kept.refunds[0].pk} tells of its payment"
    assert difference_of(alone, configs, is_held=False) == f"what was kept of it cannot be replayed: {said}"


def paid_twice_and_refunded(shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order that was begun once and paid twice; we have had the second payment refunded."""
    monkeypatch.setitem(ADAPTERS, Provider.Scheme.STANDARD_WEBHOOKS, Scripted())
    order = shop_setup.paid()
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    refund = request_refund(order.pk, 4_99, actor="operator:test", reason="test")
    assert refund.payment is not None
    assert refund.payment.is_duplicate
    assert len(lease(now(), only=refund.pk)) == 1
    record_result(refund.pk, RefundResult(RefundStatus.DONE, new_reference()))
    return order


def test_replay__a_callback_that_was_taken_away_is_missed(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00").status == 200
    kept = next(iter(read_kept([order.pk])))
    alone = Kept(kept.order, kept.payments, kept.refunds, kept.callbacks[1:])
    configs = {config.id: config for config in PROVIDERS.all(0).values()}
    assert difference_of(alone, configs, is_held=False).startswith("kept is 399, not 0")


def test_audit__set_aside_credit_belongs_to_an_open_refund(
    shop_setup: ShopSetup, owner: "psycopg.Connection[Any]", settings: Any
) -> None:
    settings.DEMO = True
    fake_provider = make_provider("sandbox")
    order = shop_setup.order(fake_provider=fake_provider)
    reference = order.payments.get().start_reference
    assert fake_provider.tell("payment.succeeded", order, reference=reference).status == 200
    refund = request_refund(order.pk, 1_00, actor="operator:test", reason="test")
    what = "credit set aside for no open refund"
    assert str(refund.set_aside_transaction) not in asked(owner, what)
    with owner.transaction(force_rollback=True):
        owner.execute("UPDATE payments_refund SET state = 'refused' WHERE id = %s", [refund.pk])
        assert str(refund.set_aside_transaction) in asked(owner, what)
