"""Stripe from the checkout to the ledger.

What is paid there, given back and disputed, told in any order and more than once.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from lib.clock import now
from payments.checkout.payments import start_payment
from payments.models import Callback, Order, Payment, Refund
from payments.providers.adapters import ADAPTERS
from payments.providers.protocol import ProviderUnavailable
from payments.providers.signing_secrets import replace_api_secret
from payments.providers.stripe_checkout.checkout import StripeCheckout
from payments.refunds.operations import request_refund
from payments.refunds.worker import lease
from tests.support.callers import Answer, holding
from tests.support.fake_stripe import FakeStripe, Reply, fake_stripe, says
from tests.support.invariants import problems_of
from tests.support.order_replay import difference
from tests.support.owned import owned
from tests.support.refunds import settle_one
from tests.support.shop import (
    BASE,
    FakeProvider,
    ShopSetup,
    fresh,
    make_provider,
    outcomes,
    payments_of,
    refunds_of,
    story_of,
)
from tests.support.stripe_events import recorded, signed
from wallet.models import Alert

# The time of the recordings.
START = 1_730_000_000


@dataclass
class Counter:
    """A provider that speaks to a fake Stripe, and the events that this posts."""

    shop_setup: ShopSetup
    fake_provider: FakeProvider
    fake: FakeStripe

    def order(self, product: str = "gold") -> Order:
        return self.shop_setup.order(product=product, fake_provider=self.fake_provider)

    def post(self, event: dict[str, Any], secret: str | None = None) -> Answer:
        body = json.dumps(event).encode()
        return self.fake_provider.post(
            body, {"Stripe-Signature": signed(body, secret or self.fake_provider.secret)}
        )

    def session(self, name: str, order: Order, nth: int = 0, **changes: Any) -> dict[str, Any]:
        """An event about the session of an order's payment, the first one unasked."""
        payment = list(Payment.objects.filter(order=order).order_by("pk"))[nth]
        ids = {"wallet_order_id": str(order.pk), "wallet_payment_id": str(payment.pk)}
        known = {
            "id": payment.start_reference,
            "metadata": ids,
            "client_reference_id": str(order.pk),
            "payment_intent": intent_of(payment),
        }
        return recorded(name, **known | {"amount_total": order.price} | changes)

    def charge(self, order: Order, total: int, nth: int = 0) -> dict[str, Any]:
        """An event that `total` cents have gone back in all."""
        payment = list(Payment.objects.filter(order=order).order_by("pk"))[nth]
        return recorded(
            "charge_refunded",
            payment_intent=intent_of(payment),
            amount_refunded=total,
            metadata={"wallet_order_id": str(order.pk)},
        )

    def dispute(self, name: str, order: Order, **changes: Any) -> dict[str, Any]:
        """An event about the one dispute of an order."""
        payment = Payment.objects.filter(order=order).order_by("pk")[0]
        return recorded(
            name,
            **{"id": f"dp_{order.pk.hex}", "payment_intent": intent_of(payment), "amount": order.price}
            | changes,
        )

    def paid(self, product: str = "gold") -> Order:
        order = self.order(product)
        assert self.post(self.session("completed_paid", order)).status == 200
        return self.known(order)

    def known(self, order: Order) -> Order:
        """Stripe knows of what was paid, too."""
        for payment in Payment.objects.filter(order=order, state=Payment.State.PAID):
            self.fake.paid[payment.reference] = order.price
        return fresh(order)

    def tells(self, *events: dict[str, Any]) -> list[int]:
        return [self.post(event).status for event in events]


def intent_of(payment: Payment) -> str:
    return f"pi_{payment.pk.hex}"


@pytest.fixture
def counter(shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    fake_provider = make_provider("stripe", f"whsec_{uuid.uuid4().hex}", page_url="", timeout_seconds=2)
    with fake_stripe() as fake:
        fake.key = f"sk_test_{uuid.uuid4().hex}"
        replace_api_secret(fake_provider.provider, fake.key, actor="test")
        monkeypatch.setitem(ADAPTERS, "stripe", StripeCheckout(fake.url))
        yield Counter(shop_setup, fake_provider, fake)


def funds(order: Order) -> tuple[int, int]:
    """The player's spendable credit and debt."""
    held = holding(order.player)
    return held.spendable, held.debt


# --- Payments -------------------------------------------------------------------------------------------


def test_stripe_payment__paid_session_credits_once(counter: Counter) -> None:
    order = counter.order()
    event = counter.session("completed_paid", order)
    again = counter.session("completed_paid", order)
    assert counter.tells(event, event, again) == [200, 200, 200]
    payment = Payment.objects.get(order=order)
    assert (payment.state, payment.start_reference, payment.reference) == (
        "paid",
        "cs_test_000001",
        intent_of(payment),
    )
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))
    assert problems_of(order.player) == []


def test_stripe_payment__delayed_one_counts_on_arrival(counter: Counter) -> None:
    order = counter.order()
    assert counter.tells(counter.session("completed_unpaid", order)) == [200]
    assert (fresh(order).state, funds(order)) == ("created", (0, 0))
    assert counter.tells(counter.session("async_payment_succeeded", order)) == [200]
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))


