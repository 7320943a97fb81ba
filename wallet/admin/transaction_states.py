"""The state of a transaction, its settlement and its wallet, as operators see them."""

from typing import Any

from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.formatting import badge, link, moment, sentence
from lib.backoffice.languages import _
from wallet.currencies import show_amount
from wallet.models import Transaction

COLOURS = {
    "pending": "info",
    "confirmed": "success",
    "rolled_back": "warning",
    "expired": "warning",
    "declined": "danger",
}
# What each type is in a list.
TYPES = {
    "withdrawal": _("withdrawal"),
    "deposit": _("deposit"),
    "credit": _("credit"),
    "debit": _("debit"),
    "write_off": _("write off"),
    "late_withdrawal": _("late withdrawal"),
    "late_deposit": _("late deposit"),
    "withdrawal_back": _("withdrawal back"),
    "deposit_back": _("deposit back"),
    "payment": _("payment"),
    "sale": _("sale"),
    "payment_return": _("payment return"),
    "sale_return": _("sale return"),
    "top_up": _("top up"),
    "clawback": _("clawback"),
    "set_aside": _("set aside"),
}
REFUSALS = {
    "insufficient_funds": _("insufficient funds"),
    "limit_reached": _("limit reached"),
}


def show_state(transaction: Transaction) -> SafeString:
    """A transaction's state as a badge."""
    return badge(transaction.get_state_display(), COLOURS.get(transaction.state, ""))


def show_type(transaction: Transaction) -> str:
    """A transaction's type in short."""
    return TYPES[transaction.type]


def transaction_title(transaction: Transaction) -> str:
    """What a person would call a transaction; its wallet and player are read."""
    kind = sentence(transaction.get_type_display())
    amount = show_amount(transaction.amount, transaction.wallet.currency_id)
    words = _("{kind}, {uid}") if transaction.amount is None else _("{kind} of {amount}, {uid}")
    return words.format(kind=kind, amount=amount, uid=transaction.player.uid)


def settled_column(source: str = "transaction") -> columns.Column:
    """When and by whom the transaction of a row was settled, and why."""

    def show(row: Any) -> str:
        by = columns.read(row, source)
        words = _("{moment} by {actor}: {reason}") if by.reason else _("{moment} by {actor}")
        return words.format(moment=moment(by.settled_at), actor=by.settled_actor, reason=by.reason)

    return columns.Column(_("settled"), show)


def wallet_column(source: str) -> columns.Column:
    """A link to a wallet, for the pages of others."""

    def show(row: Any) -> SafeString:
        wallet = columns.read(row, source)
        words = _("{code} wallet and its journal").format(code=wallet.currency_id)
        return link(words, "wallet_wallet_change", wallet.pk)

    return columns.Column(_("wallet"), show)
