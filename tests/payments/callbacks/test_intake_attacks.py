"""What somebody tried who means us harm; each of these once worked.

They want credit for nothing, or orders stuck, or our tables and memory full.
"""

import json
import uuid
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.db.utils import ProgrammingError
from django.http import HttpRequest

from config.logs import RequestLog
from lib.clock import now
from payments.checkout.payments import start_payment
from payments.checkout.status import FAILED, WAITING, last_payment, outcome_of
from payments.models import (
    Callback,
    Delivery,
    DeliveryAttempt,
    Order,
    Payment,
    Product,
    Provider,
    Refund,
    Secret,
    Shop,
)
from payments.providers.adapters import ADAPTERS
from payments.providers.protocol import RefundResult, RefundStatus
from payments.refunds.operations import refundable, request_refund
from payments.refunds.worker import lease, settle_refunds
from payments.sandbox import memory
from tests.payments.test_order_audit import MISSING, asked
from tests.support.callers import Caller, fresh_address, holding, unique
from tests.support.invariants import problems_of
from tests.support.refunds import settle_one
from tests.support.scripted_provider import Scripted
from tests.support.shop import (
    BASE,
    ShopSetup,
    fresh,
    make_provider,
    new_reference,
    outcomes,
    payments_of,
    refunds_of,
)
from wallet.job_runs import Run
from wallet.models import Alert

Owner = psycopg.Connection[Any]


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """What every provider of Standard Webhooks says in this test."""
    scripted = Scripted()
    monkeypatch.setitem(ADAPTERS, Provider.Scheme.STANDARD_WEBHOOKS, scripted)
    return scripted


def ask(order: Order, amount: int) -> Refund:
    return request_refund(order.pk, amount, actor="operator", reason="the player asked")


def settle(refund: Refund) -> None:
    """A worker's turn."""
    Refund.objects.filter(pk=refund.pk).update(next_attempt_at=now())
    for one, is_first in lease(now(), only=refund.pk):
        settle_one(one, is_first=is_first)


def stands(order: Order) -> tuple[str, int, int, int]:
    """State, refunded, charged back, and what of the credit is taken back."""
    now_so = fresh(order)
    return now_so.state, now_so.refunded, now_so.charged_back, now_so.clawed_back


# --- A refund and a charge-back of the same money --------------------------------------------------------


def test_refund__done_during_chargeback_counts_after_reversal(
    shop_setup: ShopSetup, bank: Scripted, owner: Owner
) -> None:
    order, dispute = shop_setup.paid(), new_reference()
    refund = ask(order, 4_99)
    assert shop_setup.webhooks.tell("payment.charged_back", order, reference=dispute).status == 200
    bank.words = [RefundResult(RefundStatus.DONE, new_reference())]
    settle(refund)
    assert stands(order) == ("charged_back", 0, 4_99, 500_00)
    # The bank finds that the payer has had the money already. So the player has: no credit for it.
    assert shop_setup.webhooks.tell("payment.charge_back_reversed", order, reference=dispute).status == 200
    assert (stands(order), holding(order.player)[:4]) == (("refunded", 4_99, 0, 500_00), (0, 0, 0, 0))
    assert (problems_of(order.player), str(order.pk) in asked(owner, MISSING)) == ([], False)


def test_reversal__gives_credit_less_refund_during_chargeback(
    shop_setup: ShopSetup, bank: Scripted, owner: Owner
) -> None:
    order, dispute = shop_setup.paid(), new_reference()
    refund = ask(order, 1_00)
    assert shop_setup.webhooks.tell("payment.charged_back", order, reference=dispute).status == 200
    bank.words = [RefundResult(RefundStatus.DONE, new_reference())]
    settle(refund)
    assert shop_setup.webhooks.tell("payment.charge_back_reversed", order, reference=dispute).status == 200
    # floor(500.00 * 1.00 / 4.99)
    assert (stands(order), holding(order.player)[:4]) == (("delivered", 1_00, 0, 100_20), (399_80, 0, 0, 0))
    assert (problems_of(order.player), str(order.pk) in asked(owner, MISSING)) == ([], False)


def test_duplicate_payment__returned_twice_takes_first_credit(
    shop_setup: ShopSetup, bank: Scripted, owner: Owner
) -> None:
    order, dispute = shop_setup.paid(), new_reference()
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    refund = ask(order, 4_99)
    assert shop_setup.webhooks.tell("payment.charged_back", order, reference=dispute).status == 200
    assert (stands(order), holding(order.player).spendable) == (("delivered", 0, 0, 0), 500_00)
    bank.words = [RefundResult(RefundStatus.DONE, new_reference())]
    settle(refund)
    assert (stands(order), holding(order.player)[:4]) == (("charged_back", 0, 4_99, 500_00), (0, 0, 0, 0))
    assert refunds_of(order) == [("refund", "done", 4_99), ("charge_back", "done", 4_99)]
    assert shop_setup.webhooks.tell("payment.charge_back_reversed", order, reference=dispute).status == 200
    assert (stands(order)[0], refundable(fresh(order)).most, holding(order.player).spendable) == (
        "delivered",
        4_99,
        500_00,
    )
    assert (problems_of(order.player), str(order.pk) in asked(owner, MISSING)) == ([], False)


