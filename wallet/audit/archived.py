"""How wallets stood after the entries that were archived: replays begin there."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import psycopg

from wallet.audit.daily_totals import Moved
from wallet.audit.hash_chain import TransactionRow
from wallet.audit.replay import Mark, Replay, WalletRow
from wallet.audit.rows import TRANSACTION_COLUMNS, microseconds

AT_ONCE = 1_000
IS_ANY = "SELECT EXISTS (SELECT FROM wallet_archivedpart)"
MARK_COLUMNS = f"""
    m.player_id::text, m.wallet_id::text, m.currency_id, m.spendable, m.reserved, m.announced, m.debt,
    m.entry_count, m.head, {microseconds("m.frozen_at")}, m.withdrawal_limit, {microseconds("m.opened_at")},
    m.pending::text
"""
LATEST = f"""
    SELECT DISTINCT ON (m.player_id, m.wallet_id) {MARK_COLUMNS}
    FROM unnest(%s::uuid[], %s::uuid[]) AS k (player_id, wallet_id)
    JOIN wallet_archivemark m ON m.player_id = k.player_id AND m.wallet_id = k.wallet_id
    ORDER BY m.player_id, m.wallet_id, m.entry_count DESC
"""  # noqa: S608 (our own constants)
# Transactions that had not ended when the rest of their wallet was archived.
NAMED = f"""
    SELECT {TRANSACTION_COLUMNS} FROM unnest(%s::uuid[], %s::uuid[]) AS k (player_id, id)
    JOIN wallet_transaction t ON t.player_id = k.player_id AND t.id = k.id
"""  # noqa: S608 (our own constants)
MOVED = """
    SELECT day - date '1970-01-01', currency_id, debit, credit, sum(amount), sum(entries)::bigint
    FROM wallet_archivedmovement GROUP BY day, currency_id, debit, credit
"""
Beside = TypeVar("Beside")


class Archived(NamedTuple):
    """A wallet after its last archived entry; of what was pending then, `settled` no longer is, and `gone`
    are ids that no transaction has.
    """

    mark: Mark
    settled: list[TransactionRow]
    gone: list[str]


def with_archived(
    raw: psycopg.Connection[Any], wallets: Iterable[tuple[WalletRow, Beside]]
) -> Iterator[tuple[WalletRow, tuple[Beside, Archived | None]]]:
    """Each wallet, what came with it, and how it stood after its last archived entry, if one is."""
    ((is_any,),) = raw.execute(IS_ANY).fetchall()
    rest = iter(wallets)
    while batch := list(islice(rest, AT_ONCE)):
        known = archived_of(raw, [wallet for wallet, _ in batch]) if is_any else {}
        for wallet, beside in batch:
            yield wallet, (beside, known.get(wallet.wallet_id))


def archived_of(raw: psycopg.Connection[Any], wallets: Iterable[WalletRow]) -> dict[str, Archived]:
    """By wallet, how it stood after its last archived entry."""
    keys = [(wallet.player_id, wallet.wallet_id) for wallet in wallets]
    marks = [mark_of(row) for row in ask(raw, LATEST, [list(column) for column in zip(*keys, strict=True)])]
    named = [(mark.wallet.player_id, id) for mark in marks for id in mark.pending]
    found = {t.id: t for t in transactions_of(raw, named)}
    return {mark.wallet.wallet_id: archived(mark, found) for mark in marks}


def ask(raw: psycopg.Connection[Any], question: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """With psycopg's own cursor: Django's has no binary results, and would write all values into the text."""
    with psycopg.Cursor(raw) as cursor:
        return cursor.execute(question, parameters, binary=True).fetchall()


def mark_of(row: tuple[Any, ...]) -> Mark:
    """A row of `MARK_COLUMNS`."""
    *columns, pending = row
    return Mark(WalletRow(*columns), json.loads(pending), is_base=True)


def transactions_of(
    raw: psycopg.Connection[Any], named: Iterable[tuple[str, str]]
) -> Iterator[TransactionRow]:
    """The transactions of players with these ids that are there."""
    if keys := [list(column) for column in zip(*named, strict=True)]:
        yield from map(TransactionRow._make, ask(raw, NAMED, keys))


def archived(mark: Mark, found: dict[str, TransactionRow]) -> Archived:
    there = [found[id] for id in mark.pending if id in found]
    settled = [t for t in there if t.state != "pending" or t.settled_seq is not None]
    return Archived(mark, settled, [id for id in mark.pending if id not in found])


def begin_replay(wallet: WalletRow, mark: Mark | None, since: Archived | None) -> Replay:
    """A replay of all entries that are in the database."""
    replay = Replay(wallet, mark)
    if since is not None:
        replay.resume(since.mark, since.settled)
        for id in since.gone:
            replay.note(f"transaction {id}, which was pending when its entry was archived, is gone")
        if (wallet.currency, wallet.opened_at) != (since.mark.wallet.currency, since.mark.wallet.opened_at):
            replay.note("its currency or its beginning is not what it was when its entries were archived")
    return replay


def archived_movements(raw: psycopg.Connection[Any]) -> Moved:
    """What the archived parts of the journal moved."""
    return {
        (day, currency, debit, credit): [int(amount), entries]
        for day, currency, debit, credit, amount, entries in raw.execute(MOVED)
    }
