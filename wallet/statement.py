"""A player's statement: the journals of all wallets merged into one, newest first, page by page.

The journal's only index is its order within a wallet, so a place in the statement is a number of an entry for
each wallet, a time is found by halving, and a search for rare entries looks through a bounded span.
"""

import heapq
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from lib.backoffice.languages import _
from players.models import Player
from wallet.currencies import decimals_of
from wallet.models import Entry, Transaction, Wallet
from wallet.placement import beside

PAGE = 25
# Entries of one wallet that one page looks through at most, if not every entry is wanted.
MOST_LOOKED_THROUGH = 5_000
# More wallets has nobody: there is one for each currency.
MOST_WALLETS = 50
PLACE = re.compile(r"[A-Z0-9]{2,12}-[0-9]{1,18}(\.[A-Z0-9]{2,12}-[0-9]{1,18}){0,49}", re.ASCII)
PAID = ("payment", "sale", "payment_return", "sale_return", "top_up", "clawback", "set_aside")
BY_HAND = tuple(type.value for type in Transaction.BY_HAND)
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
        "entry.event IN ('wallet_opened', 'frozen', 'unfrozen', 'limit_set')",
    ),
}

# The last entry of each wallet before each of some times; 0 if there is none. It halves the numbers, which
# have no gap, between 0 and the last one.
SOUGHT = """
    WITH RECURSIVE halved AS (
        SELECT id AS wallet_id, moment, 0::bigint AS low, entry_count + 1 AS high
        FROM wallet_wallet CROSS JOIN unnest(%(moments)s::timestamptz[]) AS moments (moment)
        WHERE player_id = %(player)s AND id = ANY(%(wallets)s::uuid[])
        UNION ALL
        SELECT halved.wallet_id, moment,
            CASE WHEN entry.at < moment THEN entry.seq ELSE low END,
            CASE WHEN entry.at < moment THEN high ELSE entry.seq END
        FROM halved JOIN wallet_entry entry
            ON entry.player_id = %(player)s AND entry.wallet_id = halved.wallet_id
            AND entry.seq = (low + high) / 2
        WHERE high - low > 1
    )
    SELECT wallet_id, moment, max(low) FROM halved GROUP BY wallet_id, moment
"""
# The times of some entries, each named by its wallet and number.
TIMES = """
    SELECT max(entry.at)
    FROM unnest(%(wallets)s::uuid[], %(numbers)s::bigint[]) AS named (wallet_id, seq)
    JOIN wallet_entry entry
        ON entry.player_id = %(player)s AND entry.wallet_id = named.wallet_id AND entry.seq = named.seq
"""
# What wallets held after some entries.
HELD = """
    SELECT entry.wallet_id, entry.seq, entry.spendable
    FROM unnest(%(wallets)s::uuid[], %(numbers)s::bigint[]) AS named (wallet_id, seq)
    JOIN wallet_entry entry
        ON entry.player_id = %(player)s AND entry.wallet_id = named.wallet_id AND entry.seq = named.seq
"""
# The newest entries in a span of each wallet, in the wallet's order.
FOUND = """
    SELECT span.wallet_id, line.seq, line.at
    FROM unnest(%(wallets)s::uuid[], %(after)s::bigint[], %(before)s::bigint[], %(least)s::bigint[],
                %(most)s::bigint[]) AS span (wallet_id, after, before, least, most)
    CROSS JOIN LATERAL (
        SELECT entry.seq, entry.at
        FROM wallet_entry entry{join}
        WHERE entry.player_id = %(player)s AND entry.wallet_id = span.wallet_id
            AND entry.seq > span.after AND entry.seq < span.before{conditions}
        ORDER BY entry.seq DESC LIMIT %(limit)s
    ) line
"""
JOIN = f" LEFT JOIN wallet_transaction tx ON tx.id = entry.transaction_id{beside('tx', 'entry')}"


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


@dataclass(slots=True)
class Reading:
    """A reading of a player's journals: which entries, in which spans."""

    player: Player
    wanted: Wanted
    spans: list[Span] = field(default_factory=list)

    @property
    def wallets(self) -> list[UUID]:
        return [span.wallet.pk for span in self.spans]


def read_page(
    player: Player, wallets: Sequence[Wallet], wanted: Wanted, place: str = "", size: int = PAGE
) -> StatementPage:
    """A page of a player's statement, by a bounded number of queries, however long the journals are."""
    chosen = [wallet for wallet in wallets if wanted.currency in ("", wallet.currency_id)]
    reading = Reading(player, wanted, spans_of(chosen, place))
    narrow_to_times(reading)
    floors = {span.wallet.pk: span.after for span in reading.spans}
    reached = narrow_to_bound(reading) if wanted.is_sparse else None
    lines = merged(found(reading, size + 1))
    shown = lines[:size]
    if len(lines) > size:
        return StatementPage(entries_of(player, shown), place_below(reading.spans, shown))
    if any(span.after > floors[span.wallet.pk] for span in reading.spans):
        rest = ".".join(f"{span.wallet.currency_id}-{span.after + 1}" for span in reading.spans)
        return StatementPage(entries_of(player, shown), rest, reached)
    return StatementPage(entries_of(player, shown))


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