def test_callback__of_refund_after_duplicate_returned_is_taken(
    shop_setup: ShopSetup, bank: Scripted, owner: Owner
) -> None:
    order = shop_setup.paid()
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    refund = ask(order, 4_99)
    bank.words = [RefundResult(RefundStatus.UNKNOWN)]
    settle(refund)
    assert shop_setup.webhooks.tell("payment.refunded", order, "2.00").status == 200
    assert shop_setup.webhooks.tell("payment.refunded", order, "4.99").status == 200
    # Of 9.98 are gone 6.99: all of the second payment, and 2.00 of the first.
    assert (stands(order), holding(order.player).spendable) == (("delivered", 2_00, 0, 200_40), 299_60)
    assert (problems_of(order.player), str(order.pk) in asked(owner, MISSING)) == ([], False)


def test_refund__over_what_other_provider_was_paid_is_alerted(shop_setup: ShopSetup, bank: Scripted) -> None:
    order, other = shop_setup.order(), make_provider("standard-webhooks")
    start_payment(order, other.provider.slug, BASE)
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert other.tell("payment.succeeded", order).status == 200
    refund = ask(order, 4_99)
    assert other.tell("payment.charged_back", order).status == 200
    bank.words = [RefundResult(RefundStatus.DONE, new_reference())]
    settle(refund)
    # As much has gone back as came in, though through one provider: nothing is kept (contract 4.2, rule 6).
    assert (stands(order), holding(order.player).spendable) == (("charged_back", 0, 4_99, 500_00), 0)
    assert Refund.objects.get(pk=refund.pk).state == "done"
    assert (
        "more has gone back than was paid"
        in Alert.objects.get(kind="refund_open", subject=str(refund.pk)).text
    )


def test_refund__unrecordable_one_does_not_block_others(shop_setup: ShopSetup, bank: Scripted) -> None:
    Refund.objects.exclude(next_attempt_at=None).update(next_attempt_at=None)
    refunds = [ask(shop_setup.paid(), 1_00) for _ in range(3)]
    # Longer than a reference can be.
    bank.words = [
        RefundResult(RefundStatus.DONE, "x" * 300),
        RefundResult(RefundStatus.DONE, new_reference()),
        RefundResult(RefundStatus.DONE, new_reference()),
    ]
    run = Run("settle_refunds")
    settle_refunds(run)
    assert sorted(
        Refund.objects.filter(pk__in=[one.pk for one in refunds]).values_list("state", flat=True)
    ) == ["done", "done", "unknown"]
    assert (run.looked_at, run.done) == (3, 2)


# --- Orders that seem stuck ------------------------------------------------------------------------------


