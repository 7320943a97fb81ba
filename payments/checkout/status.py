"""What a player is told of an order: one page for each way that it can stand."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments.checkout.payments import PAYABLE
from payments.models import Order, Payment

State = Order.State
# How long a page waits before it looks again, in seconds: soon at first, and after some ten minutes no more.
PAUSES = (1, 1, 2, 2, 3, 3, 5, 5, 8, 8, 13, 13, 20, 20, 30, 30, 45, 45, 60, 60, 60, 60, 60, 60)


class Tone(StrEnum):
    """How a page looks; what it means stands there in words."""

    WAITING = "waiting"
    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"


class Outcome(NamedTuple):
    """What stands at the top of the result page."""

    tone: Tone
    heading: str | Promise
    text: str | Promise

    @property
    def waits(self) -> bool:
        """Whether something is still to come, so that the page looks again by itself."""
        return self.tone == Tone.WAITING


WAITING = Outcome(
    Tone.WAITING,
    _("Waiting for the payment"),
    _("As soon as the payment provider confirms it, you see it here. It may take a moment."),
)
DELIVERING = Outcome(
    Tone.WAITING, _("Paid, and on its way"), _("Your payment has arrived. The game is being told to deliver.")
)
HELD = Outcome(
    Tone.PLAIN,
    _("Paid"),
    _(
        "Your payment has arrived, but it cannot be added to your wallet yet. "
        "Support looks after it; you need not do anything."
    ),
)
CREDITED = Outcome(
    Tone.GOOD, _("Thank you!"), _("Your payment has arrived, and your wallet has been topped up.")
)
DELIVERED = Outcome(
    Tone.GOOD, _("Thank you!"), _("Your payment has arrived, and the game has your purchase.")
)
FAILED = Outcome(
    Tone.BAD,
    _("The payment did not go through"),
    _("It was declined or cancelled. You can try again, or pay in another way."),
)
FAILED_FOR_GOOD = Outcome(
    Tone.BAD,
    _("The payment did not go through"),
    _("It was declined or cancelled. To try again, start the purchase anew in the game."),
)
EXPIRED = Outcome(
    Tone.BAD,
    _("This order has expired"),
    _(
        "It was not paid in time. Start the purchase anew in the game. "
        "If you have paid after all, it still counts as soon as the payment arrives."
    ),
)
REFUNDED = Outcome(Tone.PLAIN, _("Refunded"), _("The whole price has gone back to you."))
CHARGED_BACK = Outcome(
    Tone.PLAIN, _("Charged back"), _("The payment was reversed through your bank or card.")
)


def last_payment(page_key: str) -> Payment | None:
    """The payment of an order that was begun last, of those that could be begun."""
    return (
        Payment.objects.filter(order__page_key=page_key)
        .exclude(state=Payment.State.UNSTARTED)
        .order_by("-started_at", "-pk")
        .first()
    )


def outcome_of(order: Order, payment: Payment | None, at: datetime) -> Outcome | None:
    """What the player is told; None where paying has not begun. `payment` is the last one."""
    if order.state in PAYABLE:
        return unpaid(order, payment, is_over=order.expires_at <= at)
    if order.state == State.PAID:
        return DELIVERING if order.is_delivered_by_game else HELD
    if order.state == State.DELIVERED:
        return DELIVERED if order.is_delivered_by_game else CREDITED
    return {State.EXPIRED: EXPIRED, State.REFUNDED: REFUNDED, State.CHARGED_BACK: CHARGED_BACK}[
        State(order.state)
    ]


def unpaid(order: Order, payment: Payment | None, *, is_over: bool) -> Outcome | None:
    """As `outcome_of`, for an order that nobody has paid yet."""
    # A new try after a failure: the order's state is still that of the first one.
    if payment is not None and payment.state == Payment.State.STARTED and not is_over:
        return WAITING
    if order.state == State.FAILED:
        return FAILED_FOR_GOOD if is_over else FAILED
    return EXPIRED if is_over else None
