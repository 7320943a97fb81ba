"""Journal entries as operators read them. Its only index is its order, which bounds every reading."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, mono, short_id, wrapped
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from wallet.admin.amounts import bare_cell
from wallet.models import Entry, Transaction, Wallet

PAGE = 25
# Two words that may stand above each other.
PAIR = '<span class="wallet-pair">{}<wbr>{}</span>'
# Entries before and after a transaction: the same round of a game.
AROUND = 6
EVENTS = {
    "opened": _("opened"),
    "confirmed": _("confirmed"),
    "rolled_back": _("rolled back"),
    "expired": _("expired"),
    "declined": _("declined"),
    "tombstone": _("tombstone"),
    "wallet_opened": _("wallet opened"),
    "frozen": _("frozen"),
    "unfrozen": _("unfrozen"),
    "limit_set": _("limit set"),
    "debt_repaid": _("debt repaid"),
    "posted": _("posted"),
    "adjusted": _("adjusted"),
    "rollback_noted": _("rollback noted"),
}
BALANCES = {
    "spendable": _("Spendable"),
    "reserved": _("Reserved"),
    "announced": _("Announced"),
    "debt": _("Debt"),
}
EVENT_COLOURS = {
    "confirmed": "success",
    "declined": "danger",
    "frozen": "danger",
    "rolled_back": "warning",
    "expired": "warning",
    "tombstone": "warning",
}


def entries_of(wallet: Wallet) -> QuerySet[Entry]:
    """A wallet's entries, newest first, by the primary key."""
    return Entry.objects.filter(player_id=wallet.player_id, wallet_id=wallet.pk).order_by("-seq")


def journal_page(wallet: Wallet, before: int | None) -> tuple[Sequence[Entry], int | None]:
    """A page of a wallet's journal that ends below the entry `before`, and where the next page begins."""
    entries = entries_of(wallet).select_related("transaction__game")
    found = list((entries.filter(seq__lt=before) if before else entries)[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].seq if len(found) > PAGE else None


def entries_of_transaction(transaction: Transaction) -> Sequence[Entry]:
    """The entries of a transaction: its opening, its settlement, and a repaid debt that came with it."""
    numbers = {transaction.opened_seq}
    if transaction.settled_seq is not None:
        numbers |= {transaction.settled_seq - 1, transaction.settled_seq}
    found = Entry.objects.filter(
        player_id=transaction.player_id, wallet_id=transaction.wallet_id, seq__in=numbers
    )
    return [entry for entry in found.order_by("seq") if entry.transaction_id == transaction.pk]


def entries_around(transaction: Transaction) -> Sequence[Entry]:
    """What happened in the wallet just before and after a transaction was opened, without its own entries."""
    first, last = transaction.opened_seq - AROUND, transaction.opened_seq + AROUND
    found = Entry.objects.filter(
        player_id=transaction.player_id, wallet_id=transaction.wallet_id, seq__range=(first, last)
    )
    rows = found.select_related("transaction__game").order_by("seq")
    return [entry for entry in rows if entry.transaction_id != transaction.pk]


def last_freeze(wallet: Wallet) -> Entry | None:
    """The entry that froze a frozen wallet: few can have come after it."""
    return entries_of(wallet).filter(event="frozen").first()


def show_event(event: str) -> SafeString:
    """What happened, as a badge."""
    return badge(EVENTS.get(event, event.replace("_", " ")), EVENT_COLOURS.get(event, ""))


def section(
    title: str,
    entries: Sequence[Entry],
    code: str,
    *,
    empty: str,
    more: tuple[str, str] | None = None,
    back: tuple[str, str] | None = None,
) -> Section:
    """Entries as a table, with a Section's links. What is zero in all of them takes no column."""
    shown = [
        name for name in BALANCES if name == "spendable" or any(getattr(entry, name) for entry in entries)
    ]
    headers = (
        _("No."),
        _("When (UTC)"),
        _("Event"),
        _("From → to"),
        _("Amount"),
        _("Transaction or reason"),
        *(BALANCES[name] for name in shown),
        _("By"),
    )
    return Section(
        Wallet,
        f"{title} ({code})",
        headers,
        [row(entry, code, shown) for entry in entries],
        empty,
        more,
        back,
    )


def row(entry: Entry, code: str, shown: Sequence[str]) -> tuple[Any, ...]:
    """One entry; an amount that moved between no accounts was only announced, declined or noted."""
    moved = (
        format_html(PAIR, f"{entry.get_debit_display()} → ", entry.get_credit_display())
        if entry.debit
        else NOTHING
    )
    after = (bare_cell(getattr(entry, name), code) for name in shown)
    named = (
        link(short_id(entry.transaction_id), "wallet_transaction_change", entry.transaction_id)
        if entry.transaction_id
        else wrapped(entry.note)
    )
    return (
        mono(entry.seq),
        clock(entry.at),
        show_event(entry.event),
        moved,
        bare_cell(entry.amount, code),
        named,
        *after,
        show_actor(entry.actor),
    )


def show_actor(actor: str) -> SafeString:
    """Who did it: what kind of caller above its name, so that a journal fits on a page."""
    kind, colon, name = actor.partition(":")
    return format_html(PAIR, f"{kind}:", name) if colon else clipped(actor)
