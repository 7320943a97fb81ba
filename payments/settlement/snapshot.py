"""An order with its payments and returns, as they stand under the order's lock.

What decisions and plans are made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from payments.models import Order, Payment, Refund, RefundTotal
from payments.orders.state import Standing, standing
from wallet.currencies import decimals_of


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """Read only. Amounts in minor units of the order's currency.

    `provider_id` is the provider that tells, if one does.
    """

    order: Order
    # Of the order's currency.
    decimals: int
    provider_id: UUID | None
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    # Whether a refund or chargeback of another order has the event's reference.
    is_of_another_order: bool = False
    totals: Sequence[RefundTotal] = ()

    @property
    def started(self) -> list[Payment]:
        """The payments that were started with this provider."""
        return [payment for payment in self.of_provider() if payment.state != Payment.State.UNSTARTED]

    @property
    def paid(self) -> list[Payment]:
        """The payments that came in through this provider."""
        return [payment for payment in self.of_provider() if payment.state == Payment.State.PAID]

    @property
    def remembered(self) -> list[Refund]:
        """The returns that this provider told of before their payment."""
        return [refund for refund in self.of_state(Refund.State.REMEMBERED) if self.is_ours(refund)]

    @property
    def first(self) -> Payment | None:
        """The first payment that came in, through whichever provider."""
        came = [payment for payment in self.payments if payment.state == Payment.State.PAID]
        return next((payment for payment in came if not payment.is_duplicate), None)

    @property
    def kept(self) -> int:
        """All that came in for the order, less all that went back (contract 4.2, rule 6)."""
        came = [payment.amount for payment in self.payments if payment.state == Payment.State.PAID]
        return sum(came) - sum(refund.amount for refund in self.of_state(Refund.State.DONE))

    @property
    def charged_back(self) -> int:
        """How much is disputed at present."""
        done = self.of_state(Refund.State.DONE)
        return sum(refund.amount for refund in done if refund.kind == Refund.Kind.CHARGEBACK)

    @property
    def standing(self) -> Standing:
        """How the order stands by its payments and returns."""
        return standing(self.order.price, self.kept, self.charged_back)

    @property
    def credited(self) -> int:
        """The part of the credit that the player has, by the order's own columns.

        In minor units of the credit's currency.
        """
        return (self.order.credit or 0) - self.order.clawed_back if self.order.paid_at else 0

    def left_of(self, payment: Payment) -> int:
        """How much can still go back of one payment by returns that name it.

        Not more than of all of its provider.
        """
        of_all = sum(paid.amount for paid in self.payments if is_paid_through(paid, payment.provider_id))
        gone = [
            refund for refund in self.of_state(Refund.State.DONE) if refund.provider_id == payment.provider_id
        ]
        named = [refund.amount for refund in gone if refund.payment_reference == payment.reference != ""]
        return min(payment.amount - sum(named), of_all - sum(refund.amount for refund in gone))

    def left(self) -> int:
        """How much can still go back of all payments of this provider."""
        gone = [refund.amount for refund in self.of_state(Refund.State.DONE) if self.is_ours(refund)]
        return sum(payment.amount for payment in self.paid) - sum(gone)

    def of_provider(self) -> list[Payment]:
        return [payment for payment in self.payments if payment.provider_id == self.provider_id]

    def of_state(self, state: str) -> list[Refund]:
        return [refund for refund in self.refunds if refund.state == state]

    def is_ours(self, refund: Refund) -> bool:
        return bool(refund.provider_id == self.provider_id)


def is_paid_through(payment: Payment, provider_id: UUID) -> bool:
    return payment.state == Payment.State.PAID and payment.provider_id == provider_id


def snapshot_of(
    order: Order,
    provider_id: UUID | None,
    payments: Sequence[Payment],
    refunds: Sequence[Refund],
    same_return: Sequence[Refund] = (),
    totals: Sequence[RefundTotal] = (),
) -> OrderSnapshot:
    """The order as it stands; `same_return` are the returns that have the event's reference."""
    decimals = decimals_of(order.currency_id)
    if decimals is None:
        raise AssertionError("currencies are never deleted")
    is_of_another = any(refund.order_id != order.pk for refund in same_return)
    return OrderSnapshot(order, decimals, provider_id, payments, refunds, is_of_another, totals)
