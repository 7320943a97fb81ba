"""What a payment and its return move in the ledger (contract 4.2)."""

from tests.ledger import problems_of
from tests.payments.market import Market, fresh, refunds_of, story_of
from tests.world import Holding, holding
from wallet.models import Entry


def moves(order: object, currency: str) -> list[tuple[str, str | None, str | None, int | None]]:
    """What the journal of the player's wallet says: event, debit, credit and amount, without the opening."""
    rows = Entry.objects.filter(player=order.player, wallet__currency=currency).exclude(event="wallet_opened").order_by("seq")  # type: ignore[attr-defined]
    return list(rows.values_list("event", "debit", "credit", "amount"))


def test_a_top_up_goes_through_clearing_and_issuance(market: Market) -> None:
    order = market.paid()
    assert (order.state, order.delivered_at, order.credit_transaction is not None) == ("delivered", order.paid_at, True)
    assert moves(order, "EUR") == [("posted", "provider_clearing", "issuance", 4_99)]
    assert moves(order, "XAG") == [("posted", "issuance", "spendable", 500_00)]
    assert holding(order.player).spendable == 500_00
    assert story_of(order) == [("created", "created"), ("started", "created"), ("payment.succeeded", "delivered")]
    assert problems_of(order.player) == []


def test_a_partial_refund_takes_its_share_of_the_credit(market: Market) -> None:
    order = market.paid()
    assert market.webhooks.tell("payment.refunded", order, "1.00").status == 200
    order = fresh(order)
    # floor(500.00 * 1.00 / 4.99)
    assert (order.state, order.refunded, order.clawed_back) == ("delivered", 1_00, 100_20)
    assert moves(order, "EUR")[1:] == [("posted", "issuance", "provider_clearing", 1_00)]
    assert moves(order, "XAG")[1:] == [("posted", "spendable", "issuance", 100_20)]
    assert refunds_of(order) == [("refund", "done", 1_00)]
    assert market.webhooks.tell("payment.refunded", order, "3.99").status == 200
    order = fresh(order)
    assert (order.state, order.refunded, holding(order.player).spendable) == ("refunded", 4_99, 0)
    assert problems_of(order.player) == []


def test_what_is_spent_already_becomes_debt_which_every_increase_pays_first(market: Market) -> None:
    seat = market.seat()
    order = market.paid(seat)
    seat.done("confirmWithdrawal", seat.opened("withdraw", "300.00"))
    assert market.webhooks.tell("payment.charged_back", order, reference="dispute-of-" + str(order.pk)).status == 200
    assert holding(order.player) == Holding(0, 0, 0, 300_00, 6)
    assert fresh(order).state == "charged_back"
    seat.done("confirmDeposit", seat.opened("deposit", "100.00"))
    assert (seat.holding().spendable, seat.holding().debt) == (0, 200_00)
    assert market.webhooks.tell("payment.charge_back_reversed", order, reference="dispute-of-" + str(order.pk)).status == 200
    assert (seat.holding().spendable, seat.holding().debt, fresh(order).state) == (300_00, 0, "delivered")
    assert problems_of(order.player) == []