def test_stripe_payment__delayed_fails_order_and_next_one_pays(counter: Counter) -> None:
    order = counter.order()
    assert counter.tells(
        counter.session("completed_unpaid", order), counter.session("async_payment_failed", order)
    ) == [200, 200]
    assert (fresh(order).state, payments_of(order)) == ("failed", [("failed", False)])
    start_payment(fresh(order), counter.fake_provider.provider.slug, BASE)
    assert counter.tells(counter.session("completed_paid", order, 1)) == [200]
    assert (fresh(order).state, payments_of(order), funds(order)) == (
        "delivered",
        [("failed", False), ("paid", False)],
        (500_00, 0),
    )


def test_stripe_session__expired_does_not_fail_a_retried_order(counter: Counter) -> None:
    order = counter.order()
    start_payment(order, counter.fake_provider.provider.slug, BASE)
    assert counter.tells(counter.session("expired", order)) == [200]
    assert (fresh(order).state, payments_of(order)) == ("created", [("started", False), ("started", False)])
    assert counter.tells(counter.session("completed_paid", order, 1)) == [200]
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))


def test_stripe_session__two_paid_ones_credit_once(counter: Counter) -> None:
    order = counter.order()
    start_payment(order, counter.fake_provider.provider.slug, BASE)
    assert counter.tells(
        counter.session("completed_paid", order), counter.session("completed_paid", order, 1)
    ) == [200, 200]
    assert (payments_of(order), outcomes(order), funds(order)) == (
        [("paid", False), ("paid", True)],
        ["acted", "duplicate"],
        (500_00, 0),
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"id": "cs_test_another"}, 422),
        ({"amount_total": 4_98}, 422),
        ({"currency": "jpy"}, 422),
        ({"payment_status": "no_payment_required"}, 422),
        ({"payment_intent": None}, 422),
        ({"metadata": {"wallet_order_id": str(uuid.uuid4())}}, 404),
        ({"metadata": {}}, 200),
    ],
)
def test_stripe_payment__contradicting_the_order_moves_nothing(
    counter: Counter, changes: dict[str, Any], status: int
) -> None:
    order = counter.order()
    assert counter.tells(counter.session("completed_paid", order, **changes)) == [status]
    assert (fresh(order).state, payments_of(order), funds(order)) == ("created", [("started", False)], (0, 0))


def test_stripe_event__other_mode_is_on_operators_list(counter: Counter) -> None:
    order = counter.order()
    event = counter.session("completed_paid", order) | {"livemode": True}
    assert counter.tells(event) == [422]
    stored = Callback.objects.get(message_id=event["id"])
    assert (stored.outcome, stored.problem) == (
        "contradicts",
        "it is not of the test mode that this provider is in",
    )
    assert (fresh(order).state, funds(order)) == ("created", (0, 0))


def test_stripe_secret__of_another_provider_does_not_pass(counter: Counter, shop_setup: ShopSetup) -> None:
    order = counter.order()
    another = make_provider("stripe", f"whsec_{uuid.uuid4().hex}")
    event = counter.session("completed_paid", order)
    assert [
        counter.post(event, secret).status for secret in (another.secret, shop_setup.webhooks.secret)
    ] == [
        401,
        401,
    ]
    assert (fresh(order).state, Callback.objects.filter(message_id=event["id"]).count()) == ("created", 0)


def test_stripe_session__failed_start_can_be_made_again(counter: Counter) -> None:
    order = counter.shop_setup.order(start=False)
    counter.fake.mishaps = [says(500, b"")]
    with pytest.raises(ProviderUnavailable):
        start_payment(order, counter.fake_provider.provider.slug, BASE)
    assert start_payment(order, counter.fake_provider.provider.slug, BASE).reference == "cs_test_000001"
    assert payments_of(order) == [("unstarted", False), ("started", False)]


@pytest.mark.parametrize("is_first", [True, False])
def test_stripe_session__of_two_clicks_the_successful_one_counts(counter: Counter, is_first: bool) -> None:
    order, slug = counter.shop_setup.order(start=False), counter.fake_provider.provider.slug

    def click_again(answer: Callable[[], Reply]) -> Reply:
        counter.fake.mishaps = [says(500, b"")] if is_first else []
        aside(lambda: start_payment(order, slug, BASE))
        return answer() if is_first else (400, {"error": {"type": "invalid_request_error", "message": "No."}})

    counter.fake.mishaps = [click_again]
    if is_first:
        start_payment(order, slug, BASE)
    else:
        with pytest.raises(ProviderUnavailable):
            start_payment(order, slug, BASE)
    payment = Payment.objects.get(order=order)
    assert (payment.state, payment.start_reference, payment.problem) == ("started", "cs_test_000001", "")
    assert counter.tells(counter.session("completed_paid", order)) == [200]
    assert fresh(order).state == "delivered"


def aside(act: Callable[[], object]) -> None:
    """Does something in another thread, with a connection of its own, and waits for its end."""

    def run() -> None:
        try:
            with suppress(ProviderUnavailable):
                act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


