"""The state of a transaction, its settlement and its wallet, as operators see them."""

from typing import Any

from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.formatting import badge, link, moment, sentence
from wallet.currencies import show_amount
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


def transaction_title(transaction: Transaction) -> str:
    """What a person would call a transaction; its wallet and player are read."""
    kind = sentence(transaction.get_type_display())
    amount = show_amount(transaction.amount, transaction.wallet.currency_id)
    of = "" if transaction.amount is None else f" of {amount}"
    return f"{kind}{of}, {transaction.player.uid}"


def settled_column(source: str = "transaction") -> columns.Column:
    """When and by whom the transaction of a row was settled, and why."""

    def show(row: Any) -> str:
        by = columns.read(row, source)
        return f"{moment(by.settled_at)} by {by.settled_actor}{f': {by.reason}' if by.reason else ''}"

    return columns.Column("settled", show)


def wallet_column(source: str) -> columns.Column:
    """A link to a wallet, for the pages of others."""

    def show(row: Any) -> SafeString:
        wallet = columns.read(row, source)
        return link(f"{wallet.currency_id} wallet and its journal", "wallet_wallet_change", wallet.pk)

    return columns.Column("wallet", show)
