"""How an order stands by the money that is kept for it (contract 4.2, rule 6), without a database."""

from dataclasses import dataclass
from datetime import datetime

from payments.models import Order

State = Order.State


@dataclass(frozen=True, slots=True)
class Standing:
    """The part of an order's price that is missing from what is kept, and through what it is missing.

    In minor units.
    """

    price: int
    refunded: int
    charged_back: int

    @property
    def missing(self) -> int:
        """How much of the price is not kept, in minor units."""
        return self.refunded + self.charged_back

    @property
    def stops_delivery(self) -> bool:
        """A full refund or a chargeback stops further attempts (contract 4.3)."""
        return self.charged_back > 0 or self.refunded >= self.price

    def credit_of(self, credit: int) -> int:
        """The part of `credit` that the player has: what is missing takes its share, rounded down."""
        return credit - credit * self.missing // self.price

    def state(self, delivered_at: datetime | None) -> str:
        """The state of an order that was paid."""
        if self.charged_back:
            return State.CHARGED_BACK
        if self.refunded >= self.price:
            return State.REFUNDED
        return State.DELIVERED if delivered_at else State.PAID


def standing(price: int, kept: int, charged_back: int) -> Standing:
    """How an order stands; minor units.

    Of its payments `kept` is left, and `charged_back` is disputed.

    Duplicate payments are used up first: as long as the price is kept, nothing is missing.
    """
    missing = min(max(price - kept, 0), price)
    disputed = min(charged_back, missing)
    return Standing(price, missing - disputed, disputed)


def standing_of(order: Order) -> Standing:
    """How an order stands by its own columns."""
    return Standing(order.price, order.refunded, order.charged_back)


def stops_delivery(order: Order) -> bool:
    """Whether the game is not told of an order any more, because the money has gone back."""
    return standing_of(order).stops_delivery


def present_state(order: Order) -> str:
    """The state of an order that was paid, by its own columns."""
    return standing_of(order).state(order.delivered_at)