def narrow_to_times(reading: Reading) -> None:
    """Leaves out what lies before and after the wanted times."""
    wanted = reading.wanted
    moments = [moment for moment in (wanted.since, wanted.until) if moment]
    if not moments:
        return
    sought = seek(reading.player, reading.wallets, moments)
    for span in reading.spans:
        if wanted.since:
            span.after = max(span.after, sought[span.wallet.pk, wanted.since])
        if wanted.until:
            span.before = min(span.before, sought[span.wallet.pk, wanted.until] + 1)


def narrow_to_bound(reading: Reading) -> datetime | None:
    """Leaves out what one page does not look through. Returns the time down to which it looks, if so.

    All wallets are read down to the same time, for what follows goes on from there in the order of time.
    """
    long = [span for span in reading.spans if span.before - span.after - 1 > MOST_LOOKED_THROUGH]
    if not long:
        return None
    given: dict[str, Any] = {
        "player": reading.player.pk,
        "wallets": [span.wallet.pk for span in long],
        "numbers": [span.before - MOST_LOOKED_THROUGH for span in long],
    }
    with connection.cursor() as cursor:
        cursor.execute(TIMES, given)
        [(reached,)] = cursor.fetchall()
    sought = seek(reading.player, reading.wallets, [reached])
    for span in reading.spans:
        span.after = max(span.after, min(sought[span.wallet.pk, reached], span.before - 1))
    return reached  # type: ignore[no-any-return]


def seek(
    player: Player, wallets: Sequence[UUID], moments: Sequence[datetime]
) -> dict[tuple[UUID, datetime], int]:
    """The number of the last entry before each moment in each wallet, 0 if there is none."""
    given: dict[str, Any] = {"player": player.pk, "wallets": list(wallets), "moments": list(moments)}
    with connection.cursor() as cursor:
        cursor.execute(SOUGHT, given)
        return {(wallet_id, moment): seq for wallet_id, moment, seq in cursor.fetchall()}


def balances_at(
    player: Player, wallets: Sequence[UUID], moments: Sequence[datetime]
) -> dict[tuple[UUID, datetime], int]:
    """What was spendable in each wallet just before each moment, in minor units; 0 before it was opened."""
    sought = seek(player, wallets, moments)
    named = sorted({(wallet_id, seq) for (wallet_id, _), seq in sought.items() if seq})
    given: dict[str, Any] = {
        "player": player.pk,
        "wallets": [wallet_id for wallet_id, _ in named],
        "numbers": [seq for _, seq in named],
    }
    with connection.cursor() as cursor:
        cursor.execute(HELD, given)
        held = {(wallet_id, seq): spendable for wallet_id, seq, spendable in cursor.fetchall()}
    return {(wallet_id, moment): held.get((wallet_id, seq), 0) for (wallet_id, moment), seq in sought.items()}


def found(reading: Reading, limit: int) -> list[list[Line]]:
    """The newest wanted entries of each wallet, in its order."""
    wanted, spans = reading.wanted, reading.spans
    conditions = [KINDS[wanted.kind][1]] if wanted.kind else []
    conditions += ["tx.game_id = %(game)s"] if wanted.game else []
    conditions += ["entry.amount >= span.least"] if wanted.least is not None else []
    conditions += ["entry.amount <= span.most"] if wanted.most is not None else []
    given: dict[str, Any] = {
        "player": reading.player.pk,
        "wallets": reading.wallets,
        "after": [span.after for span in spans],
        "before": [span.before for span in spans],
        "least": [minor(wanted.least, span.wallet) for span in spans],
        "most": [minor(wanted.most, span.wallet) for span in spans],
        "game": wanted.game,
        "limit": limit,
    }
    text = FOUND.format(
        join=JOIN if wanted.kind or wanted.game else "",
        conditions="".join(f" AND {one}" for one in conditions),
    )
    lists: dict[UUID, list[Line]] = {id: [] for id in reading.wallets}
    with connection.cursor() as cursor:
        cursor.execute(text, given)
        for row in sorted(cursor.fetchall(), key=lambda row: -row[1]):
            lists[row[0]].append(Line(*row))
    return list(lists.values())


def minor(amount: Decimal | None, wallet: Wallet) -> int | None:
    """An amount in minor units of a wallet's currency, rounded down; None if there is none."""
    return None if amount is None else int(amount.scaleb(decimals_of(wallet.currency_id) or 0))


def merged(lists: Sequence[Sequence[Line]]) -> list[Line]:
    """Lines of several wallets in the order of time; within a wallet, in the wallet's order."""
    return list(heapq.merge(*lists, key=lambda line: line.at, reverse=True))


def entries_of(player: Player, lines: Sequence[Line]) -> list[Entry]:
    """The entries of some lines, in their order."""
    keys = [(player.pk, line.wallet_id, line.seq) for line in lines]
    rows: Any = Entry.objects.filter(pk__in=keys).select_related("transaction__game").defer("hash")
    by_key = {(row.wallet_id, row.seq): row for row in rows}
    return [by_key[line.wallet_id, line.seq] for line in lines]
