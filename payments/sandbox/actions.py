"""What can be done at the sandbox's page; each ends in callbacks."""

from collections.abc import Callable
from enum import StrEnum

from payments.models import Provider
from payments.providers.protocol import EventType
from payments.sandbox import memory
from payments.sandbox.bills import Bill
from payments.sandbox.callback_queue import send
from payments.sandbox.memory import Payment
from payments.sandbox.messages import event, new_reference, success

LATE_SECONDS = 10


class Act(StrEnum):
    """The buttons: those that end the visit, those that only try something, and those after a payment."""

    PAY = "pay"
    DECLINE = "decline"
    LATE = "late"
    TWICE = "twice"
    TWO = "two"
    LOST = "lost"
    FORGE = "forge"
    WRONG = "wrong"
    REFUND = "refund"
    CHARGE_BACK = "charge-back"
    REVERSE = "reverse"


# After these the player goes back to the shop.
LEAVING = (Act.PAY, Act.DECLINE, Act.LATE, Act.TWICE, Act.TWO, Act.LOST)
# order-notify has no words for anything but that it was paid, and one name for every payment of an order.
OF_ORDER_NOTIFY = (Act.PAY, Act.LATE, Act.TWICE, Act.LOST, Act.FORGE, Act.WRONG)


class Impossible(Exception):
    """That cannot be done with this payment now."""


def possible(bill: Bill) -> tuple[Act, ...]:
    """What the provider's scheme can say."""
    return OF_ORDER_NOTIFY if bill.config.scheme == Provider.Scheme.ORDER_NOTIFY else tuple(Act)


def pay(bill: Bill, *, times: int = 1, seconds: int = 0) -> None:
    """Takes a payment, and tells of it so many times; whoever asks is told, too."""
    reference = new_reference("pay")
    message = success(bill, reference)
    memory.keep_payment(
        bill.config.slug,
        bill.order,
        Payment(
            reference=reference,
            amount=bill.amount,
            returned=0,
            dispute="",
            disputed=0,
            start=bill.reference,
            told=message.body,
        ),
    )
    for _ in range(times):
        send(bill, message, seconds=seconds)


def pay_two(bill: Bill) -> None:
    pay(bill)
    pay(bill)


def decline(bill: Bill) -> None:
    send(bill, event(bill, EventType.FAILED, new_reference("pay"), bill.amount))


def forge(bill: Bill) -> None:
    """What somebody sends who does not know the secret."""
    send(bill, success(bill, new_reference("pay"), is_forged=True))


def tell_wrong(bill: Bill) -> None:
    """One minor unit too little is said to be paid, or too much where nothing less is an amount."""
    send(bill, success(bill, new_reference("pay"), bill.amount - 1 or 2))


ACTS: dict[Act, Callable[[Bill], None]] = {
    Act.PAY: pay,
    Act.DECLINE: decline,
    Act.LATE: lambda bill: pay(bill, seconds=LATE_SECONDS),
    Act.TWICE: lambda bill: pay(bill, times=2),
    Act.TWO: pay_two,
    Act.LOST: lambda bill: pay(bill, times=0),
    Act.FORGE: forge,
    Act.WRONG: tell_wrong,
}


def left_of(payment: Payment) -> int:
    """What of a payment can still go back, in minor units."""
    return payment["amount"] - payment["returned"] - payment["disputed"]


def find_payment(bill: Bill, reference: str) -> Payment:
    payment = memory.payments_of(bill.config.slug, bill.order).get(reference)
    if payment is None:
        raise Impossible
    return payment


def refund(bill: Bill, reference: str, amount: int, *, seconds: int = 0) -> str:
    """Gives `amount` minor units of a payment back. Raises `Impossible`.

    Returns the refund's own reference.
    """
    payment = find_payment(bill, reference)
    if not 0 < amount <= left_of(payment):
        raise Impossible
    payment["returned"] += amount
    memory.keep_payment(bill.config.slug, bill.order, payment)
    own = new_reference("ref")
    send(bill, event(bill, EventType.REFUNDED, own, amount, payment=reference), seconds=seconds)
    return own


def charge_back(bill: Bill, reference: str) -> None:
    """The payer's bank takes all of a payment that is left. Raises `Impossible`."""
    payment = find_payment(bill, reference)
    if payment["dispute"] or not left_of(payment):
        raise Impossible
    payment["dispute"], payment["disputed"] = new_reference("dp"), left_of(payment)
    memory.keep_payment(bill.config.slug, bill.order, payment)
    send(
        bill, event(bill, EventType.CHARGED_BACK, payment["dispute"], payment["disputed"], payment=reference)
    )


def reverse(bill: Bill, reference: str) -> None:
    """The bank gives it back. Raises `Impossible`."""
    payment = find_payment(bill, reference)
    dispute, amount = payment["dispute"], payment["disputed"]
    if not dispute:
        raise Impossible
    payment["dispute"], payment["disputed"] = "", 0
    memory.keep_payment(bill.config.slug, bill.order, payment)
    send(bill, event(bill, EventType.CHARGE_BACK_REVERSED, dispute, amount, payment=reference))
