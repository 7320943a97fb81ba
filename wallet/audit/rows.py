"""Reads wallets and their entries out of the database, side by side, in the order of their keys."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import transaction

from lib.standby import reader
from wallet.audit.hash_chain import EntryRow, TransactionRow
from wallet.audit.replay import WalletRow

BATCH = 5_000


def microseconds(column: str) -> str:
    """Since 1970. A double has the 53 bits for that until the year 2242, and is far cheaper than numeric."""
    return f"(date_part('epoch', {column}) * 1000000)::bigint"


WALLET_COLUMNS = f"""
    w.player_id::text, w.id::text, w.currency_id, w.spendable, w.reserved, w.announced, w.debt, w.entry_count,
    w.head, {microseconds("w.frozen_at")}, w.withdrawal_limit, {microseconds("w.opened_at")},
    {microseconds("w.limited_at")}
"""
TRANSACTION_COLUMNS = f"""
    t.id::text, t.player_id::text, t.wallet_id::text, t.game_id::text, t.session_id::text, t.type,
    t.mm_transaction_id, t.state, t.amount, t.refusal, t.description, t.source, t.actor,
    t.reverses_id::text, {microseconds("t.opened_at")}, t.opened_seq, {microseconds("t.due_at")},
    {microseconds("t.settled_at")}, t.settled_seq, t.settled_source, t.settled_actor, t.reason,
    t.reference::text, t.opened_balance, t.settled_balance
"""
# On several machines only what is of one player is on one of them.
BESIDE = "AND t.player_id = e.player_id" if settings.DATABASE_DISTRIBUTED else ""
WALLETS_WHERE = f"SELECT {WALLET_COLUMNS} FROM wallet_wallet w {{where}} ORDER BY w.player_id, w.id"
ENTRIES_WHERE = f"""
    SELECT e.player_id::text, e.wallet_id::text, e.seq, e.transaction_id::text, e.event, e.debit, e.credit,
        e.amount, e.spendable, e.reserved, e.announced, e.debt, e.actor, e.note, {microseconds("e.at")},
        e.version, e.hash, {TRANSACTION_COLUMNS}
    FROM {{from_keys}}wallet_entry e {{on_keys}}LEFT JOIN wallet_transaction t ON t.id = e.transaction_id
        {BESIDE}
    {{where}} ORDER BY e.player_id, e.wallet_id, e.seq
"""
WALLETS = WALLETS_WHERE.format(where="")
WALLETS_OF = WALLETS_WHERE.format(where="WHERE w.player_id = ANY(%s::uuid[])")
ENTRIES = ENTRIES_WHERE.format(from_keys="", on_keys="", where="")
ENTRIES_OF = ENTRIES_WHERE.format(from_keys="", on_keys="", where="WHERE e.player_id = ANY(%s::uuid[])")
ENTRIES_BETWEEN = ENTRIES_WHERE.format(
    from_keys="", on_keys="", where="WHERE e.player_id >= %s AND e.player_id <= %s"
)
# From a number on, of wallets that are named.
ENTRIES_SINCE = ENTRIES_WHERE.format(
    from_keys="unnest(%s::uuid[], %s::uuid[], %s::bigint[]) AS k (player_id, wallet_id, since) JOIN ",
    on_keys="ON e.player_id = k.player_id AND e.wallet_id = k.wallet_id AND e.seq >= k.since ",
    where="",
)
ENTRY_WIDTH = len(EntryRow._fields)
Row = tuple[Any, ...]
Wallet = TypeVar("Wallet")


@contextmanager
def snapshot() -> Iterator[psycopg.Connection]:
    """One moment of the database, whatever goes on meanwhile; for reading only. Of the standby, where that is
    read.
    """
    theirs = reader()
    with transaction.atomic(using=theirs.alias):
        with theirs.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield theirs.connection


def read(
    raw: psycopg.Connection, name: str, question: str, parameters: list[Any] | dict[str, Any] | None = None
) -> "psycopg.ServerCursor[Row]":
    """A cursor on the rows of a question, which come in batches. To be closed."""
    cursor = psycopg.ServerCursor(raw, name)
    cursor.itersize = BATCH
    cursor.execute(question, parameters, binary=True)
    return cursor


def side_by_side(
    wallets: Iterable[tuple[WalletRow, Wallet]], entries: Iterable[Row]
) -> Iterator[tuple[tuple[WalletRow, Wallet] | None, Iterator[Row]]]:
    """Each wallet, with what came with it, and its entries; both in the order of their keys.

    None for entries whose wallet is not there.
    """
    groups = groupby(entries, key=itemgetter(0, 1))
    group = next(groups, None)
    for found in wallets:
        key = (found[0].player_id, found[0].wallet_id)
        while group is not None and group[0] < key:
            yield None, group[1]
            group = next(groups, None)
        if group is None or group[0] != key:
            yield found, iter(())
        else:
            yield found, group[1]
            group = next(groups, None)
    while group is not None:
        yield None, group[1]
        group = next(groups, None)


def divided(row: Row) -> tuple[EntryRow, TransactionRow | None]:
    """A joined row: the entry, and the transaction that it names, if that is there."""
    named = TransactionRow._make(row[ENTRY_WIDTH:]) if row[ENTRY_WIDTH] is not None else None
    return EntryRow._make(row[:ENTRY_WIDTH]), named


def next_id(id: UUID) -> UUID:
    """The id after this one in the order of ids."""
    return UUID(int=id.int + 1)
