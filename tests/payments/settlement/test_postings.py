"""What a payment and its return move in the ledger (contract 4.2)."""

import os
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lib.clock import now
from payments.checkout.payments import start_payment
from payments.models import Delivery, Order, Provider
from payments.providers.adapters import ADAPTERS
from payments.providers.protocol import RefundResult, RefundStatus
from payments.refunds.operations import NotRefundable, refundable, request_refund
from payments.refunds.worker import lease
from tests.support.callers import Holding, PlayerSession, holding, unique
from tests.support.invariants import problems_of
from tests.support.refunds import settle_one
from tests.support.scripted_provider import Scripted
from tests.support.shop import (
    BASE,
    ShopSetup,
    fresh,
    major,
    make_product,
    new_reference,
    outcomes,
    payments_of,
    refunds_of,
    story_of,
)
from wallet.models import Alert, Entry

EXAMPLES = 1500 if os.environ.get("LONG") else 40
PHASES = list(Phase) if os.environ.get("LONG") else [Phase.explicit, Phase.reuse, Phase.generate]


def moves(order: Order, currency: str) -> list[tuple[str, str | None, str | None, int | None]]:
    """What the journal of the player's wallet says: event, debit, credit and amount, without the opening."""
    rows = Entry.objects.filter(player=order.player, wallet__currency=currency).order_by("seq")
    return list(rows.exclude(event="wallet_opened").values_list("event", "debit", "credit", "amount"))


def test_top_up__goes_through_clearing_and_issuance(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    assert (order.state, order.delivered_at, order.credit_transaction is not None) == (
        "delivered",
        order.paid_at,
        True,
    )
    assert moves(order, "EUR") == [("posted", "provider_clearing", "issuance", 4_99)]
    assert moves(order, "XAG") == [("posted", "issuance", "spendable", 500_00)]
    assert holding(order.player).spendable == 500_00
    assert story_of(order) == [
        ("created", "created"),
        ("started", "created"),
        ("payment.succeeded", "delivered"),
    ]
    assert problems_of(order.player) == []


def test_refund__partial_one_takes_its_share_of_the_credit(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00").status == 200
    order = fresh(order)
    # floor(500.00 * 1.00 / 4.99)
    assert (order.state, order.refunded, order.clawed_back) == ("delivered", 1_00, 100_20)
    assert moves(order, "EUR")[1:] == [("posted", "issuance", "provider_clearing", 1_00)]
    assert moves(order, "XAG")[1:] == [("posted", "spendable", "issuance", 100_20)]
    assert refunds_of(order) == [("refund", "done", 1_00)]
    assert shop_setup.webhooks.tell("payment.refunded", order, "3.99").status == 200
    order = fresh(order)
    assert (order.state, order.refunded, holding(order.player).spendable) == ("refunded", 4_99, 0)
    assert problems_of(order.player) == []


def test_clawback__spent_credit_is_debt_that_increases_pay_first(shop_setup: ShopSetup) -> None:
    player_session = shop_setup.player_session()
    order = shop_setup.paid(player_session)
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "300.00"))
    assert (
        shop_setup.webhooks.tell(
            "payment.charged_back", order, reference="dispute-of-" + str(order.pk)
        ).status
        == 200
    )
    assert holding(order.player) == Holding(0, 0, 0, 300_00, 6)
    assert fresh(order).state == "charged_back"
    player_session.done("confirmDeposit", player_session.opened("deposit", "100.00"))
    assert (player_session.holding().spendable, player_session.holding().debt) == (0, 200_00)
    assert (
        shop_setup.webhooks.tell(
            "payment.charge_back_reversed", order, reference="dispute-of-" + str(order.pk)
        ).status
        == 200
    )
    assert (player_session.holding().spendable, player_session.holding().debt, fresh(order).state) == (
        300_00,
        0,
        "delivered",
    )
    assert problems_of(order.player) == []


