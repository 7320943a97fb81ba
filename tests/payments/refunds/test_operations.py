"""Refunds initiated by us (contract 4.2, rule 6).

Set aside first, asked for once, asked about until somebody knows.
"""

import time
import uuid
from collections import Counter
from datetime import timedelta
from threading import Lock
from typing import Any
from uuid import UUID

import pytest

from lib.clock import now
from payments.models import Delivery, Order, OrderEvent, Provider, Refund
from payments.providers.adapters import ADAPTERS
from payments.providers.protocol import (
    ProviderConfig,
    ProviderUnavailable,
    RefundRequest,
    RefundResult,
    RefundStatus,
)
from payments.refunds.operations import NotRefundable, refundable, requery, request_refund
from payments.refunds.worker import LEASE, MOST_OF_A_PROVIDER, PAUSES, lease, record_result, settle_refunds
from tests.conftest import Clock
from tests.support.callers import Callers, Holding, PlayerSession, holding, unique
from tests.support.invariants import problems_of
from tests.support.owned import owned
from tests.support.refunds import settle_one
from tests.support.scripted_provider import Scripted
from tests.support.shop import (
    ShopSetup,
    event_body,
    fresh,
    make_shop_setup,
    new_reference,
    refunds_of,
    story_of,
)
from wallet.job_runs import Run
from wallet.models import Alert, Transaction

REASON = "the player asked"
UNKNOWN, REFUSED, NOT_FOUND = (
    RefundResult(RefundStatus.UNKNOWN, problem="a time-out"),
    RefundResult(RefundStatus.REFUSED, problem="too late"),
    RefundResult(RefundStatus.NOT_FOUND),
)


def done(reference: str | None = None) -> RefundResult:
    return RefundResult(RefundStatus.DONE, new_reference() if reference is None else reference)


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """What every provider of Standard Webhooks says in this test."""
    scripted = Scripted()
    monkeypatch.setitem(ADAPTERS, Provider.Scheme.STANDARD_WEBHOOKS, scripted)
    return scripted


def ask(order: Order, amount: int, **more: Any) -> Refund:
    return request_refund(order.pk, amount, actor="operator", reason=REASON, **more)


def settle(refund: Refund) -> None:
    """A worker's turn, where the refund is due."""
    for one, is_first in lease(now(), only=refund.pk):
        settle_one(one, is_first=is_first)


def later(refund: Refund) -> None:
    """The pause is over."""
    Refund.objects.filter(pk=refund.pk).update(next_attempt_at=now())


def look(refund: Refund) -> tuple[str, int, int]:
    """Its state, how often it was asked for or about, and what it took of the credit."""
    present = Refund.objects.get(pk=refund.pk)
    return present.state, present.times_asked, present.clawback


def aside(refund: Refund) -> str:
    """What has become of what was set aside for it."""
    assert refund.set_aside_transaction is not None
    return Transaction.objects.get(pk=refund.set_aside_transaction).state


def spend(player_session: PlayerSession, amount: str) -> None:
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", amount))


# --- A good end ---------------------------------------------------------------------------------------------


