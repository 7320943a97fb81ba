"""States of orders and of the rows that belong to them, as operators see them."""

from django.utils.safestring import SafeString

from lib.backoffice.formatting import badge
from lib.backoffice.languages import _
from payments.models import Callback, Delivery, Order, Payment, Refund

ORDER_COLOURS = {
    "created": "info",
    "paid": "warning",
    "delivered": "success",
    "failed": "danger",
    "charged_back": "danger",
}
PAYMENT_COLOURS = {"started": "info", "unstarted": "danger", "failed": "danger", "paid": "success"}
REFUND_COLOURS = {
    "asked": "info",
    "unknown": "warning",
    "refused": "danger",
    "remembered": "warning",
    "done": "success",
    "reversed": "warning",
}
DELIVERY_COLOURS = {"pending": "info", "delivered": "success", "gone": "danger", "exhausted": "danger"}
OUTCOME_COLOURS = {
    "acted": "success",
    "duplicate": "warning",
    "contradicts": "danger",
    "no_order": "danger",
}
# In a word, for the lists.
DELIVERY_WORDS = {"gone": _("stopped (410)"), "returned": _("payment returned"), "exhausted": _("given up")}
OUTCOME_WORDS = {"duplicate": _("duplicate payment")}
# Events of orders and callbacks that the platform knows.
TYPES = {
    "created": _("created"),
    "started": _("started"),
    "expired": _("expired"),
    "succeeded": _("succeeded"),
    "failed": _("failed"),
    "refunded": _("refunded"),
    "refund asked": _("refund asked"),
    "refund applied": _("refund applied"),
    "refund reversed": _("refund reversed"),
    "charged back": _("charged back"),
    "chargeback applied": _("chargeback applied"),
    "chargeback reversed": _("chargeback reversed"),
    "duplicate payment": _("duplicate payment"),
    "refund": _("refund"),
    "refund refused": _("refund refused"),
    "refund remembered": _("refund remembered"),
    "chargeback": _("chargeback"),
    "chargeback remembered": _("chargeback remembered"),
    "delivered": _("delivered"),
    "delivery sent again": _("delivery sent again"),
    "delivery gone": _("delivery gone"),
    "delivery given up": _("delivery given up"),
    "provider asked": _("provider asked"),
    "provider answered": _("provider answered"),
    "provider unanswered": _("provider unanswered"),
}


def in_words(type: str) -> str:
    """The type of an event or callback in operators' words: `charge_back_reversed` is chargeback reversed."""
    words = type.removeprefix("payment.").replace("charge_back", "chargeback").replace("_", " ")
    return str(TYPES.get(words, words))


def show_order_state(state: str) -> SafeString:
    """An order's state as a badge; before the first one there was none."""
    return badge(str(Order.State(state).label), ORDER_COLOURS.get(state, "")) if state else badge(_("new"))


def show_payment_state(payment: Payment) -> SafeString:
    return (
        badge(_("duplicate payment"), "warning")
        if payment.is_duplicate
        else badge(payment.get_state_display(), PAYMENT_COLOURS[payment.state])
    )


def show_refund_state(refund: Refund) -> SafeString:
    return badge(refund.get_state_display(), REFUND_COLOURS.get(refund.state, ""))


def show_delivery_state(delivery: Delivery) -> SafeString:
    return badge(
        DELIVERY_WORDS.get(delivery.state) or delivery.get_state_display(),
        DELIVERY_COLOURS.get(delivery.state, ""),
    )


def show_outcome_of(outcome: str) -> SafeString:
    """The outcome of a callback that was refused at first."""
    label = OUTCOME_WORDS.get(outcome) or str(Callback.Outcome(outcome).label)
    return badge(_("verified: {outcome}").format(outcome=label), OUTCOME_COLOURS.get(outcome, ""))


def show_outcome(callback: Callback) -> SafeString:
    """The outcome of a callback; without colour if it needs no review any more."""
    colour = "" if callback.resolved_at else OUTCOME_COLOURS.get(callback.outcome, "")
    return badge(OUTCOME_WORDS.get(callback.outcome) or callback.get_outcome_display(), colour)