def test_item__is_game_revenue_and_credits_nobody(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid(product="sword")
    assert (order.state, order.delivered_at, order.credit_transaction) == ("paid", None, None)
    assert shop_setup.webhooks.tell("payment.refunded", order, "0.01").status == 200
    assert moves(order, "EUR") == [
        ("posted", "provider_clearing", "game_revenue", 9_99),
        ("posted", "game_revenue", "provider_clearing", 1),
    ]
    assert (moves(order, "XAG"), fresh(order).clawed_back) == ([], 0)
    assert problems_of(order.player) == []


def test_duplicate_payment__is_owed_whatever_was_bought(shop_setup: ShopSetup) -> None:
    for product, account in (("sword", "game_revenue"), ("gold", "issuance")):
        order = shop_setup.paid(product=product)
        price = order.price
        assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
        assert shop_setup.webhooks.tell("payment.refunded", order).status == 200
        assert moves(order, "EUR") == [
            ("posted", "provider_clearing", account, price),
            ("posted", "provider_clearing", "issuance", price),
            ("posted", "issuance", "provider_clearing", price),
        ]
        assert (fresh(order).state, fresh(order).refunded, problems_of(order.player)) == (order.state, 0, [])


def test_refund__that_came_before_its_payment_is_booked_after_it(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    assert shop_setup.webhooks.tell("payment.refunded", order).status == 200
    assert (moves(order, "EUR"), refunds_of(order)) == ([], [("refund", "remembered", 4_99)])
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert moves(order, "EUR") == [
        ("posted", "provider_clearing", "issuance", 4_99),
        ("posted", "issuance", "provider_clearing", 4_99),
    ]
    assert (moves(order, "XAG"), refunds_of(order), fresh(order).state) == (
        [],
        [("refund", "done", 4_99)],
        "refunded",
    )
    assert (fresh(order).delivered_at, problems_of(order.player)) == (None, [])


def test_reversal__of_chargeback_before_payment_credits_at_last(shop_setup: ShopSetup) -> None:
    order, dispute = shop_setup.order(), new_reference()
    for type, reference in (
        ("charged_back", dispute),
        ("succeeded", None),
        ("charge_back_reversed", dispute),
    ):
        assert shop_setup.webhooks.tell(f"payment.{type}", order, reference=reference).status == 200
    order = fresh(order)
    assert (
        order.state,
        order.clawed_back,
        order.credit_transaction is not None,
        holding(order.player).spendable,
    ) == ("delivered", 0, True, 500_00)
    assert problems_of(order.player) == []


# --- What a wallet cannot hold ------------------------------------------------------------------------------


def fill(player_session: PlayerSession, room: int) -> None:
    """Leaves `room` minor units in the wallet."""
    while (missing := 10**18 - 1 - room - player_session.holding().spendable) > 0:
        player_session.adjust("credit", min(missing, 10**17 - 1))


def test_credit__held_if_it_cannot_be_given_and_nothing_is_lost(shop_setup: ShopSetup) -> None:
    player_session = shop_setup.player_session()
    order = shop_setup.order(player_session, "pack")
    fill(player_session, 1000_00 - 1)
    held = player_session.holding()
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    order = fresh(order)
    assert (order.state, order.paid_at is None, order.credit_transaction, player_session.holding()) == (
        "paid",
        False,
        None,
        held,
    )
    assert moves(order, "EUR") == [("posted", "provider_clearing", "issuance", 20_00)]
    alert = Alert.objects.get(kind="credit_held", subject=str(order.pk))
    assert alert.text.startswith("Its top-up of 1,000.00 XAG is more than the wallet may hold or owe.")
    assert Delivery.objects.get(order=order).state == "pending"
    assert problems_of(order.player) == []
    # What was never given is not taken, and no return gives it: operators are told of both.
    player_session.adjust("debit", 1000_00)
    held = player_session.holding()
    assert shop_setup.webhooks.tell("payment.refunded", order, "5.00").status == 200
    assert (player_session.holding(), fresh(order).clawed_back, fresh(order).refunded) == (
        held,
        1000_00,
        5_00,
    )
    alert.refresh_from_db()
    assert [
        part in alert.text for part in ("top-up of 1,000.00 XAG", "Then 5.00 EUR of its price went back")
    ] == [True, True]
    assert problems_of(order.player) == []


def test_reversal__credit_that_does_not_fit_leaves_order_alone(shop_setup: ShopSetup) -> None:
    player_session, dispute = shop_setup.player_session(), new_reference()
    order = shop_setup.paid(player_session)
    assert shop_setup.webhooks.tell("payment.charged_back", order, "2.50", reference=dispute).status == 200
    fill(player_session, 1)
    held = player_session.holding()
    assert (
        shop_setup.webhooks.tell("payment.charge_back_reversed", order, "2.50", reference=dispute).status
        == 200
    )
    order = fresh(order)
    assert (order.charged_back, order.clawed_back, order.state, player_session.holding()) == (
        0,
        250_50,
        "delivered",
        held,
    )
    assert "top-up of 250.50 XAG" in Alert.objects.get(kind="credit_held", subject=str(order.pk)).text
    assert problems_of(order.player) == []


def test_refund__two_early_ones_of_the_whole_sum_never_credit(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    for amount in ("1.00", "3.99"):
        assert shop_setup.webhooks.tell("payment.refunded", order, amount).status == 200
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert (moves(order, "XAG"), fresh(order).state, fresh(order).clawed_back) == ([], "refunded", 500_00)


# --- Whatever goes back in whatever order -------------------------------------------------------------------

# Price and credit that divide badly.
ODD = [(3_33, 10_01), (7, 3), (1, 1), (3, 10**15 + 1), (10**15 + 7, 1), (9_99, 10**15 + 7)]
ways = st.sampled_from(
    [
        "refund",
        "refund",
        "charge_back",
        "reverse",
        "own refund",
        "own refund",
        "own refund is refused",
        "spend",
        "earn",
        "pay again",
    ]
)


@dataclass
class ReturnedOrder:
    """An order of which money goes back, and what the player did with the credit meanwhile."""

    shop_setup: ShopSetup
    bank: Scripted
    player_session: PlayerSession
    order: Order
    disputes: list[tuple[str, int]] = field(default_factory=list)
    earned: int = 0
    paid: int = 0

    def go(self, way: str, share: float) -> None:
        order = fresh(self.order)
        amount = max(1, int(order.price * share))
        if way in ("refund", "charge_back"):
            self.give_back(way, amount)
        elif way == "reverse" and self.disputes:
            reference, disputed = self.disputes.pop(int(share * len(self.disputes)) % len(self.disputes))
            assert (
                self.shop_setup.webhooks.tell(
                    "payment.charge_back_reversed", order, str(major(disputed)), reference=reference
                ).status
                == 200
            )
        elif way.startswith("own refund"):
            self.ask(
                order,
                amount,
                RefundResult(RefundStatus.REFUSED)
                if way.endswith("refused")
                else RefundResult(RefundStatus.DONE, new_reference()),
            )
        elif way == "spend" and (there := int(self.player_session.holding().spendable * share)):
            self.player_session.done(
                "confirmWithdrawal", self.player_session.opened("withdraw", str(major(there)))
            )
            self.earned -= there
        elif way == "earn":
            self.player_session.done("confirmDeposit", self.player_session.opened("deposit", "0.05"))
            self.earned += 5
        elif way == "pay again":
            assert self.shop_setup.webhooks.tell("payment.succeeded", order).status == 200
            self.paid += order.price

    def give_back(self, way: str, amount: int) -> None:
        type, reference = (
            ("payment.refunded", new_reference())
            if way == "refund"
            else ("payment.charged_back", new_reference())
        )
        status = self.shop_setup.webhooks.tell(
            type, self.order, str(major(amount)), reference=reference
        ).status
        assert status in (200, 422)
        if status == 200 and way == "charge_back":
            self.disputes.append((reference, amount))

    def ask(self, order: Order, amount: int, word: RefundResult) -> None:
        with suppress(NotRefundable):
            refund = request_refund(
                order.pk, min(amount, refundable(order).most), actor="test", reason="test"
            )
            self.bank.words = [word]
            for one, is_first in lease(now(), only=refund.pk):
                settle_one(one, is_first=is_first)

    def check(self) -> None:
        order, held = fresh(self.order), self.player_session.holding()
        credit = order.credit or 0
        assert order.clawed_back == credit * (order.refunded + order.charged_back) // order.price
        assert held.spendable - held.debt == credit - order.clawed_back + self.earned
        assert (held.reserved, held.announced) == (0, 0)
        returned = sum(order.refunds.filter(state="done").values_list("amount", flat=True))
        clearing = sum(
            (amount or 0) * (1 if debit == "provider_clearing" else -1)
            for _, debit, _, amount in moves(order, "EUR")
        )
        assert clearing == self.paid - returned
        assert problems_of(order.player) == []


@pytest.mark.slow
def test_clawback__is_the_returned_share_rounded_down(
    shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = Scripted()
    monkeypatch.setitem(ADAPTERS, Provider.Scheme.STANDARD_WEBHOOKS, bank)
    products = {odd: make_product(shop_setup.game, unique("odd"), odd[0], credit=odd[1]) for odd in ODD}

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    @given(st.sampled_from(ODD), st.lists(st.tuples(ways, st.floats(0.01, 1)), min_size=2, max_size=8))
    def play(odd: tuple[int, int], story: list[tuple[str, float]]) -> None:
        player_session = shop_setup.player_session()
        order = shop_setup.order(player_session, products[odd].code, productPrice=major(odd[0]))
        assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
        returned_order = ReturnedOrder(shop_setup, bank, player_session, order, paid=order.price)
        for way, share in story:
            returned_order.go(way, share)
            returned_order.check()

    play()


def test_duplicate_payment__all_refundable_but_not_a_cent_more(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    assert shop_setup.webhooks.tell("payment.refunded", order, "1.00").status == 200
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    # 4.99 of the second payment, and 3.99 that are left of the first.
    assert shop_setup.webhooks.tell("payment.refunded", order, "8.99").status == 422
    # 8.98 of two payments are kept: the refund was of the duplicate, whichever of the two came first.
    assert (fresh(order).refunded, holding(order.player).spendable) == (0, 500_00)
    assert shop_setup.webhooks.tell("payment.refunded", order, "8.98").status == 200
    assert (fresh(order).state, fresh(order).refunded, holding(order.player).spendable) == (
        "refunded",
        4_99,
        0,
    )
    assert problems_of(order.player) == []


@pytest.mark.parametrize("is_paid_again", [True, False])
def test_duplicate_payment__is_listed_when_a_reversal_makes_it(
    shop_setup: ShopSetup, is_paid_again: bool
) -> None:
    order, dispute = shop_setup.paid(), new_reference()
    webhooks = shop_setup.webhooks
    assert webhooks.tell("payment.charged_back", order, reference=dispute).status == 200
    assert webhooks.tell("payment.succeeded", order).status == 200
    if is_paid_again:
        assert webhooks.tell("payment.succeeded", order).status == 200
    assert webhooks.tell("payment.charge_back_reversed", order, reference=dispute).status == 200
    assert outcomes(order) == ["acted", "acted", "acted", *["duplicate"] * is_paid_again, "duplicate"]


@pytest.mark.parametrize("is_early", [True, False])
def test_credit__part_of_it_is_delivered_though_some_is_disputed(
    shop_setup: ShopSetup, is_early: bool
) -> None:
    order = shop_setup.order()
    for type in ("charged_back", "succeeded") if is_early else ("succeeded", "charged_back"):
        amount = "1.00" if type == "charged_back" else None
        assert shop_setup.webhooks.tell(f"payment.{type}", order, amount).status == 200
    order = fresh(order)
    assert (order.state, order.delivered_at is not None) == ("charged_back", True)


def test_success__belongs_to_failed_payment_with_its_reference(shop_setup: ShopSetup) -> None:
    order, reference = shop_setup.order(), new_reference()
    assert shop_setup.webhooks.tell("payment.failed", order, reference=reference).status == 200
    start_payment(fresh(order), shop_setup.webhooks.provider.slug, BASE)
    assert payments_of(order) == [("failed", False), ("started", False)]
    assert shop_setup.webhooks.tell("payment.succeeded", order, reference=reference).status == 200
    assert payments_of(order) == [("paid", False), ("started", False)]
