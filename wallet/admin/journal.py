"""Journal entries as operators read them. Its only index is its order, which bounds every reading."""

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, mono, short_id, wrapped
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from wallet.admin.amounts import bare_cell
from wallet.archive.entries import ArchiveAway, archived_between, newest_archived, with_transactions
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


class JournalPage(NamedTuple):
    """Entries, newest first, where the next page begins, and what is not there that should be."""

    entries: Sequence[Entry]
    following: int | None
    missing: str = ""


def journal_page(wallet: Wallet, before: int | None) -> JournalPage:
    """A page of a wallet's journal that ends below the entry `before`."""
    entries = entries_of(wallet).select_related("transaction__game")
    found = list((entries.filter(seq__lt=before) if before else entries)[: PAGE + 1])
    is_beginning = bool(found) and found[-1].seq == 1
    if len(found) <= PAGE and not is_beginning:
        try:
            found += with_transactions(list(islice(newest_archived(wallet, before), PAGE + 1 - len(found))))
        except ArchiveAway as problem:
            return JournalPage(found, None, problem.words)
    return JournalPage(found[:PAGE], found[PAGE - 1].seq if len(found) > PAGE else None)


def entries_of_transaction(transaction: Transaction) -> Sequence[Entry]:
    """The entries of a transaction: its opening, its settlement, and a repaid debt that came with it."""
    opened, settled = transaction.opened_seq, transaction.settled_seq
    spans = [(opened, opened)] if settled is None else [(opened, opened), (settled - 1, settled)]
    return [entry for entry in entries_in(transaction, *spans) if entry.transaction_id == transaction.pk]


def entries_around(transaction: Transaction) -> Sequence[Entry]:
    """What happened in the wallet just before and after a transaction was opened, without its own entries."""
    span = (max(transaction.opened_seq - AROUND, 1), transaction.opened_seq + AROUND)
    return [entry for entry in entries_in(transaction, span) if entry.transaction_id != transaction.pk]


def entries_in(transaction: Transaction, *spans: tuple[int, int]) -> Sequence[Entry]:
    """Entries of a transaction's wallet in their order, from the first number to the last of each span."""
    wanted = reduce(or_, (Q(seq__range=span) for span in spans))
    rows = Entry.objects.filter(wanted, player_id=transaction.player_id, wallet_id=transaction.wallet_id)
    found = {entry.seq: entry for entry in rows.select_related("transaction__game")}
    wallet = Wallet(pk=transaction.wallet_id, player_id=transaction.player_id)
    with suppress(ArchiveAway):
        # Its wallet's journal says if they are away; the transaction's page has to be there all the same.
        for first, last in spans:
            if first not in found:
                found |= {entry.seq: entry for entry in archived_between(wallet, first, last)}
    return [found[seq] for seq in sorted(found)]


def last_freeze(wallet: Wallet) -> Entry | None:
    """The entry that froze a frozen wallet: few can have come after it."""
    found = entries_of(wallet).filter(event="frozen").first()
    try:
        return found or next((entry for entry in newest_archived(wallet) if entry.event == "frozen"), None)
    except ArchiveAway:
        return None


def show_event(event: str) -> SafeString:
    """What happened, as a badge."""
    return badge(EVENTS.get(event, event.replace("_", " ")), EVENT_COLOURS.get(event, ""))


def section(
    title: str,
    entries: Sequence[Entry],
    code: str,
    *,
    empty: str,
    note: str = "",
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
        note=note,
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