# --- Refunds: Stripe tells how much has gone back in all ------------------------------------------------


@pytest.mark.parametrize(
    ("totals", "refunds"),
    [
        ([1_00], [1_00]),
        ([1_00, 3_00], [1_00, 2_00]),
        ([1_00, 3_00, 4_99], [1_00, 2_00, 1_99]),
        ([3_00, 1_00], [3_00]),
        ([3_00, 1_00, 4_99], [3_00, 1_99]),
        ([1_00, 1_00], [1_00]),
        ([4_99, 4_99], [4_99]),
        ([0], []),
    ],
)
@pytest.mark.parametrize("is_early", [False, True])
def test_stripe_refund__totals_in_any_order_book_what_went_back(
    counter: Counter, totals: list[int], refunds: list[int], is_early: bool
) -> None:
    order = counter.order() if is_early else counter.paid()
    assert counter.tells(*[counter.charge(order, total) for total in totals]) == [200] * len(totals)
    state = "remembered" if is_early else "done"
    assert refunds_of(order) == [("refund", state, amount) for amount in refunds]
    if is_early:
        assert counter.tells(counter.session("completed_paid", order)) == [200]
    gone = max(totals)
    assert fresh(order).refunded == gone
    assert fresh(order).state == ("refunded" if gone == 4_99 else "delivered")
    assert funds(order) == (500_00 - 500_00 * gone // 4_99, 0)
    assert problems_of(order.player) == []


def test_stripe_refund__never_returns_more_than_was_paid(counter: Counter) -> None:
    order = counter.paid()
    assert counter.tells(counter.charge(order, 5_00)) == [422]
    assert (fresh(order).refunded, funds(order)) == (0, (500_00, 0))


def asked(order: Order, amount: int) -> Refund:
    """A refund initiated by us, under way."""
    return request_refund(order.pk, amount, actor="operator", reason="test")


def settle(refund: Refund) -> bool:
    """Asks Stripe, as the sweep does when it is time."""
    Refund.objects.filter(pk=refund.pk).update(next_attempt_at=now(), leased_until=None)
    [(row, is_first)] = lease(now(), only=refund.pk)
    return settle_one(row, is_first=is_first)


def test_stripe_refund__ours_is_booked_once_whoever_tells_first(counter: Counter) -> None:
    order = counter.paid()
    refund = asked(order, 1_00)
    assert settle(refund)
    assert counter.tells(counter.charge(order, 1_00)) == [200]
    assert refunds_of(order) == [("refund", "done", 1_00)]
    assert Refund.objects.get(pk=refund.pk).reference in counter.fake.refunds
    second = asked(order, 2_00)
    counter.fake.next_status = "pending"
    assert not settle(second)
    assert counter.tells(counter.charge(order, 3_00)) == [200]
    assert refunds_of(order) == [("refund", "done", 1_00), ("refund", "done", 2_00)]
    assert (fresh(order).refunded, len(counter.fake.refunds), funds(order)) == (
        3_00,
        2,
        (500_00 - 500_00 * 3_00 // 4_99, 0),
    )
    assert problems_of(order.player) == []


@pytest.mark.parametrize("theirs", [50, 1_00, 1_50])
def test_stripe_refund__dashboard_one_before_ours_replays(counter: Counter, theirs: int) -> None:
    order = counter.paid()
    assert counter.tells(counter.charge(order, theirs)) == [200]
    assert settle(asked(order, 1_00))
    assert counter.tells(counter.charge(order, theirs + 1_00)) == [200]
    assert refunds_of(order) == [("refund", "done", theirs), ("refund", "done", 1_00)]
    assert difference(order) == ""


def test_stripe_refund__lost_answer_is_queried_and_made_once(counter: Counter) -> None:
    order = counter.paid()
    refund = asked(order, 4_99)
    counter.fake.mishaps = [counter.fake.hang]
    assert not settle(refund)
    assert (refunds_of(order), counter.fake.refunds) == ([("refund", "unknown", 4_99)], {})
    counter.fake.mishaps = [says(503, b"")]
    assert not settle(refund)
    # Stripe never heard of it: it is asked for again, and its answer is lost once more.
    counter.fake.mishaps = [lambda answer: answer(), counter.fake.hang_after]
    assert not settle(refund)
    assert settle(refund)
    assert (refunds_of(order), len(counter.fake.refunds), fresh(order).state) == (
        [("refund", "done", 4_99)],
        1,
        "refunded",
    )
    assert (funds(order), problems_of(order.player)) == ((0, 0), [])


def test_stripe_refund__refused_by_stripe_gives_the_credit_back(counter: Counter) -> None:
    order = counter.paid()
    counter.fake.paid.clear()
    refund = asked(order, 1_00)
    assert funds(order) == (399_80, 0)
    assert settle(refund)
    row = Refund.objects.get(pk=refund.pk)
    assert (row.state, row.problem) == (
        "refused",
        f"status 404: No such payment_intent: '{intent_of(Payment.objects.get(order=order))}'",
    )
    assert (funds(order), fresh(order).refunded) == ((500_00, 0), 0)


@pytest.mark.parametrize("is_ordered", [True, False])
def test_stripe_refund__dashboard_one_is_told_apart_from_ours(counter: Counter, is_ordered: bool) -> None:
    order = counter.paid()
    refund = asked(order, 1_00)
    counter.fake.mishaps = [counter.fake.hang_after]
    assert not settle(refund)
    theirs, both = counter.charge(order, 50), counter.charge(order, 1_50)
    if is_ordered:
        assert counter.tells(theirs, both) == [200, 422]
    else:
        assert counter.tells(both) == [422]
        assert refunds_of(order) == [("refund", "unknown", 1_00)]
    # Of 1.50 nobody can say whether ours is in it: Stripe tells it again, and then it is clear.
    assert settle(refund)
    assert counter.tells(both, theirs) == [200, 200]
    assert sorted(refunds_of(order)) == [("refund", "done", 50), ("refund", "done", 1_00)]
    assert (fresh(order).refunded, funds(order)) == (1_50, (500_00 - 500_00 * 1_50 // 4_99, 0))
    assert Callback.objects.filter(order=order, outcome="contradicts", resolved_at=None).count() == 0
    assert problems_of(order.player) == []


def test_stripe_refund__that_a_total_ended_before_it_had_to_have_a_name_is_replayed(
    counter: Counter,
) -> None:
    order = counter.paid()
    refund = asked(order, 1_00)
    assert settle(refund)
    assert counter.tells(counter.charge(order, 1_00)) == [200]
    total = Callback.objects.filter(order=order).latest("received_at")
    owned(Callback).filter(pk=total.pk).update(outcome="acted")
    owned(Refund).filter(pk=refund.pk).update(
        reference="", ended_at=total.received_at, told_at=None, made_at=None
    )
    assert difference(order) == ""


def test_stripe_refund__of_one_payment_does_not_end_another_ones(counter: Counter) -> None:
    order = counter.order()
    start_payment(order, counter.fake_provider.provider.slug, BASE)
    assert counter.tells(
        counter.session("completed_paid", order), counter.session("completed_paid", order, 1)
    ) == [200, 200]
    counter.known(order)
    ours = asked(order, 4_99)
    counter.fake.mishaps = [counter.fake.hang]
    assert not settle(ours)
    assert counter.tells(counter.charge(order, 4_99, 0)) == [200]
    # The duplicate keeps the price: the credit stands (contract 4.2, rule 6).
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))
    assert refunds_of(order) == [("refund", "unknown", 4_99), ("refund", "done", 4_99)]
    both = counter.charge(order, 4_99, 1)
    assert counter.tells(both) == [422]
    assert settle(ours)
    assert counter.tells(both) == [200]
    assert refunds_of(order) == [("refund", "done", 4_99), ("refund", "done", 4_99)]
    assert problems_of(order.player) == []


@pytest.mark.parametrize("is_named_first", [True, False])
def test_stripe_refund__dashboard_one_as_large_as_ours_is_counted_once(
    counter: Counter, *, is_named_first: bool
) -> None:
    order = counter.paid()
    ours = asked(order, 2_00)
    counter.fake.mishaps = [counter.fake.hang]
    assert not settle(ours)
    total, named = counter.charge(order, 2_00), refund_event("refund.created", order, "succeeded", 2_00)
    told = [named, total] if is_named_first else [total, named]
    assert counter.tells(*told) == ([200, 200] if is_named_first else [422, 200])
    # Stripe never took ours, and does not take it now.
    counter.fake.paid.clear()
    assert settle(ours)
    assert counter.tells(total) == [200]
    assert sorted(refunds_of(order)) == [("refund", "done", 2_00), ("refund", "refused", 2_00)]
    assert (fresh(order).refunded, funds(order)) == (2_00, (500_00 - 500_00 * 2_00 // 4_99, 0))
    assert Callback.objects.filter(order=order, outcome="contradicts", resolved_at=None).count() == 0
    assert (problems_of(order.player), difference(order)) == ([], "")


def test_stripe_refund__of_ours_takes_the_place_of_what_stood_for_it(counter: Counter) -> None:
    order = counter.paid()
    assert counter.tells(counter.charge(order, 2_00) | {"created": START + 10}) == [200]
    ours = asked(order, 2_00)
    counter.fake.mishaps = [counter.fake.hang_after]
    assert not settle(ours)
    # Theirs failed, and in a later total ours is as much: the total is told first.
    total = counter.charge(order, 2_00) | {"created": START + 30}
    assert counter.tells(total, refund_event("refund.failed", order, "failed", 2_00)) == [200, 200]
    assert fresh(order).refunded == 2_00
    (made,) = counter.fake.refunds.values()
    made["created"] = START + 30
    assert settle(ours)
    ends = [("refund", "done", 2_00), ("refund", "replaced", 2_00), ("refund", "unmoved", 2_00)]
    assert sorted(refunds_of(order)) == ends
    assert (fresh(order).refunded, funds(order)) == (2_00, (500_00 - 500_00 * 2_00 // 4_99, 0))
    assert (problems_of(order.player), difference(order)) == ([], "")


@pytest.mark.parametrize("theirs", [50, 1_00, 3_00])
def test_stripe_refund__dashboard_one_before_ours_was_sent_replays(counter: Counter, theirs: int) -> None:
    order = counter.paid()
    ours = asked(order, 1_00)
    assert counter.tells(counter.charge(order, theirs)) == [200]
    assert settle(ours)
    assert counter.tells(counter.charge(order, theirs + 1_00)) == [200]
    assert sorted(refunds_of(order)) == sorted([("refund", "done", theirs), ("refund", "done", 1_00)])
    assert (problems_of(order.player), difference(order)) == ([], "")


def test_stripe_refund__of_ours_that_failed_is_not_gone_by_a_clock_that_is_behind(counter: Counter) -> None:
    order = counter.paid()
    ours = asked(order, 1_00)
    counter.fake.next_status = "failed"
    assert settle(ours)
    assert funds(order) == (500_00, 0)
    # Its total is told as of a minute later than the look.
    later = int(now().timestamp()) + 60
    (id,) = counter.fake.refunds
    total = counter.charge(order, 1_00) | {"created": later}
    ids = {"wallet_refund_id": str(ours.pk), "wallet_order_id": str(order.pk)}
    failed = refund_event("refund.failed", order, "failed", 1_00, at=later + 1 - START, id=id, metadata=ids)
    assert counter.tells(total, failed) == [200, 200]
    assert (fresh(order).refunded, funds(order)) == (0, (500_00, 0))
    assert (problems_of(order.player), difference(order)) == ([], "")


@pytest.mark.parametrize("name", ["refund_failed", "dispute_created", "dispute_closed_won"])
def test_stripe_return__of_nothing_is_nothing_to_do(counter: Counter, name: str) -> None:
    order = counter.paid()
    payment = Payment.objects.get(order=order)
    assert counter.tells(recorded(name, payment_intent=intent_of(payment), amount=0)) == [200]
    assert (refunds_of(order), funds(order)) == ([], (500_00, 0))


def refund_event(kind: str, order: Order, status: str, amount: int, **changes: Any) -> dict[str, Any]:
    """An event about a refund of an order's first payment, made at second 10 past the recordings' time."""
    at, named = changes.pop("at", 20), {"id": f"re_{order.pk.hex}"}
    intent = intent_of(Payment.objects.filter(order=order).order_by("pk")[0])
    about = {"payment_intent": intent, "amount": amount, "status": status, "created": START + 10}
    return recorded("refund_failed", **named | about | changes) | {"type": kind, "created": START + at}


def test_stripe_refund__that_fails_gives_the_credit_back_and_is_told(counter: Counter) -> None:
    order = counter.paid()
    total = counter.charge(order, 1_00) | {"created": START + 10}
    done = refund_event("refund.updated", order, "succeeded", 1_00)
    assert counter.tells(total, done) == [200, 200]
    assert (refunds_of(order), funds(order)) == ([("refund", "done", 1_00)], (399_80, 0))
    failed = refund_event("refund.failed", order, "failed", 1_00, at=90)
    again = refund_event("charge.refund.updated", order, "failed", 1_00, at=90)
    assert counter.tells(failed, again, failed, done) == [200, 200, 200, 200]
    assert (refunds_of(order), funds(order)) == ([("refund", "reversed", 1_00)], (500_00, 0))
    assert (fresh(order).state, fresh(order).refunded) == ("delivered", 0)
    refund = Refund.objects.get(order=order)
    alert = Alert.objects.get(kind="return_changed", subject=str(refund.pk))
    assert alert.text.startswith(f"Order {order.pk}: refund re_{order.pk.hex} failed or was canceled")
    assert (problems_of(order.player), difference(order)) == ([], "")


def test_stripe_refund__that_fails_after_the_credit_was_spent_ends_the_debt(counter: Counter) -> None:
    player_session = counter.shop_setup.player_session()
    order = counter.shop_setup.order(player_session, fake_provider=counter.fake_provider)
    assert counter.tells(counter.session("completed_paid", order)) == [200]
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "500.00"))
    assert counter.tells(refund_event("refund.updated", order, "succeeded", 4_99)) == [200]
    assert (fresh(order).state, funds(order)) == ("refunded", (0, 500_00))
    assert counter.tells(refund_event("refund.failed", order, "failed", 4_99, at=90)) == [200]
    assert (fresh(order).state, funds(order)) == ("delivered", (0, 0))
    assert (problems_of(order.player), difference(order)) == ([], "")


@pytest.mark.parametrize("status", ["failed", "canceled"])
@pytest.mark.parametrize("before", ["pending", "succeeded"])
def test_stripe_refund__of_ours_that_fails_gives_the_credit_back(
    counter: Counter, before: str, status: str
) -> None:
    order = counter.paid()
    refund = asked(order, 1_00)
    counter.fake.next_status = before
    assert settle(refund) is (before == "succeeded")
    assert funds(order) == (399_80, 0)
    (id,) = counter.fake.refunds
    ids = {"wallet_refund_id": str(refund.pk), "wallet_order_id": str(order.pk)}
    failed = refund_event("refund.updated", order, status, 1_00, id=id, metadata=ids)
    assert counter.tells(failed) == [200]
    state = "reversed" if before == "succeeded" else "refused"
    assert (refunds_of(order), funds(order)) == ([("refund", state, 1_00)], (500_00, 0))
    assert (problems_of(order.player), difference(order)) == ([], "")
    # It can be requested again.
    assert settle(asked(order, 1_00)) is (before == "succeeded")


def test_stripe_refund__booked_before_totals_were_kept_can_fail(counter: Counter) -> None:
    order = counter.order()
    # As the version before wrote it.
    Refund.objects.create(
        order=order,
        provider=counter.fake_provider.provider,
        kind="refund",
        state="remembered",
        amount=1_00,
        payment_reference=intent_of(Payment.objects.get(order=order)),
        actor="provider:stripe",
        created_at=now(),
    )
    with connection.cursor() as cursor:
        cursor.execute(import_module("payments.migrations.0007_returns_as_told").TOTALS)
    assert counter.tells(counter.session("completed_paid", order)) == [200]
    assert funds(order) == (399_80, 0)
    later = int(now().timestamp()) + 60 - START
    assert counter.tells(refund_event("refund.failed", order, "failed", 1_00, at=later)) == [200]
    assert (refunds_of(order), funds(order)) == ([("refund", "reversed", 1_00)], (500_00, 0))
    assert problems_of(order.player) == []


def test_stripe_refund__of_a_payment_that_is_not_known_is_on_the_list(counter: Counter) -> None:
    event = recorded("refund_failed")
    assert counter.tells(event) == [404]
    assert Callback.objects.get(message_id=event["id"]).outcome == "no_order"


def test_stripe_refund__named_ones_take_the_place_of_a_total(counter: Counter) -> None:
    order = counter.paid()
    total = counter.charge(order, 3_00) | {"created": START + 15}
    first = refund_event("refund.created", order, "succeeded", 1_00, id=f"re_1_{order.pk.hex}")
    second = refund_event("refund.created", order, "succeeded", 2_00, id=f"re_2_{order.pk.hex}")
    assert counter.tells(total, first, second) == [200, 200, 200]
    assert sorted(refunds_of(order)) == [
        ("refund", "done", 1_00),
        ("refund", "done", 2_00),
        ("refund", "replaced", 3_00),
    ]
    assert (fresh(order).refunded, funds(order)) == (3_00, (500_00 - 500_00 * 3_00 // 4_99, 0))
    assert (problems_of(order.player), difference(order)) == ([], "")


def test_stripe_duplicate__of_which_the_first_is_refunded_is_off_the_list(counter: Counter) -> None:
    order = counter.order()
    start_payment(order, counter.fake_provider.provider.slug, BASE)
    first, second = counter.session("completed_paid", order), counter.session("completed_paid", order, 1)
    assert counter.tells(first, second) == [200, 200]
    listed = Callback.objects.filter(order=order, outcome="duplicate", resolved_at=None)
    assert listed.count() == 1
    done = refund_event("refund.updated", order, "succeeded", 4_99)
    assert counter.tells(done) == [200]
    assert (fresh(order).state, funds(order), listed.count()) == ("delivered", (500_00, 0), 0)
    failed = refund_event("refund.failed", order, "failed", 4_99, at=90)
    assert counter.tells(failed) == [200]
    assert (fresh(order).state, funds(order), listed.count()) == ("delivered", (500_00, 0), 1)
    assert (problems_of(order.player), difference(order)) == ([], "")


# --- Disputes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [["dispute_created"], ["dispute_funds_withdrawn"], ["dispute_created", "dispute_funds_withdrawn"]],
)
@pytest.mark.parametrize(
    "ends",
    [
        ["dispute_closed_won"],
        ["dispute_funds_reinstated"],
        ["dispute_funds_reinstated", "dispute_closed_won"],
    ],
)
def test_stripe_dispute__takes_credit_once_won_one_gives_it_once(
    counter: Counter, names: list[str], ends: list[str]
) -> None:
    order = counter.paid()
    assert counter.tells(*[counter.dispute(name, order) for name in [*names, "dispute_updated"]]) == [200] * (
        len(names) + 1
    )
    assert (fresh(order).state, refunds_of(order), funds(order)) == (
        "charged_back",
        [("charge_back", "done", 4_99)],
        (0, 0),
    )
    assert counter.tells(*[counter.dispute(name, order) for name in ends]) == [200] * len(ends)
    assert (fresh(order).state, refunds_of(order), funds(order)) == (
        "delivered",
        [("charge_back", "reversed", 4_99)],
        (500_00, 0),
    )
    assert [what for what, _ in story_of(order)].count("charge_back") == 1
    assert problems_of(order.player) == []


def test_stripe_dispute__lost_one_stays_charged_back(counter: Counter) -> None:
    order = counter.paid()
    assert counter.tells(
        counter.dispute("dispute_created", order), counter.dispute("dispute_closed_lost", order)
    ) == [200, 200]
    assert (fresh(order).state, funds(order)) == ("charged_back", (0, 0))


@pytest.mark.parametrize("status", ["won", "warning_closed", "prevented"])
def test_stripe_dispute__lost_after_it_let_go_takes_the_credit_again(counter: Counter, status: str) -> None:
    order = counter.paid()
    created = counter.dispute("dispute_created", order)
    closed = counter.dispute("dispute_closed_won", order, status=status)
    lost = counter.dispute("dispute_closed_lost", order) | {"created": START + 900}
    assert counter.tells(created, closed) == [200, 200]
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))
    assert counter.tells(lost, closed, created) == [200, 200, 200]
    assert (fresh(order).state, refunds_of(order), funds(order)) == (
        "charged_back",
        [("charge_back", "done", 4_99)],
        (0, 0),
    )
    refund = Refund.objects.get(order=order)
    assert Alert.objects.filter(kind="return_changed", subject=str(refund.pk), resolved_at=None).exists()
    won = counter.dispute("dispute_closed_won", order) | {"created": START + 950}
    assert counter.tells(won) == [200]
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))
    assert (problems_of(order.player), difference(order)) == ([], "")


@pytest.mark.parametrize(("status", "state"), [("lost", "charged_back"), ("won", "delivered")])
@pytest.mark.parametrize("is_ordered", [True, False])
def test_stripe_dispute__two_ends_of_one_second_are_decided_by_a_look(
    counter: Counter, status: str, state: str, *, is_ordered: bool
) -> None:
    order = counter.paid()
    ends = [
        counter.dispute(f"dispute_closed_{end}", order) | {"created": START + 500} for end in ("won", "lost")
    ]
    first, second = ends if is_ordered else reversed(ends)
    # Nobody answers: a person has to look.
    assert counter.tells(first, second) == [200, 422]
    listed = Callback.objects.filter(order=order, outcome="contradicts", resolved_at=None)
    assert [row.problem for row in listed.all()] == ["two words of the same second about it differ"]
    id = f"dp_{order.pk.hex}"
    counter.fake.objects[id] = {"id": id, "object": "dispute", "status": status}
    assert counter.tells(second, first, second) == [200, 200, 200]
    assert (fresh(order).state, listed.count()) == (state, 0)
    assert funds(order) == ((0, 0) if status == "lost" else (500_00, 0))
    assert (problems_of(order.player), difference(order)) == ([], "")


def test_stripe_dispute__that_cannot_be_looked_at_now_is_asked_for_again(counter: Counter) -> None:
    order = counter.paid()
    ends = [
        counter.dispute(f"dispute_closed_{end}", order) | {"created": START + 500} for end in ("won", "lost")
    ]
    counter.fake.mishaps = [says(500, b"")]
    assert counter.tells(*ends) == [200, 503]
    listed = Callback.objects.filter(order=order, outcome="contradicts", resolved_at=None)
    assert (fresh(order).state, listed.count()) == ("delivered", 1)
    id = f"dp_{order.pk.hex}"
    counter.fake.objects[id] = {"id": id, "object": "dispute", "status": "lost"}
    assert counter.tells(ends[1]) == [200]
    assert (fresh(order).state, listed.count()) == ("charged_back", 0)


@pytest.mark.parametrize("name", ["dispute_created", "refund_failed"])
def test_stripe_return__of_another_product_is_nothing_to_do(counter: Counter, name: str) -> None:
    intent = f"pi_{uuid.uuid4().hex}"
    event = recorded(name, payment_intent=intent)
    assert counter.tells(event) == [404]
    listed = Callback.objects.filter(message_id=event["id"], outcome="no_order", resolved_at=None)
    assert listed.count() == 1
    counter.fake.objects[intent] = {"id": intent, "object": "payment_intent", "metadata": {"shop": "other"}}
    assert counter.tells(event, event) == [200, 200]
    assert listed.count() == 0


# What nobody here can read: a currency, an amount, a status.
UNREADABLE = [
    ("refund_failed", {"currency": "zzz"}),
    ("refund_failed", {"currency": "isk", "amount": 1_50}),
    ("refund_failed", {"status": "later"}),
    ("charge_refunded", {"currency": "zzz", "metadata": {}}),
    ("dispute_created", {"currency": "zzz"}),
    ("dispute_created", {"status": "later"}),
    ("dispute_funds_withdrawn", {"currency": "zzz"}),
    ("dispute_funds_reinstated", {"status": "lost"}),
]


@pytest.mark.parametrize(("name", "changes"), UNREADABLE)
def test_stripe_return__that_cannot_be_read_matters_if_it_is_of_an_order(
    counter: Counter, name: str, changes: dict[str, Any]
) -> None:
    intent = f"pi_{uuid.uuid4().hex}"
    event = recorded(name, payment_intent=intent, **changes)
    # Nobody can tell whose it is.
    assert counter.tells(event) == [422]
    listed = Callback.objects.filter(message_id=event["id"], outcome="contradicts", resolved_at=None)
    assert listed.count() == 1
    counter.fake.objects[intent] = {"id": intent, "object": "payment_intent", "metadata": {"shop": "other"}}
    assert counter.tells(event, event) == [200, 200]
    assert listed.count() == 0
    order = counter.paid()
    ours = recorded(name, payment_intent=intent_of(Payment.objects.get(order=order)), **changes)
    assert counter.tells(ours) == [422]
    assert (outcomes(order)[-1], refunds_of(order), funds(order)) == ("contradicts", [], (500_00, 0))


def test_stripe_dispute__before_its_payment_is_found_by_a_look(counter: Counter) -> None:
    order = counter.order()
    dispute = counter.dispute("dispute_created", order)
    intent = intent_of(Payment.objects.get(order=order))
    ids = {"wallet_order_id": str(order.pk)}
    counter.fake.objects[intent] = {"id": intent, "object": "payment_intent", "metadata": ids}
    assert counter.tells(dispute) == [200]
    assert refunds_of(order) == [("charge_back", "remembered", 4_99)]
    assert counter.tells(counter.session("completed_paid", order)) == [200]
    assert (fresh(order).state, funds(order)) == ("charged_back", (0, 0))
    assert (problems_of(order.player), difference(order)) == ([], "")


def test_stripe_inquiry__moves_nothing_until_it_is_a_dispute(counter: Counter) -> None:
    order = counter.paid()
    assert counter.tells(counter.dispute("inquiry_created", order)) == [200]
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))
    assert counter.tells(counter.dispute("dispute_funds_withdrawn", order)) == [200]
    assert (fresh(order).state, funds(order)) == ("charged_back", (0, 0))


