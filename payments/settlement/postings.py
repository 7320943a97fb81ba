"""What an order's money does in the ledger: the postings of one movement, without a database."""

from collections.abc import Callable
from uuid import UUID

from payments.models import Order
from wallet.ledger import Posting
from wallet.models import Transaction

Type = Transaction.Type


def move(
    order: Order, kept: int, amount: int, reverses: UUID | None, ids: Callable[[], UUID]
) -> list[Posting]:
    """The provider holds `amount` minor units more for us (or, negative, less).

    It held `kept` before.

    Up to its price, an item's money is the game's.
    What pays for credit, and what nobody bought anything with, is owed.
    """
    sold = 0 if order.credit else share_of(order.price, kept + amount) - share_of(order.price, kept)
    parts = [(Type.PAYMENT, Type.PAYMENT_RETURN, amount - sold), (Type.SALE, Type.SALE_RETURN, sold)]
    return [
        Posting(ids(), came if part > 0 else went, order.currency_id, abs(part), reverses)
        for came, went, part in parts
        if part
    ]


def share_of(price: int, kept: int) -> int:
    """How much of what is kept is the price of an item, in minor units."""
    return min(max(kept, 0), price)


def credit(order: Order, amount: int, ids: Callable[[], UUID]) -> list[Posting]:
    """The player gets `amount` minor units of the credit, or (negative) gives them back."""
    if not amount:
        return []
    currency, is_given = str(order.credit_currency_id), amount > 0
    reverses = None if is_given else order.credit_transaction
    return [Posting(ids(), Type.TOP_UP if is_given else Type.CLAWBACK, currency, abs(amount), reverses)]