def test_refund__sets_credit_aside_before_asking_the_provider(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    # floor(500.00 * 1.00 / 4.99)
    assert (refund.set_aside, look(refund)) == (100_20, ("asked", 0, 0))
    assert (holding(order.player)[:4], fresh(order).refunded) == ((399_80, 100_20, 0, 0), 0)
    assert (aside(refund), bank.calls) == ("pending", [])
    assert problems_of(order.player) == []


def test_refund__done_at_once_by_the_provider(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    bank.words = [done("re_1")]
    settle(refund)
    wish = bank.asked[0][1]
    assert (wish.id, wish.order_id, wish.amount, wish.currency, bank.calls) == (
        refund.pk,
        order.pk,
        1_00,
        "EUR",
        ["refund"],
    )
    assert (look(refund), fresh(order).refunded, fresh(order).clawed_back, fresh(order).state) == (
        ("done", 1, 100_20),
        1_00,
        100_20,
        "delivered",
    )
    assert (holding(order.player)[:4], aside(refund)) == ((399_80, 0, 0, 0), "confirmed")
    assert story_of(order)[-2:] == [("refund_asked", "delivered"), ("refund", "delivered")]
    assert problems_of(order.player) == []
    settle(refund)
    assert bank.calls == ["refund"]


def test_refund_callback__after_the_answer_books_nothing_twice(shop_setup: ShopSetup, bank: Scripted) -> None:
    order, reference = shop_setup.paid(), new_reference()
    refund = ask(order, 1_00)
    bank.words = [done(reference)]
    settle(refund)
    held = holding(order.player)
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00", reference=reference).status == 200
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.01", reference=reference).status == 422
    assert (refunds_of(order), fresh(order).refunded, holding(order.player)) == (
        [("refund", "done", 1_00)],
        1_00,
        held,
    )


def test_refund_callback__before_the_answer_ends_the_refund(shop_setup: ShopSetup, bank: Scripted) -> None:
    order, reference = shop_setup.paid(), new_reference()
    refund = ask(order, 1_00)

    def quicker(wish: RefundRequest) -> RefundResult:
        assert shop_setup.webhooks.tell("payment.refunded", order, "1.00", reference=reference).status == 200
        return done(reference)

    bank.words = [quicker]
    settle(refund)
    assert (look(refund), refunds_of(order), fresh(order).refunded) == (
        ("done", 1, 100_20),
        [("refund", "done", 1_00)],
        1_00,
    )
    assert holding(order.player)[:4] == (399_80, 0, 0, 0)
    assert problems_of(order.player) == []


def test_refund_callback__other_amount_of_same_reference_is_422(
    shop_setup: ShopSetup, bank: Scripted
) -> None:
    order, reference = shop_setup.paid(), new_reference()
    refund = ask(order, 2_00)
    bank.words = [RefundResult(RefundStatus.UNKNOWN, reference)]
    settle(refund)
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00", reference=reference).status == 422
    assert (look(refund)[0], fresh(order).refunded) == ("unknown", 0)
    assert shop_setup.webhooks.tell("payment.refunded", order, "2.00", reference=reference).status == 200
    assert (look(refund)[0], fresh(order).refunded, refunds_of(order)) == (
        "done",
        2_00,
        [("refund", "done", 2_00)],
    )


def test_refund__same_amount_made_elsewhere_ends_only_one(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    # Not asked for yet: what is told now is another one.
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00").status == 200
    assert (look(refund)[0], fresh(order).refunded) == ("asked", 1_00)
    bank.words = [done()]
    settle(refund)
    # floor(500.00 * 2.00 / 4.99)
    assert (look(refund)[0], fresh(order).refunded, fresh(order).clawed_back) == ("done", 2_00, 200_40)
    assert (holding(order.player)[:4], problems_of(order.player)) == ((299_60, 0, 0, 0), [])


def test_refund__full_one_ends_the_order_and_its_delivery(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid(product="pack")
    refund = ask(order, 20_00)
    bank.words = [done()]
    settle(refund)
    assert (fresh(order).state, Delivery.objects.get(order=order).state) == ("refunded", "returned")
    assert holding(order.player)[:4] == (0, 0, 0, 0)
    with pytest.raises(NotRefundable, match="has gone back already"):
        refundable(fresh(order))


def test_refund__item_has_no_credit_to_set_aside(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid(product="sword")
    refund = ask(order, 9_99)
    assert (refund.set_aside, refund.set_aside_transaction) == (0, None)
    bank.words = [done()]
    settle(refund)
    assert (fresh(order).state, look(refund)) == ("refunded", ("done", 1, 0))
    assert problems_of(order.player) == []


# --- What is not there --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spent", "aside", "debt"), [("0.01", 499_99, 1), ("300.00", 200_00, 300_00), ("500.00", 0, 500_00)]
)
def test_refund__spent_credit_becomes_debt_only_once_it_is_done(
    shop_setup: ShopSetup, bank: Scripted, spent: str, aside: int, debt: int
) -> None:
    player_session = shop_setup.player_session()
    order = shop_setup.paid(player_session)
    spend(player_session, spent)
    refund = ask(order, 4_99)
    assert (refund.set_aside, holding(order.player)[:4]) == (aside, (0, aside, 0, 0))
    bank.words = [done()]
    settle(refund)
    assert (look(refund), holding(order.player)[:4]) == (("done", 1, 500_00), (0, 0, 0, debt))
    assert problems_of(order.player) == []


def test_refund__refused_one_returns_credit_after_paying_debt(shop_setup: ShopSetup, bank: Scripted) -> None:
    player_session = shop_setup.player_session()
    order, other = shop_setup.paid(player_session), shop_setup.paid(player_session)
    refund = ask(order, 4_99)
    spend(player_session, "450.00")
    # 50.00 are spendable, 500.00 set aside; the other purchase is charged back.
    assert shop_setup.webhooks.tell("payment.charged_back", other).status == 200
    assert holding(order.player)[:4] == (0, 500_00, 0, 450_00)
    bank.words = [REFUSED]
    settle(refund)
    assert (look(refund), holding(order.player)[:4], fresh(order).refunded) == (
        ("refused", 1, 0),
        (50_00, 0, 0, 0),
        0,
    )
    assert (Refund.objects.get(pk=refund.pk).problem, story_of(order)[-1]) == (
        "too late",
        ("refund_refused", "delivered"),
    )
    assert aside(refund) == "rolled_back"
    assert problems_of(order.player) == []
    assert refundable(fresh(order)).most == 4_99


def test_refund__refused_but_done_after_all_is_booked(shop_setup: ShopSetup, bank: Scripted) -> None:
    order, reference = shop_setup.paid(), new_reference()
    refund = ask(order, 1_00)
    bank.words = [RefundResult(RefundStatus.UNKNOWN, reference), REFUSED]
    settle(refund)
    later(refund)
    settle(refund)
    assert look(refund)[0] == "refused"
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00", reference=reference).status == 200
    assert (look(refund), fresh(order).refunded, holding(order.player)[:4]) == (
        ("done", 2, 100_20),
        1_00,
        (399_80, 0, 0, 0),
    )
    assert problems_of(order.player) == []


# --- Nobody knows -------------------------------------------------------------------------------------------


def test_refund__unknown_outcome_is_queried_and_never_guessed(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    bank.words = [UNKNOWN, UNKNOWN, done()]
    for times in (1, 2, 3):
        before = now()
        settle(refund)
        if times < 3:
            waits = Refund.objects.get(pk=refund.pk)
            assert (look(refund), waits.problem, holding(order.player)[:4]) == (
                ("unknown", times, 0),
                "a time-out",
                (399_80, 100_20, 0, 0),
            )
            assert waits.next_attempt_at is not None
            assert before + PAUSES[times - 1] <= waits.next_attempt_at <= now() + PAUSES[times - 1]
            settle(refund)
            later(refund)
    assert (bank.calls, look(refund)) == (["refund", "status", "status"], ("done", 3, 100_20))
    assert {wish.id for _, wish in bank.asked} == {refund.pk}
    assert problems_of(order.player) == []


def test_refund__unknown_to_the_provider_is_resent_under_same_id(
    shop_setup: ShopSetup, bank: Scripted
) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    bank.words = [UNKNOWN, NOT_FOUND, done()]
    settle(refund)
    later(refund)
    settle(refund)
    assert (bank.calls, {wish.id for _, wish in bank.asked}, look(refund)[0]) == (
        ["refund", "status", "refund"],
        {refund.pk},
        "done",
    )
    assert fresh(order).refunded == 1_00


@pytest.mark.parametrize(
    "problem", [ProviderUnavailable("away"), KeyError("id"), RuntimeError("what a library may raise")]
)
def test_refund__unintelligible_provider_is_asked_again(
    shop_setup: ShopSetup, bank: Scripted, problem: Exception
) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    bank.words = [problem, done()]
    settle(refund)
    assert (look(refund), holding(order.player)[:4]) == (("unknown", 1, 0), (399_80, 100_20, 0, 0))
    later(refund)
    settle(refund)
    assert (bank.calls, look(refund)[0]) == (["refund", "status"], "done")


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (RefundResult(RefundStatus.REFUSED, problem="no \x00 and \ud800"), "no \\x00 and \\ud800"),
        (RefundResult(RefundStatus.UNKNOWN, problem="\x1b" * 90), "\\x1b" * 50),
        (RefundResult(RefundStatus.DONE, "re_\x00"), "a reference that cannot be one. "),
        (RefundResult(RefundStatus.DONE, "x" * 256), "a reference that cannot be one. "),
    ],
)
def test_refund__any_characters_of_an_answer_are_kept(
    shop_setup: ShopSetup, bank: Scripted, result: RefundResult, kept: str
) -> None:
    refund = ask(shop_setup.paid(), 1_00)
    bank.words = [result]
    settle(refund)
    state = "refused" if result.status == RefundStatus.REFUSED else "unknown"
    present = Refund.objects.get(pk=refund.pk)
    assert (present.state, present.problem, present.reference) == (state, kept, "")
    assert present.leased_until is None


def test_refund__one_that_goes_wrong_does_not_block_others(shop_setup: ShopSetup, bank: Scripted) -> None:
    # What other tests have left is not due here.
    Refund.objects.exclude(next_attempt_at=None).update(next_attempt_at=now() + timedelta(days=1))
    refunds = [ask(shop_setup.paid(), 1_00) for _ in range(3)]
    bank.words = [KeyError("id"), done(), done()]
    run = Run("settle_refunds")
    settle_refunds(run)
    assert sorted(look(refund)[0] for refund in refunds) == ["done", "done", "unknown"]
    assert (run.looked_at, run.done) == (3, 2)


def test_refund_worker__dying_before_its_call_is_replaced(
    shop_setup: ShopSetup, bank: Scripted, clock: Clock
) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    at = now()
    ((_, is_first),) = lease(at, only=refund.pk)
    assert (is_first, look(refund), lease(now(), only=refund.pk)) == (True, ("unknown", 1, 0), [])
    # Nobody knows whether the call was made: it is asked about first.
    clock.go_ahead(LEASE + timedelta(seconds=1))
    bank.words = [NOT_FOUND, done()]
    settle(refund)
    clock.restore()
    assert (bank.calls, look(refund), fresh(order).refunded) == (
        ["status", "refund"],
        ("done", 2, 100_20),
        1_00,
    )


def test_refund_worker__late_answer_changes_nothing(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    bank.words = [done()]
    settle(refund)
    held = holding(order.player)
    for word in (REFUSED, UNKNOWN, done()):
        assert record_result(refund.pk, word) is False
    assert (look(refund), holding(order.player), fresh(order).refunded) == (("done", 1, 100_20), held, 1_00)


def test_refund_alert__tells_a_person_after_days(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid()
    refund = ask(order, 1_00)
    bank.words = [UNKNOWN, UNKNOWN]
    settle(refund)
    alerts = Alert.objects.filter(kind="refund_open", subject=str(refund.pk))
    assert not alerts.exists()
    owned(Refund).filter(pk=refund.pk).update(created_at=now() - timedelta(days=3), next_attempt_at=now())
    settle(refund)
    assert "refund still unconfirmed after 2 status checks: a time-out" in alerts.get().text
    requery(refund, actor="operator")
    bank.words = [done()]
    settle(refund)
    with pytest.raises(NotRefundable, match="come to its end"):
        requery(refund, actor="operator")


# --- Meanwhile ----------------------------------------------------------------------------------------------


def test_chargeback__full_one_in_open_refund_takes_credit_once(shop_setup: ShopSetup, bank: Scripted) -> None:
    for word, refunded in ((REFUSED, 0), (done(), 0)):
        order = shop_setup.paid()
        refund = ask(order, 4_99)
        assert shop_setup.webhooks.tell("payment.charged_back", order).status == 200
        # What is set aside is still there, so the charge-back finds nothing: debt, until the refund ends.
        assert holding(order.player)[:4] == (0, 500_00, 0, 500_00)
        bank.words = [word]
        settle(refund)
        assert (fresh(order).state, fresh(order).refunded, fresh(order).charged_back) == (
            "charged_back",
            refunded,
            4_99,
        )
        assert (holding(order.player)[:4], fresh(order).clawed_back) == ((0, 0, 0, 0), 500_00)
        assert problems_of(order.player) == []
        is_told = Alert.objects.filter(
            kind="refund_open", subject=str(refund.pk), text__contains="more has gone back than was paid"
        ).exists()
        assert is_told == (word is not REFUSED)


def test_refund__represented_by_another_row_is_not_booked_twice(
    shop_setup: ShopSetup, bank: Scripted
) -> None:
    order, reference = shop_setup.paid(), new_reference()
    refund = ask(order, 2_00)

    def told_of_otherwise(wish: RefundRequest) -> RefundResult:
        assert shop_setup.webhooks.tell("payment.refunded", order, "1.00", reference=reference).status == 200
        return done(reference)

    bank.words = [told_of_otherwise]
    settle(refund)
    assert (look(refund)[0], fresh(order).refunded, fresh(order).clawed_back) == ("refused", 1_00, 100_20)
    assert (holding(order.player)[:4], problems_of(order.player)) == ((399_80, 0, 0, 0), [])


def test_refund_callback__naming_refund_of_another_order_is_422(
    shop_setup: ShopSetup, bank: Scripted
) -> None:
    order, other, reference = shop_setup.paid(), shop_setup.paid(), new_reference()
    bank.words = [done(reference)]
    settle(ask(order, 1_00))
    assert shop_setup.webhooks.tell("payment.refunded", other, "1.00", reference=reference).status == 422
    assert (fresh(other).refunded, fresh(order).refunded) == (0, 1_00)


# --- What can be asked for ----------------------------------------------------------------------------------


def test_refund__one_at_a_time_and_never_more_than_is_left(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid()
    for amount in (0, -1, 5_00):
        with pytest.raises(NotRefundable, match="more than can be refunded"):
            ask(order, amount)
    refund = ask(order, 4_00)
    with pytest.raises(NotRefundable, match="under way"):
        ask(order, 99)
    bank.words = [done()]
    settle(refund)
    assert refundable(fresh(order)).most == 99
    with pytest.raises(NotRefundable, match="more than can be refunded"):
        ask(order, 1_00)
    assert (refunds_of(order), holding(order.player)[1]) == ([("refund", "done", 4_00)], 0)


def test_refund__same_request_twice_is_one_refund(shop_setup: ShopSetup, bank: Scripted) -> None:
    order, id = shop_setup.paid(), uuid.uuid4()
    first = ask(order, 1_00, refund_id=id)
    assert (ask(order, 1_00, refund_id=id), first.pk, refunds_of(order)) == (
        first,
        id,
        [("refund", "asked", 1_00)],
    )
    assert holding(order.player)[:2] == (399_80, 100_20)
    assert (
        OrderEvent.objects.filter(order=order, what="refund_asked", note=REASON, actor="operator").count()
        == 1
    )


def test_refund__unpaid_or_unaskable_provider_is_not_refundable(
    shop_setup: ShopSetup,
) -> None:
    with pytest.raises(NotRefundable, match="not paid"):
        ask(shop_setup.order(), 1_00)
    order = shop_setup.paid()
    with pytest.raises(NotRefundable, match="takes no refund requests"):
        ask(order, 1_00)
    assert (refunds_of(order), holding(order.player)) == ([], Holding(500_00, 0, 0, 0, 2))


# --- Second payments ----------------------------------------------------------------------------------------


def test_refund__duplicate_payment_goes_first_takes_no_credit(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid()
    reference = unique("second")
    assert shop_setup.webhooks.tell("payment.succeeded", order, reference=reference).status == 200
    refund = ask(order, 4_00)
    assert (refund.set_aside, refund.set_aside_transaction) == (0, None)
    bank.words = [done(), done(), done()]
    settle(refund)
    assert (bank.asked[0][1].payment_reference, fresh(order).refunded, look(refund)) == (
        reference,
        0,
        ("done", 1, 0),
    )
    assert (refundable(fresh(order)).most, holding(order.player).spendable) == (99, 500_00)
    settle(ask(order, 99))
    assert (fresh(order).state, fresh(order).refunded, holding(order.player).spendable) == (
        "delivered",
        0,
        500_00,
    )
    # Then the first one.
    assert refundable(fresh(order)).most == 4_99
    settle(ask(order, 4_99))
    assert (fresh(order).state, holding(order.player)[:4]) == ("refunded", (0, 0, 0, 0))
    assert bank.asked[2][1].payment_reference != reference
    assert problems_of(order.player) == []


def test_refund__payment_after_first_refund_pays_and_is_refunded(
    shop_setup: ShopSetup, bank: Scripted
) -> None:
    order = shop_setup.paid()
    bank.words = [done(), UNKNOWN]
    settle(ask(order, 4_99))
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    # The price is kept again, so the credit stands (contract 4.2, rule 6).
    assert (fresh(order).state, holding(order.player).spendable) == ("delivered", 500_00)
    refund = ask(order, 4_99)
    settle(refund)
    assert (refund.set_aside, look(refund)[0]) == (500_00, "unknown")
    body = event_body("payment.refunded", order, "4.99")
    assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body)).status == 200
    assert (look(refund)[0], fresh(order).refunded) == ("done", 4_99)
    assert list(order.payments.order_by("pk").values_list("is_duplicate", "returned")) == [
        (False, 4_99),
        (True, 4_99),
    ]
    with pytest.raises(NotRefundable, match="has gone back already"):
        refundable(fresh(order))
    assert problems_of(order.player) == []


def test_refund__slow_provider_delays_none_of_a_quick_one(
    shop_setup: ShopSetup, bank: Scripted, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_shop_setup(callers)
    slow, quick = [[ask(one.paid(), 1_00) for _ in range(6)] for one in (shop_setup, other)]
    slugs = [rows[0].provider.slug for rows in (slow, quick)]
    ends, open_ones = time.monotonic() + 5.0, Counter[str]()
    most, answered, lock = Counter[str](), dict[UUID, float](), Lock()

    def answer(config: ProviderConfig, request: RefundRequest, *, is_first: bool) -> RefundResult:
        if config.slug not in slugs:
            return RefundResult(RefundStatus.UNKNOWN, problem="another test's")
        with lock:
            open_ones[config.slug] += 1
            most[config.slug] = max(most[config.slug], open_ones[config.slug])
        time.sleep(max(0.0, ends - time.monotonic()) if config.slug == slugs[0] else 0.01)
        with lock:
            open_ones[config.slug] -= 1
            answered[request.id] = time.monotonic()
        return RefundResult(RefundStatus.DONE, f"re_{request.id}")

    monkeypatch.setattr("payments.refunds.worker.ask", answer)
    settle_refunds(Run("settle_refunds"))
    assert max(answered[refund.pk] for refund in quick) < ends
    assert max(most.values()) <= MOST_OF_A_PROVIDER
    assert {Refund.objects.get(pk=refund.pk).state for refund in (*slow, *quick)} == {"done"}


def test_refunds__that_stay_unknown_keep_no_run_for_ever(
    shop_setup: ShopSetup, bank: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Counter[UUID]()

    def answer(config: ProviderConfig, request: RefundRequest, *, is_first: bool) -> RefundResult:
        asked[request.id] += 1
        return RefundResult(RefundStatus.UNKNOWN, problem="nobody knows")

    refund = ask(shop_setup.paid(), 1_00)
    monkeypatch.setattr("payments.refunds.worker.ask", answer)
    monkeypatch.setattr("payments.refunds.worker.PAUSES", (timedelta(0),))
    monkeypatch.setattr("payments.refunds.worker.RUN_SECONDS", 0.5)
    settle_refunds(Run("settle_refunds"))
    assert asked[refund.pk] > 1


def test_refund__refused_one_raises_an_alert_in_words(shop_setup: ShopSetup, bank: Scripted) -> None:
    order = shop_setup.paid(shop_setup.player_session())
    refund = ask(order, 4_99)
    bank.words = [REFUSED]
    settle(refund)
    raised = Alert.objects.get(kind="refund_refused", subject=str(refund.pk), resolved_at=None)
    told = f"The refund of 4.99 EUR of order {order.pk} was refused by the provider: too late"
    assert (raised.text, raised.severity) == (told, "warning")
