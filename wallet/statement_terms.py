"""What readers of a statement ask for, and the places in it: a number of an entry for each wallet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from lib.backoffice.languages import _
from wallet.currencies import decimals_of
from wallet.models import Entry, Transaction, Wallet

# More wallets has nobody: there is one for each currency.
MOST_WALLETS = 50
PLACE = re.compile(r"[A-Z0-9]{2,12}-[0-9]{1,18}(\.[A-Z0-9]{2,12}-[0-9]{1,18}){0,49}", re.ASCII)
PAID = ("payment", "sale", "payment_return", "sale_return", "top_up", "clawback", "set_aside")
BY_HAND = tuple(type.value for type in Transaction.BY_HAND)
WALLET_EVENTS = ("wallet_opened", "frozen", "unfrozen", "limit_set")
# What can be asked for: a condition on `entry` and `tx`, its transaction.
KINDS: Mapping[str, tuple[str, str]] = {
    "moved": (_("Changes of the balance"), "'spendable' IN (entry.debit, entry.credit)"),
    "withdrawal": (_("Withdrawals"), "tx.type = 'withdrawal'"),
    "deposit": (_("Deposits"), "tx.type = 'deposit'"),
    "paid": (_("Payments and refunds"), f"tx.type IN {PAID}"),
    "by_hand": (_("Adjustments by operators"), f"tx.type IN {BY_HAND}"),
    "declined": (_("Refused for money or a limit"), "entry.event = 'declined'"),
    "returned": (_("Rolled back or expired"), "entry.event IN ('rolled_back', 'expired')"),
    "debt": (_("Debt"), "'debt' IN (entry.debit, entry.credit)"),
    "wallet": (
        _("Freezes and limits"),
        f"entry.event IN {WALLET_EVENTS}",
    ),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries a reader asks for. Amounts are in major units of each entry's currency."""

    kind: str = ""
    game: UUID | None = None
    currency: str = ""
    since: datetime | None = None
    until: datetime | None = None
    least: Decimal | None = None
    most: Decimal | None = None

    @property
    def is_sparse(self) -> bool:
        """Whether entries are left out for what they are: only looking at each tells."""
        return any(value not in (None, "") for value in (self.kind, self.game, self.least, self.most))


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Entries, newest first, and where the next page begins, if there is one.

    `looked_back_to` is set if the search ended there without filling the page.
    """

    entries: list[Entry]
    following: str = ""
    looked_back_to: datetime | None = None


@dataclass(slots=True)
class Span:
    """Numbers of entries of one wallet, both ends left out."""

    wallet: Wallet
    after: int = 0
    before: int = 0


class Line(NamedTuple):
    wallet_id: UUID
    seq: int
    at: datetime


def spans_of(wallets: Sequence[Wallet], place: str) -> list[Span]:
    """All entries of each wallet, or those below a place; a wallet that it does not name was opened later."""
    if not place:
        return [Span(wallet, 0, wallet.entry_count + 1) for wallet in wallets]
    known = read_place(place)
    return [Span(wallet, 0, known.get(wallet.currency_id, 1)) for wallet in wallets]


def read_place(text: str) -> dict[str, int]:
    """The numbers below which a page begins, by currency; what is no place is the very beginning's end."""
    if not PLACE.fullmatch(text):
        return {}
    return {code: int(number) for code, _, number in (part.partition("-") for part in text.split("."))}


def place_below(spans: Sequence[Span], shown: Sequence[Line]) -> str:
    """The place below the entries that were shown."""
    lowest = {span.wallet.pk: span.before for span in spans}
    for line in shown:
        lowest[line.wallet_id] = line.seq
    return ".".join(f"{span.wallet.currency_id}-{lowest[span.wallet.pk]}" for span in spans)


def minor(amount: Decimal | None, wallet: Wallet) -> int | None:
    """An amount in minor units of a wallet's currency, rounded down; None if there is none."""
    return None if amount is None else int(amount.scaleb(decimals_of(wallet.currency_id) or 0))
