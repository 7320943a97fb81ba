"""Every step locks an order first and then a player's wallets in the order of their ids.

So none waits for another for ever.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import connections

from lib.clock import now
from payments.models import Order, Provider, Refund
from payments.providers.adapters import ADAPTERS
from payments.providers.protocol import RefundResult, RefundStatus
from payments.refunds.operations import request_refund
from payments.refunds.worker import lease, record_result
from tests.support.callers import PlayerSession, holding, unique
from tests.support.invariants import problems_of
from tests.support.scripted_provider import Scripted
from tests.support.shop import FakeProvider, ShopSetup, event_body, fresh, new_reference
from wallet.models import Wallet

Owner = psycopg.Connection[Any]
LOCK = "SELECT 1 FROM wallet_wallet WHERE id = %s FOR NO KEY UPDATE"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture(autouse=True)
def bank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADAPTERS, Provider.Scheme.STANDARD_WEBHOOKS, Scripted())


def asked(order: Order, amount: int) -> Refund:
    """A refund that a provider has just been asked for."""
    refund = request_refund(order.pk, amount, actor="test", reason="test")
    assert len(lease(now(), only=refund.pk)) == 1
    return refund


@pytest.mark.parametrize("first", ["XAG", "EUR"])
def test_refund__end_locks_wallets_in_id_order(shop_setup: ShopSetup, owner: Owner, first: str) -> None:
    player_session = shop_setup.player_session(first)
    order = shop_setup.paid(player_session)
    # All of the credit is set aside: only the set-aside itself is left to move in its wallet.
    refund = asked(order, 4_99)
    lower, higher = (
        Wallet.objects.filter(player=player_session.player).order_by("pk").values_list("pk", flat=True)
    )

    def end() -> None:
        record_result(refund.pk, RefundResult(RefundStatus.DONE, new_reference()))
        connections.close_all()

    thread = threading.Thread(target=end)
    with owner.transaction():
        owner.execute(LOCK, [lower])
        thread.start()
        wait_for_a_waiter(owner)
        # Whoever waits for the lower one does not hold the higher one.
        owner.execute(LOCK + " NOWAIT", [higher])
    thread.join(10)
    assert (fresh(order).state, holding(player_session.player)[:4], problems_of(player_session.player)) == (
        "refunded",
        (0, 0, 0, 0),
        [],
    )


def wait_for_a_waiter(owner: Owner) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        row = owner.execute(WAITING).fetchone()
        if row and row[0]:
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_deadlock__payments_refunds_withdrawals_at_once_finish(
    shop_setup: ShopSetup, owner: Owner, server: str
) -> None:
    player_session = shop_setup.player_session()
    player_session.adjust("credit", 10_000_00)
    euros = player_session.elsewhere("EUR")
    euros.adjust("credit", 10_000_00)
    fake_provider = FakeProvider(shop_setup.webhooks.provider, shop_setup.webhooks.secret, server)
    fresh_orders = [shop_setup.order(player_session, product) for product in ("gold", "pack") * 6]
    paid = [shop_setup.paid(player_session) for _ in range(12)]
    refunds = [asked(shop_setup.paid(player_session), 4_99) for _ in range(6)]
    jobs: list[Any] = [(fake_provider, [event_body("payment.succeeded", order)]) for order in fresh_orders]
    for order in paid:
        dispute = new_reference()
        jobs.append(
            (
                fake_provider,
                [
                    event_body("payment.charged_back", order, reference=dispute),
                    event_body("payment.charge_back_reversed", order, reference=dispute),
                ],
            )
        )
    jobs += refunds + [
        replace(one, caller=one.caller.at(server)) for one in (player_session, euros) for _ in range(6)
    ]
    random.Random(7).shuffle(jobs)
    with ThreadPoolExecutor(12) as pool:
        statuses = [status for found in pool.map(do, jobs) for status in found]
    assert set(statuses) == {200}
    assert {fresh(order).state for order in paid} == {"delivered"}
    assert {fresh(order).state for order in fresh_orders} == {"delivered", "paid"}
    assert set(
        Refund.objects.filter(pk__in=[refund.pk for refund in refunds]).values_list("state", flat=True)
    ) == {"done"}
    # 10 000 + 12 bought before + 6 gold + 6 packs - 6 withdrawals of 1.00; what was refunded is gone.
    assert holding(player_session.player)[:4] == (
        10_000_00 + 12 * 500_00 + 6 * 500_00 + 6 * 1000_00 - 6_00,
        0,
        0,
        0,
    )
    assert holding(player_session.player, "EUR").spendable == 10_000_00 - 6_00
    assert problems_of(player_session.player) == []


def do(job: Any) -> list[int]:
    """One of the jobs, in a thread of its own."""
    if isinstance(job, Refund):
        assert record_result(job.pk, RefundResult(RefundStatus.DONE, new_reference()))
        connections.close_all()
        return [200]
    if isinstance(job, PlayerSession):
        mm = unique("mm")
        return [job.done("withdraw", mm, "1.00").status, job.done("confirmWithdrawal", mm).status]
    fake_provider, bodies = job
    return [told(fake_provider, body) for body in bodies]


def told(fake_provider: FakeProvider, body: bytes) -> int:
    """The answer to a callback, which is sent again while a process has not heard of the new provider."""
    deadline = time.monotonic() + 10
    while (status := fake_provider.post(body, fake_provider.signed(body)).status) == 404:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return status
