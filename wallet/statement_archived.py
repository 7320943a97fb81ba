"""The part of a player's statement that is archived, read from files."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, islice, takewhile
from uuid import UUID

from players.models import Player
from wallet.archive.entries import newest_archived, with_transactions
from wallet.models import Entry, Transaction, Wallet
from wallet.statement_terms import (
    BY_HAND,
    PAID,
    WALLET_EVENTS,
    Line,
    Span,
    StatementPage,
    Wanted,
    minor,
    place_below,
)

# Entries whose transactions are looked up at once.
AT_ONCE = 200


def is_type(*types: str) -> Callable[[Entry, Transaction | None], bool]:
    return lambda entry, tx: tx is not None and tx.type in types


def is_event(*events: str) -> Callable[[Entry, Transaction | None], bool]:
    return lambda entry, tx: entry.event in events


def is_on(account: str) -> Callable[[Entry, Transaction | None], bool]:
    return lambda entry, tx: account in (entry.debit, entry.credit)


# The same conditions as those of `KINDS`.
TESTS: Mapping[str, Callable[[Entry, Transaction | None], bool]] = {
    "moved": is_on("spendable"),
    "withdrawal": is_type("withdrawal"),
    "deposit": is_type("deposit"),
    "paid": is_type(*PAID),
    "by_hand": is_type(*BY_HAND),
    "declined": is_event("declined"),
    "returned": is_event("rolled_back", "expired"),
    "debt": is_on("debt"),
    "wallet": is_event(*WALLET_EVENTS),
}


def read_archived(spans: Sequence[Span], wanted: Wanted, size: int, most: int) -> StatementPage:
    """A page of entries in these spans, all of them archived; looks through `most` at most.

    Raises `ArchiveAway`.
    """
    by_id = {span.wallet.pk: span for span in spans}
    lines = heapq.merge(*map(walk, spans), key=lambda entry: entry.at, reverse=True)
    shown: list[Entry] = []
    last: list[Line] = []
    for _round in range(-(-most // AT_ONCE)):
        batch = with_transactions(list(islice(lines, AT_ONCE)))
        for entry in batch:
            if wanted.since and entry.at < wanted.since:
                return StatementPage(shown)
            if len(shown) == size:
                return StatementPage(shown, place_below(spans, last))
            last.append(Line(entry.wallet_id, entry.seq, entry.at))
            if is_wanted(entry, wanted, by_id[entry.wallet_id].wallet):
                shown.append(entry)
        if len(batch) < AT_ONCE:
            return StatementPage(shown)
    return StatementPage(shown, place_below(spans, last), last[-1].at)


def walk(span: Span) -> Iterator[Entry]:
    """The entries of a span, the newest first."""
    return takewhile(lambda entry: entry.seq > span.after, newest_archived(span.wallet, span.before))


def is_wanted(entry: Entry, wanted: Wanted, wallet: Wallet) -> bool:
    tx, amount = entry.transaction if entry.transaction_id else None, entry.amount
    least, most = minor(wanted.least, wallet), minor(wanted.most, wallet)
    return (
        (not wanted.until or entry.at < wanted.until)
        and (not wanted.kind or TESTS[wanted.kind](entry, tx))
        and (not wanted.game or (tx is not None and tx.game_id == wanted.game))
        and (least is None or (amount is not None and amount >= least))
        and (most is None or (amount is not None and amount <= most))
    )


def balances_in_archive(
    player: Player, asked: Sequence[tuple[UUID, datetime]]
) -> dict[tuple[UUID, datetime], int]:
    """What was spendable in wallets just before moments whose last entry is archived; 0 before the first."""
    held = dict.fromkeys(asked, 0)
    for wallet_id, keys in groupby(sorted(asked), key=lambda key: key[0]):
        moments = [moment for _, moment in keys]
        for entry in newest_archived(Wallet(pk=wallet_id, player_id=player.pk)):
            while moments and entry.at < moments[-1]:
                held[wallet_id, moments.pop()] = entry.spendable
            if not moments:
                break
    return held
