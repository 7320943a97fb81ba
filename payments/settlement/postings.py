"""What an order's money does in the ledger: collected first, then written in one round trip."""

from uuid import UUID

from lib.ids import new_id
from payments.models import Order
from payments.orders.events import Actor
from wallet import ledger
from wallet.alerts import raise_alert
from wallet.ledger import Posting
from wallet.models import Alert, Transaction

Type = Transaction.Type
HELD = "Its {what} is more than the wallet may hold or owe. What the provider holds is booked, and the wallet's part is not."


class Movements:
    """The postings of one step of an order, in the order in which they are to be written."""

    def __init__(self, order: Order, by: Actor, reason: str) -> None:
        self.order = order
        self.by = by
        self.reason = reason
        self.postings: list[Posting] = []
        self.credit_before = (order.clawed_back, order.credit_transaction)

    def pay(self, amount: int, reverses: UUID | None = None) -> UUID:
        """The provider holds `amount` more for us. What buys credit is owed for it; what buys an item is the game's."""
        return self.add(
            Type.PAYMENT if self.order.credit else Type.SALE, self.order.currency_id, amount, reverses
        )

    def pay_second(self, amount: int) -> UUID:
        """The provider holds `amount` that nobody bought anything with: it is owed, whatever the order was for."""
        return self.add(Type.PAYMENT, self.order.currency_id, amount, None)

    def pay_back(self, amount: int, reverses: UUID | None) -> UUID:
        """`amount` of the price has gone back through the provider."""
        return self.add(
            Type.PAYMENT_RETURN if self.order.credit else Type.SALE_RETURN,
            self.order.currency_id,
            amount,
            reverses,
        )

    def pay_back_second(self, amount: int, reverses: UUID | None) -> UUID:
        """`amount` of a second payment has gone back."""
        return self.add(Type.PAYMENT_RETURN, self.order.currency_id, amount, reverses)

    def credit(self, amount: int) -> UUID:
        """The player gets `amount` of the credit."""
        return self.add(Type.TOP_UP, str(self.order.credit_currency_id), amount, None)

    def settle_credit(self, target: int) -> None:
        """Takes or gives back credit, until `target` of it is taken back in all."""
        owed = target - self.order.clawed_back
        if owed > 0:
            self.add(Type.CLAWBACK, str(self.order.credit_currency_id), owed, self.order.credit_transaction)
        elif owed < 0:
            id = self.credit(-owed)
            self.order.credit_transaction = self.order.credit_transaction or id
        self.order.clawed_back = target

    def add(self, type: str, currency: str, amount: int, reverses: UUID | None) -> UUID:
        posting = Posting(new_id(), type, currency, amount, reverses)
        self.postings.append(posting)
        return posting.id

    def post(self) -> bool:
        """Writes them. Where a wallet would hold or owe too much, only what the provider holds is written, an alert is raised, and
        the order says that its credit is as it was: False.
        """
        if not self.postings or self.write(self.postings) == "posted":
            return True
        held = [posting for posting in self.postings if posting.type in (Type.TOP_UP, Type.CLAWBACK)]
        rest = [posting for posting in self.postings if posting not in held]
        if rest and self.write(rest) != "posted":
            raise AssertionError("what moves no player's balance meets no limit")
        self.order.clawed_back, self.order.credit_transaction = self.credit_before
        what = " and ".join(
            f"{posting.type.replace('_', '-')} of {posting.amount} minor units of {posting.currency}"
            for posting in held
        )
        raise_held(self.order, HELD.format(what=what))
        return False

    def write(self, postings: list[Posting]) -> str:
        order = self.order
        return ledger.post(
            player_id=order.player_id,
            game_id=order.game_id,
            postings=postings,
            reference=order.pk,
            description=f"order {order.pk}",
            source=self.by.source,
            actor=self.by.name[:80],
            reason=self.reason[:255],
        )


def raise_held(order: Order, text: str) -> None:
    """Tells operators that a wallet does not hold what an order says; what an open alert asks for is still to be done, and stays in it."""
    subject = str(order.pk)
    earlier = (
        Alert.objects.filter(kind=Alert.Kind.CREDIT_HELD, subject=subject, resolved_at=None)
        .values_list("text", flat=True)
        .first()
    )
    raise_alert(Alert.Kind.CREDIT_HELD, subject, " ".join(filter(None, [earlier, text])))
