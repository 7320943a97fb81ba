"""A player's statement as a table in words, with the form that narrows it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils.safestring import SafeString

from lib.backoffice.conditions import read_moment
from lib.backoffice.formatting import NOTHING, clock, link, moment, mono, wrapped
from lib.backoffice.languages import _
from lib.backoffice.sections import Condition, Conditions, Section
from players.models import Game, Player
from wallet.admin.amounts import amount_cell
from wallet.admin.statement_words import show_change, tell
from wallet.admin.transaction_states import show_state
from wallet.archive.entries import ArchiveAway
from wallet.models import Entry, Wallet
from wallet.statement import read_page
from wallet.statement_terms import KINDS, StatementPage, Wanted

TITLE, ANCHOR = _("Statement"), "statement"
# The time leads to the story of the transaction.
HEADERS = (
    _("When (UTC)"),
    _("What happened"),
    _("Game or order"),
    _("Amount"),
    _("Balance after"),
    _("State now"),
)
# Of the choices that the form offers.
MOST_GAMES = 200
AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,4})?", re.ASCII)
UNREADABLE = _("This was left out, because it could not be read: {}.")
NAMES = ("kind", "game", "currency", "since", "until", "least", "most")

# Links to the orders with these ids; whoever knows orders makes them.
OrderLinks = Callable[[set[UUID]], Mapping[UUID, SafeString]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for, and which of its fields could not be read."""

    wanted: Wanted
    unread: Sequence[str]


def games_to_choose() -> list[tuple[str, str]]:
    """The games that a statement can be narrowed to, by name."""
    rows = Game.objects.order_by("name").values_list("slug", "name", "pk")[:MOST_GAMES]
    return [(slug, name) for slug, name, pk in rows]


def read_asked(given: Mapping[str, str], wallets: Sequence[Wallet]) -> Asked:
    """The conditions of an address; what cannot be meant is left out, and said to be."""
    slug, codes = text_of(given, "game"), {wallet.currency_id for wallet in wallets}
    read: dict[str, Any] = {
        "kind": text_of(given, "kind") if text_of(given, "kind") in KINDS else "",
        "game": Game.objects.filter(slug=slug).values_list("pk", flat=True).first() if slug else None,
        "currency": code if (code := text_of(given, "currency")) in codes else "",
        "since": read_moment(text_of(given, "since")) if text_of(given, "since") else None,
        "until": read_moment(text_of(given, "until")) if text_of(given, "until") else None,
        "least": read_amount(text_of(given, "least")),
        "most": read_amount(text_of(given, "most")),
    }
    unread = [name for name in NAMES if text_of(given, name) and read[name] in (None, "")]
    return Asked(Wanted(**read), unread)


def text_of(given: Mapping[str, str], name: str) -> str:
    """What an address says under a name."""
    return given.get(name, "").strip()


def read_amount(text: str) -> Decimal | None:
    """An amount in major units; separators between thousands may stand in it."""
    plain = text.replace(",", "")
    return Decimal(plain) if AMOUNT.fullmatch(plain) else None


def statement_section(
    player: Player,
    wallets: Sequence[Wallet],
    given: Mapping[str, str],
    order_links: OrderLinks,
    export: str = "",
) -> Section:
    """A page of the statement, for the player's page; `export` is the address that exports it."""
    asked = read_asked(given, wallets)
    try:
        page, away = read_page(player, wallets, asked.wanted, text_of(given, "before")), ""
    except ArchiveAway as problem:
        page, away = StatementPage([]), problem.words
    kept = {name: text_of(given, name) for name in NAMES if text_of(given, name)}
    older = f"?{urlencode(kept | {'before': page.following})}#{ANCHOR}"
    codes = {wallet.pk: wallet.currency_id for wallet in wallets}
    return Section(
        Wallet,
        TITLE,
        HEADERS,
        rows_of(page.entries, codes, order_links),
        empty_words(page, bool(kept)),
        more=(_("Older"), older) if page.following else None,
        back=(_("Newest"), f"?{urlencode(kept)}#{ANCHOR}") if text_of(given, "before") else None,
        form=form_of(asked, given, wallets, export),
        note=away or note_of(page),
    )


def note_of(page: StatementPage) -> str:
    """How far a page has looked, if it has not filled itself."""
    if page.looked_back_to is None or not page.following:
        return ""
    said = _("Looked back to {moment}. What is older is on the next page.")
    return said.format(moment=moment(page.looked_back_to))


def empty_words(page: StatementPage, is_narrowed: bool) -> str:
    if page.following:
        return _("Nothing of this kind on this page. Older entries have not been looked through yet.")
    return _("Nothing meets these conditions.") if is_narrowed else _("Nothing has happened in a wallet yet.")


def form_of(asked: Asked, given: Mapping[str, str], wallets: Sequence[Wallet], export: str) -> Conditions:
    """The form, with what was entered."""
    kinds = [(name, label) for name, (label, _) in KINDS.items()]
    codes = [(wallet.currency_id, wallet.currency_id) for wallet in wallets]
    fields = [
        Condition("kind", _("What"), text_of(given, "kind"), kinds),
        Condition("game", _("Game"), text_of(given, "game"), games_to_choose()),
        Condition("currency", _("Currency"), text_of(given, "currency"), codes),
        Condition("since", _("From (UTC)"), text_of(given, "since"), type="datetime-local"),
        Condition("until", _("Before (UTC)"), text_of(given, "until"), type="datetime-local"),
        Condition("least", _("Amount from"), text_of(given, "least")),
        Condition("most", _("Amount to"), text_of(given, "most")),
    ]
    labels = [str(field.label) for field in fields if field.name in asked.unread]
    problem = UNREADABLE.format(", ".join(labels)) if labels else ""
    return Conditions(fields, ANCHOR, problem, export)


def rows_of(
    entries: Sequence[Entry], codes: Mapping[UUID, str], order_links: OrderLinks
) -> list[tuple[Any, ...]]:
    """Entries by `HEADERS`."""
    named = {entry.transaction.reference for entry in entries if entry.transaction}
    orders = order_links({id for id in named if id})
    return [row(entry, codes[entry.wallet_id], orders) for entry in entries]


def row(entry: Entry, code: str, orders: Mapping[UUID, SafeString]) -> tuple[Any, ...]:
    transaction = entry.transaction
    at = clock(entry.at)
    return (
        link(at, "wallet_transaction_change", transaction.pk) if transaction else at,
        wrapped(tell(entry, code)),
        source_of(entry, orders),
        mono(show_change(entry, code)),
        amount_cell(entry.spendable, code),
        show_state(transaction) if transaction else NOTHING,
    )


def source_of(entry: Entry, orders: Mapping[UUID, SafeString]) -> Any:
    """The order that an entry belongs to, or else the game that caused it."""
    transaction = entry.transaction
    if transaction is None:
        return NOTHING
    if transaction.reference and transaction.reference in orders:
        return orders[transaction.reference]
    return transaction.game.slug if transaction.game else NOTHING
