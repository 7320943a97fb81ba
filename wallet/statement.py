"""A player's statement: the journals of all wallets merged into one, newest first, page by page.

The journal's only index is its order within a wallet, so a place in the statement is a number of an entry for
each wallet, a time is found by halving, and a search for rare entries looks through a bounded span.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from players.models import Player
from wallet.archive.entries import archived_up_to
from wallet.models import ArchivedPart, Entry, Wallet
from wallet.placement import beside
from wallet.statement_archived import balances_in_archive, read_archived
from wallet.statement_terms import KINDS, Line, Span, StatementPage, Wanted, minor, place_below, spans_of

PAGE = 25
# Entries of one wallet that one page looks through at most, if not every entry is wanted.
MOST_LOOKED_THROUGH = 5_000
# The last entry of each wallet before each of some times; if there is none, the last archived one, or 0. It
# halves the numbers, which have no gap, up to the last one.
SOUGHT = """
    WITH RECURSIVE halved AS (
        SELECT id AS wallet_id, moment, (
            -- Of what is archived, the database knows only up to where.
            SELECT coalesce(max(mark.entry_count), 0) FROM wallet_archivemark mark
            WHERE mark.player_id = %(player)s AND mark.wallet_id = wallet_wallet.id
        ) AS low, entry_count + 1 AS high
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
    archived = archived_up_to(player.pk, reading.wallets)
    narrow_to_times(reading, archived)
    floors = {span.wallet.pk: span.after for span in reading.spans}
    if archived and not any(
        span.before > archived.get(span.wallet.pk, span.after) + 1 for span in reading.spans
    ):
        return read_archived(reading.spans, wanted, size, MOST_LOOKED_THROUGH)
    # What is archived comes on pages of its own, after all that is not.
    for span in reading.spans:
        span.after = max(span.after, min(archived.get(span.wallet.pk, 0), span.before - 1))
    reached = narrow_to_bound(reading) if wanted.is_sparse else None
    lines = merged(found(reading, size + 1))
    shown = lines[:size]
    if len(lines) > size:
        return StatementPage(entries_of(player, shown), place_below(reading.spans, shown))
    if any(span.after > floors[span.wallet.pk] for span in reading.spans):
        rest = ".".join(f"{span.wallet.currency_id}-{span.after + 1}" for span in reading.spans)
        return StatementPage(entries_of(player, shown), rest, reached)
    return StatementPage(entries_of(player, shown))


def narrow_to_times(reading: Reading, archived: Mapping[UUID, int]) -> None:
    """Leaves out what lies before and after the wanted times; of what is archived, only if all of it does."""
    wanted = reading.wanted
    moments = [moment for moment in (wanted.since, wanted.until) if moment]
    if not moments:
        return
    sought = seek(reading.player, reading.wallets, moments)
    is_later = bool(archived and wanted.since and is_after_archive(wanted.since))
    for span in reading.spans:
        if wanted.since:
            last = sought[span.wallet.pk, wanted.since]
            if is_later or last > archived.get(span.wallet.pk, 0):
                span.after = max(span.after, last)
        if wanted.until:
            span.before = min(span.before, sought[span.wallet.pk, wanted.until] + 1)


def is_after_archive(moment: datetime) -> bool:
    """Whether nothing that is archived is as late as this."""
    return not ArchivedPart.objects.filter(ended_at__gt=moment).exists()


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
    """The number of the last entry before each moment in each wallet; if there is none, the last one that is
    archived, and 0 if none is.
    """
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
    older = balances_in_archive(
        player, [key for key, seq in sought.items() if seq and (key[0], seq) not in held]
    )
    return older | {
        (wallet_id, moment): held.get((wallet_id, seq), 0)
        for (wallet_id, moment), seq in sought.items()
        if (wallet_id, moment) not in older
    }


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


def merged(lists: Sequence[Sequence[Line]]) -> list[Line]:
    """Lines of several wallets in the order of time; within a wallet, in the wallet's order."""
    return list(heapq.merge(*lists, key=lambda line: line.at, reverse=True))


def entries_of(player: Player, lines: Sequence[Line]) -> list[Entry]:
    """The entries of some lines, in their order."""
    keys = [(player.pk, line.wallet_id, line.seq) for line in lines]
    rows: Any = Entry.objects.filter(pk__in=keys).select_related("transaction__game").defer("hash")
    by_key = {(row.wallet_id, row.seq): row for row in rows}
    return [by_key[line.wallet_id, line.seq] for line in lines]
