"""A transaction's state as operators see it."""

from django.utils.safestring import SafeString

from lib.backoffice.formatting import badge
from wallet.models import Transaction

COLOURS = {
    "pending": "info",
    "confirmed": "success",
    "rolled_back": "warning",
    "expired": "warning",
    "declined": "danger",
}


def show_state(transaction: Transaction) -> SafeString:
    """A transaction's state as a badge."""
    return badge(transaction.get_state_display(), COLOURS.get(transaction.state, ""))