def test_payment__failed_second_attempt_is_shown_to_the_player(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    assert shop_setup.webhooks.tell("payment.failed", order).status == 200
    start_payment(fresh(order), shop_setup.webhooks.provider.slug, BASE)
    assert outcome_of(fresh(order), last_payment(order.page_key), now()) == WAITING
    assert shop_setup.webhooks.tell("payment.failed", order).status == 200
    assert outcome_of(fresh(order), last_payment(order.page_key), now()) == FAILED
    assert (fresh(order).state, payments_of(order)) == ("failed", [("failed", False), ("failed", False)])
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert stands(order) == ("delivered", 0, 0, 0)


# --- Floods ----------------------------------------------------------------------------------------------


def test_callback__unsigned_fields_do_not_fill_operators_list(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(fake_provider=shop_setup.notify, extParams="right")
    for number in range(5):
        assert (
            shop_setup.notify.notify(order, ts=1_700_000_000_000, extParams=f"wrong {number}").status == 422
        )
    assert (outcomes(order), Callback.objects.get(order=order).times_seen, stands(order)[0]) == (
        ["contradicts"],
        5,
        "created",
    )
    assert shop_setup.notify.notify(order, ts=1_700_000_000_000).status == 200
    assert (outcomes(order), stands(order)[0]) == (["contradicts", "acted"], "delivered")
    assert Callback.objects.get(order=order, outcome="contradicts").resolved_by == "platform"
    for number in range(5):
        assert shop_setup.notify.notify(order, ts=1_700_000_000_000, extParams=f"late {number}").status == 422
    assert (outcomes(order), holding(order.player).spendable) == (["contradicts", "acted"], 500_00)


def test_sandbox__remembers_no_more_than_it_shows() -> None:
    where = unique("list")
    for number in range(memory.MOST + 5):
        memory.add(number, where)
    assert memory.newest(where) == list(range(memory.MOST + 4, 4, -1))
    assert [memory.get(None, where, str(number)) for number in range(1, 6)] == [None] * 5


@pytest.mark.parametrize(
    "path",
    [
        "/sandbox/deliveries/%00",
        "/sandbox/deliveries/%00/answer",
        "/sandbox/%00/pay",
        "/pay/%00",
        "/checkout/%00/result",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_url__zero_byte_is_only_not_found(
    shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch, path: str, method: str
) -> None:
    monkeypatch.setattr(settings, "DEMO", True)
    assert Caller(None, fresh_address()).send(method, path).status == 404


def test_sandbox__refunds_nothing_in_an_unknown_currency(
    shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DEMO", True)
    fake_provider, order, payment = make_provider("sandbox"), str(uuid.uuid4()), new_reference()
    memory.keep_payment(
        fake_provider.provider.slug,
        order,
        memory.Payment(reference=payment, amount=5_00, returned=0, dispute="", disputed=0, start="", told=""),
    )
    told = {
        "id": str(uuid.uuid4()),
        "orderId": order,
        "amount": 1_00,
        "currencyCode": "ZZZ",
        "payment": payment,
    }
    assert (
        Caller(None, fresh_address())
        .send("POST", f"/sandbox/{fake_provider.provider.slug}/refunds", json.dumps(told).encode())
        .status
        == 404
    )
    assert memory.payments_of(fake_provider.provider.slug, order)[payment]["returned"] == 0


# --- Whoever reads the logs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/checkout/key", "/checkout/key/result", "//checkout/key", "/checkout//key", "/Checkout/key"]
)
def test_url__no_spelling_puts_an_order_key_into_the_log(path: str) -> None:
    request = HttpRequest()
    request.method, request.path = "GET", path
    assert (
        RequestLog.format_request(request) == f"GET /checkout/…{'/result' if path.endswith('result') else ''}"
    )


# --- Whoever has the application's rights ----------------------------------------------------------------

FROZEN: dict[str, tuple[Any, dict[str, Any]]] = {
    "an order's page": (Order, {"page_key": "mine"}),
    "what an order gives": (Order, {"is_delivered_by_game": True}),
    "where its player returns to": (Order, {"return_url": "https://evil.example"}),
    "how much was paid": (Payment, {"amount": 1}),
    "a callback's signature": (Callback, {"headers": {}}),
    "where a callback came from": (Callback, {"address": "192.0.2.9"}),
    "which order a callback names": (Callback, {"order": None}),
}


@pytest.mark.parametrize("what", FROZEN)
def test_record__agreed_fields_never_change(shop_setup: ShopSetup, what: str) -> None:
    model, change = FROZEN[what]
    order = shop_setup.paid()
    row = model.objects.filter(pk=order.pk) if model is Order else model.objects.filter(order=order)
    before = row.values(*change).get()
    with pytest.raises(Exception, match="permission denied") as refused:
        row.update(**change)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
    # Nor does whoever owns the tables change them.
    connections["owner"].close()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(Exception, match="never change") as refused:
        row.using("owner").update(**change)
    assert isinstance(refused.value.__cause__, psycopg.errors.RestrictViolation)
    assert row.values(*change).get() == before


def test_refund__recorded_amount_never_changes(shop_setup: ShopSetup, owner: Owner) -> None:
    order = shop_setup.paid()
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00").status == 200
    for change in ("amount = 2", "kind = 'charge_back'", "provider_id = gen_random_uuid()"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(f"UPDATE payments_refund SET {change} WHERE order_id = %s", [order.pk])


def test_secret__keeps_its_owner_and_stays_retired(owner: Owner) -> None:
    fake_provider = make_provider("standard-webhooks")
    secret = Secret.objects.get(provider=fake_provider.provider)
    Secret.objects.filter(pk=secret.pk).update(retired_at=now(), retired_by="operator")
    for change in ("retired_at = NULL", "purpose = 'api'", "fingerprint = 'x'"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(f"UPDATE payments_secret SET {change} WHERE id = %s", [secret.pk])
    assert Secret.objects.get(pk=secret.pk).retired_at is not None


@pytest.mark.parametrize(
    "model", [Order, Payment, Refund, Callback, Delivery, DeliveryAttempt, Product, Provider, Secret, Shop]
)
def test_payments__application_role_deletes_nothing(model: Any) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        model.objects.filter(pk=uuid.uuid4())._raw_delete("default")
