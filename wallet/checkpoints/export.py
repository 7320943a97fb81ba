"""Exports the journal, so that others can verify checkpoints without the database."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec
import psycopg

from lib.clock import now
from wallet.audit.rows import TRANSACTION_COLUMNS, divided, microseconds, snapshot
from wallet.checkpoints.database import currencies
from wallet.placement import beside
from wallet.proof.header import shown
from wallet.proof.journal import End, Start, WalletLine, entry_line

# Wallets whose entries are asked for at a time; however many these are, they come in pieces.
BATCH = 1_000
PIECE = 5_000
STEP = 10_000
ENCODER = msgspec.json.Encoder()
WALLETS = f"""
    SELECT id::text, player_id::text, currency_id, spendable, reserved, announced, debt, entry_count,
        encode(head, 'hex'),
        {microseconds("frozen_at")}, withdrawal_limit, {microseconds("opened_at")}
    FROM wallet_wallet ORDER BY id
"""  # noqa: S608 (our own constants)
ENTRIES = f"""
    SELECT e.player_id::text, e.wallet_id::text, e.seq, e.transaction_id::text, e.event, e.debit, e.credit,
        e.amount, e.spendable, e.reserved, e.announced, e.debt, e.actor, e.note, {microseconds("e.at")},
        e.version, e.hash,
        {TRANSACTION_COLUMNS}
    FROM unnest(%s::uuid[], %s::uuid[]) AS w (player_id, wallet_id)
    JOIN wallet_entry e ON e.player_id = w.player_id AND e.wallet_id = w.wallet_id
    LEFT JOIN wallet_transaction t ON t.id = e.transaction_id{beside("t", "e")}
    ORDER BY e.wallet_id, e.seq
"""  # noqa: S608
Write = Callable[[bytes], object]
Progress = Callable[[int, int], None]


def export_journal(write: Write, progress: Progress = lambda wallets, entries: None) -> tuple[int, int]:
    """Writes the whole journal as JSON lines, of one moment.

    Returns the numbers of wallets and entries; tells them meanwhile too.
    """
    wallets = entries = told = 0
    with snapshot() as raw:
        write(line(Start(2, shown(now()), currencies())))
        for batch in wallet_batches(raw):
            for count in write_batch(raw, batch, write):
                entries += count
                if entries - told >= STEP:
                    told = entries
                    progress(wallets, entries)
            wallets += len(batch)
        write(line(End(wallets, entries)))
    progress(wallets, entries)
    return wallets, entries


def line(content: object) -> bytes:
    return ENCODER.encode(content) + b"\n"


def wallet_batches(raw: psycopg.Connection[Any]) -> Iterator[list[WalletLine]]:
    with psycopg.ServerCursor(raw, "export_wallets") as cursor:
        cursor.itersize = BATCH
        cursor.execute(WALLETS)
        rows = iter(cursor)
        while batch := [WalletLine(*row) for row in islice(rows, BATCH)]:
            yield batch


def write_batch(raw: psycopg.Connection[Any], wallets: list[WalletLine], write: Write) -> Iterator[int]:
    """Writes some wallets, each with its entries after it. Yields 1 for every entry."""
    with psycopg.ServerCursor(raw, "export_entries") as cursor:
        cursor.itersize = PIECE
        cursor.execute(ENTRIES, [[wallet.player for wallet in wallets], [wallet.id for wallet in wallets]])
        rows = iter(cursor)
        row = next(rows, None)
        for wallet in wallets:
            write(line(wallet))
            while row is not None and row[1] == wallet.id:
                write(line(entry_line(*divided(row))))
                yield 1
                row = next(rows, None)