def test_stripe_inquiry__closed_one_has_moved_nothing(counter: Counter) -> None:
    order = counter.paid()
    assert counter.tells(
        counter.dispute("inquiry_created", order), counter.dispute("inquiry_closed", order)
    ) == [200, 200]
    unmoved = [("charge_back", "unmoved", 4_99)]
    assert (fresh(order).state, refunds_of(order), funds(order)) == ("delivered", unmoved, (500_00, 0))


def test_stripe_dispute__before_its_payment_is_resent_and_counts(counter: Counter) -> None:
    order = counter.order()
    dispute = counter.dispute("dispute_created", order)
    assert counter.tells(dispute, dispute) == [404, 404]
    assert counter.tells(counter.session("completed_paid", order)) == [200]
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))
    assert counter.tells(dispute, dispute) == [200, 200]
    assert (fresh(order).state, funds(order)) == ("charged_back", (0, 0))
    # What was answered 404 is off the operators' list.
    rows = Callback.objects.filter(message_id=dispute["id"]).order_by("pk")
    assert [(row.outcome, row.resolved_at is not None) for row in rows] == [
        ("no_order", True),
        ("acted", False),
    ]


def test_stripe_reversal__before_its_dispute_counts_after_it(counter: Counter) -> None:
    order = counter.paid()
    won = counter.dispute("dispute_funds_reinstated", order)
    assert counter.tells(won, counter.dispute("dispute_created", order), won) == [200, 200, 200]
    assert (fresh(order).state, funds(order)) == ("delivered", (500_00, 0))
    assert problems_of(order.player) == []


