"""Stripe is asked what became of a payment: what it says acts as its callback would, once."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from payments.admin.reasons import reason, stories_of
from payments.callbacks.acceptance import accept_callback
from payments.callbacks.queries import NotAskable, query_due, request_query
from payments.checkout.payments import start_payment
from payments.models import Callback, Order, Payment
from payments.providers.adapters import ADAPTERS
from payments.providers.signing_secrets import replace_api_secret
from payments.providers.stripe_checkout.checkout import StripeCheckout
from tests.support.callers import Answer, holding
from tests.support.fake_stripe import FakeStripe, fake_stripe, refuses, says
from tests.support.invariants import problems_of
from tests.support.order_replay import difference
from tests.support.shop import (
    BASE,
    FakeProvider,
    ShopSetup,
    fresh,
    make_provider,
    outcomes,
    payments_of,
    story_of,
)
from tests.support.stripe_events import recorded, signed
from wallet.job_runs import Run

PAID = {"payment_status": "paid", "status": "complete"}


@dataclass
class Desk:
    """An order that was begun at a fake Stripe, and the operator who has it asked."""

    order: Order
    fake_provider: FakeProvider
    fake: FakeStripe

    @property
    def payment(self) -> Payment:
        return Payment.objects.filter(order=self.order).order_by("pk")[0]

    @property
    def session(self) -> dict[str, Any]:
        """What Stripe knows of the payment."""
        return self.fake.sessions[self.payment.start_reference]

    def pay(self, **changes: Any) -> None:
        """The player pays, and no callback comes."""
        self.session.update({**PAID, "payment_intent": f"pi_{self.payment.pk.hex}", **changes})

    def ask(self) -> Run:
        """An operator has the provider asked, and a worker does it."""
        with transaction.atomic():
            request_query(self.order, actor="operator:anna", reason="the player complains")
        run = Run("query_payments")
        query_due(run)
        return run

    def call_back(self) -> Answer:
        """The callback of the payment comes after all."""
        event = recorded("completed_paid", **self.session)
        body = json.dumps(event).encode()
        signature = signed(body, self.fake_provider.secret)
        return self.fake_provider.post(body, {"Stripe-Signature": signature})

    def funds(self) -> int:
        return holding(self.order.player).spendable

    def untouched(self) -> None:
        """Nothing has moved."""
        assert (fresh(self.order).state, self.funds(), payments_of(self.order)) == (
            "created",
            0,
            [("started", False)],
        )

    def why(self) -> str:
        return reason(stories_of([fresh(self.order)])[0])


@pytest.fixture
def desk(shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    fake_provider = make_provider("stripe", f"whsec_{uuid.uuid4().hex}", page_url="", timeout_seconds=2)
    with fake_stripe() as fake:
        fake.key = f"sk_test_{uuid.uuid4().hex}"
        replace_api_secret(fake_provider.provider, fake.key, actor="test")
        monkeypatch.setitem(ADAPTERS, "stripe", StripeCheckout(fake.url))
        yield Desk(shop_setup.order(fake_provider=fake_provider), fake_provider, fake)


def assert_credited_once(desk: Desk) -> None:
    assert (fresh(desk.order).state, desk.funds(), payments_of(desk.order)) == (
        "delivered",
        500_00,
        [("paid", False)],
    )
    assert problems_of(desk.order.player) == []
    assert difference(fresh(desk.order)) == ""


def test_query__lost_callback_is_credited_and_the_late_one_repeats(desk: Desk) -> None:
    desk.pay()
    assert desk.ask().done == 1
    assert_credited_once(desk)
    [answer] = Callback.objects.filter(order=desk.order)
    assert (answer.source, answer.outcome, answer.address) == ("query", "acted", None)
    assert answer.reference == desk.payment.reference == f"pi_{desk.payment.pk.hex}"
    assert story_of(desk.order)[-2:] == [("provider_asked", "created"), ("payment.succeeded", "delivered")]
    assert desk.call_back().status == 200
    assert outcomes(desk.order) == ["acted", "nothing"]
    assert_credited_once(desk)


def test_query__after_the_callback_credits_nothing_more(desk: Desk) -> None:
    desk.pay()
    with transaction.atomic():
        request_query(desk.order, actor="operator:anna", reason="the player complains")
    assert desk.call_back().status == 200
    run = Run("query_payments")
    query_due(run)
    assert (run.looked_at, outcomes(desk.order)) == (1, ["acted", "nothing"])
    assert_credited_once(desk)


def test_query__asked_twice_answers_twice_and_acts_once(desk: Desk) -> None:
    assert (desk.ask().done, desk.ask().done) == (0, 0)
    [answer] = Callback.objects.filter(order=desk.order)
    assert (answer.outcome, answer.times_seen) == ("nothing", 2)
    desk.untouched()
    assert desk.why().endswith("UTC: not paid (open).")
    desk.pay()
    assert desk.ask().done == 1
    assert_credited_once(desk)
    with transaction.atomic(), pytest.raises(NotAskable):
        request_query(desk.order, actor="operator:anna", reason="again")


def test_query__and_its_callback_at_once_credit_once(desk: Desk) -> None:
    desk.pay()
    with transaction.atomic():
        request_query(desk.order, actor="operator:anna", reason="the player complains")
    start = Barrier(2)

    def at_once(work: Any) -> None:
        try:
            start.wait(10)
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(at_once, desk.call_back),
            pool.submit(at_once, lambda: query_due(Run("query_payments"))),
        ]
        assert [one.result(20) for one in both] == [None, None]
    assert sorted(outcomes(desk.order)) == ["acted", "nothing"]
    assert_credited_once(desk)


def test_query__another_amount_contradicts_as_its_callback_does(desk: Desk) -> None:
    desk.pay(amount_total=3_99)
    assert desk.ask().done == 0
    desk.untouched()
    [answer] = Callback.objects.filter(order=desk.order)
    assert (answer.outcome, answer.problem) == ("contradicts", "the amount is not the order's price")
    slug = desk.fake_provider.provider.slug
    assert desk.why() == f"Not paid: an answer of {slug} named 3.99 EUR instead of 4.99 EUR."
    assert desk.call_back().status == 422
    desk.untouched()
    # Two people may take it as the payment all the same, and the audit replays that.
    accept_callback(desk.order.pk, answer.pk, actor="operator:bert")
    assert fresh(desk.order).paid_at
    assert difference(fresh(desk.order)) == ""


@pytest.mark.parametrize(
    ("mishap", "told"),
    [
        ("hang", "no answer: the connection failed or the time-out was reached"),
        (says(500, {"error": {"message": "down"}}), "status 500: down"),
        (says(200, b"<html>"), "status 200, and no answer that can be read"),
        (says(200, {"id": "cs_test_000001"}), "an answer that cannot be read"),
        (says(200, {"id": "cs_test_999999", "livemode": False, **PAID}), "an answer that cannot be read"),
        (refuses(404, "invalid_request_error", "No such session"), "status 404: No such session"),
    ],
)
def test_query__without_an_answer_moves_nothing_and_says_so(desk: Desk, mishap: Any, told: str) -> None:
    desk.pay()
    desk.fake.mishaps = [desk.fake.hang if mishap == "hang" else mishap]
    assert desk.ask().done == 0
    desk.untouched()
    assert outcomes(desk.order) == []
    assert desk.payment.query_due_at is None
    assert f"no answer ({told}" in desk.why()
    assert story_of(desk.order)[-1] == ("provider_unanswered", "created")
    # Asked again, it is there.
    assert desk.ask().done == 1
    assert_credited_once(desk)


def test_query__answer_about_another_order_is_none(desk: Desk) -> None:
    desk.pay(metadata={"wallet_order_id": str(uuid.uuid4())})
    assert desk.ask().done == 0
    desk.untouched()
    assert outcomes(desk.order) == []
    assert "no answer (it answered about another order)" in desk.why()


def test_query__of_two_payments_asks_about_both(desk: Desk) -> None:
    start_payment(desk.order, desk.fake_provider.provider.slug, BASE)
    desk.pay()
    run = desk.ask()
    assert (run.looked_at, run.done) == (2, 1)
    assert payments_of(desk.order) == [("paid", False), ("started", False)]
    assert difference(fresh(desk.order)) == ""


def test_query__is_for_providers_that_can_be_asked(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    with transaction.atomic(), pytest.raises(NotAskable):
        request_query(order, actor="operator:anna", reason="no answer is to be had")
    assert story_of(order)[-1][0] == "started"