def test_stripe_dispute__partial_one_takes_its_share(counter: Counter) -> None:
    order = counter.paid()
    assert counter.tells(counter.dispute("dispute_created", order, amount=1_00)) == [200]
    assert (fresh(order).charged_back, funds(order)) == (1_00, (399_80, 0))
    assert counter.tells(counter.dispute("dispute_funds_withdrawn", order, amount=4_99)) == [422]
    assert (fresh(order).charged_back, funds(order)) == (1_00, (399_80, 0))


def test_stripe_payment__of_unknown_session_is_found_by_order(counter: Counter) -> None:
    # The callback is quicker than the answer of the call that began it.
    order = counter.shop_setup.order(start=False)
    statuses: list[int] = []

    def pays_at_once(answer: Callable[[], Reply]) -> Reply:
        reply = answer()
        aside(
            lambda: statuses.append(
                counter.post(counter.session("completed_paid", order, id=reply[1]["id"])).status
            )
        )
        return reply

    counter.fake.mishaps = [pays_at_once]
    start_payment(order, counter.fake_provider.provider.slug, BASE)
    assert statuses == [200]
    assert (fresh(order).state, payments_of(order), funds(order)) == (
        "delivered",
        [("paid", False)],
        (500_00, 0),
    )


def test_stripe_session__repeated_start_goes_to_the_same_session(counter: Counter) -> None:
    order = counter.shop_setup.order(start=False)
    started = start_payment(order, counter.fake_provider.provider.slug, BASE)
    # As if the process had died before it wrote the answer down.
    Payment.objects.filter(order=order).update(start_reference="")
    assert start_payment(order, counter.fake_provider.provider.slug, BASE) == started
    assert (len(counter.fake.sessions), payments_of(order)) == (1, [("started", False)])
