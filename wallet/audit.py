"""Reads the whole ledger in one snapshot and compares everything with everything (design: balances are caches)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from django.db import connection, transaction

from wallet.chain import EntryRow, TransactionRow
from wallet.replay import Replay, WalletRow

BATCH = 5_000
KEPT_PROBLEMS = 20


def microseconds(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


WALLETS = f"""
    SELECT player_id::text, id::text, currency_id, spendable, reserved, announced, debt, entry_count, head,
        {microseconds("frozen_at")}, withdrawal_limit, {microseconds("opened_at")}
    FROM wallet_wallet ORDER BY player_id, id
"""
ENTRIES = f"""
    SELECT e.player_id::text, e.wallet_id::text, e.seq, e.transaction_id::text, e.event, e.debit, e.credit, e.amount,
        e.spendable, e.reserved, e.announced, e.debt, e.actor, e.note, {microseconds("e.at")}, e.version, e.hash,
        t.id::text, t.player_id::text, t.wallet_id::text, t.game_id::text, t.session_id::text, t.type, t.mm_transaction_id, t.state, t.amount,
        t.refusal, t.description, t.source, t.actor, t.reverses_id::text, {microseconds("t.opened_at")}, t.opened_seq, {microseconds("t.due_at")},
        {microseconds("t.settled_at")}, t.settled_seq, t.settled_source, t.settled_actor, t.reason
    FROM wallet_entry e LEFT JOIN wallet_transaction t ON t.id = e.transaction_id
    ORDER BY e.player_id, e.wallet_id, e.seq
"""
ENTRY_WIDTH = len(EntryRow._fields)

# What no walk through the wallets meets: each question names the rows that should not be there.
ORPHANS = {
    "an entry of no wallet": "SELECT wallet_id::text || ' entry ' || seq FROM wallet_entry e WHERE NOT EXISTS (SELECT 1 FROM wallet_wallet w WHERE w.id = e.wallet_id AND w.player_id = e.player_id)",
    "a wallet of no player": "SELECT id::text FROM wallet_wallet w WHERE NOT EXISTS (SELECT 1 FROM players_player p WHERE p.id = w.player_id)",
    "a transaction of no wallet": "SELECT id::text FROM wallet_transaction t WHERE NOT EXISTS (SELECT 1 FROM wallet_wallet w WHERE w.id = t.wallet_id AND w.player_id = t.player_id)",
    "a transaction without its opening entry": "SELECT id::text FROM wallet_transaction t WHERE NOT EXISTS (SELECT 1 FROM wallet_entry e WHERE e.player_id = t.player_id AND e.wallet_id = t.wallet_id AND e.seq = t.opened_seq AND e.transaction_id = t.id)",
    "a transaction without its settling entry": "SELECT id::text FROM wallet_transaction t WHERE settled_seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM wallet_entry e WHERE e.player_id = t.player_id AND e.wallet_id = t.wallet_id AND e.seq = t.settled_seq AND e.transaction_id = t.id)",
    "a transaction of no session": "SELECT id::text FROM wallet_transaction t WHERE session_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM players_gamesession s WHERE s.id = t.session_id AND s.player_id = t.player_id AND s.game_id = t.game_id)",
    "a transaction of no game": "SELECT id::text FROM wallet_transaction t WHERE game_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM players_game g WHERE g.id = t.game_id)",
    "a discrepancy of no transaction": "SELECT id::text FROM wallet_discrepancy d WHERE NOT EXISTS (SELECT 1 FROM wallet_transaction t WHERE t.id = d.transaction_id AND t.player_id = d.player_id)",
}


@dataclass
class Report:
    """What an audit found. `problems` holds the first ones, in the ledger's order; `accounts` sums in minor units."""

    wallets: int = 0
    entries: int = 0
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)
    accounts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, problems: list[str]) -> None:
        """Counts problems, and keeps the first ones."""
        self.problem_count += len(problems)
        self.problems += problems[: KEPT_PROBLEMS - len(self.problems)]


@contextmanager
def snapshot() -> Iterator[psycopg.Connection]:
    """One moment of the database, whatever goes on meanwhile; for reading only."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield connection.connection


def audit_ledger(progress: Callable[[Report], None] = lambda report: None) -> Report:
    """Replays every wallet and asks for orphans; `progress` is called after each batch of entries."""
    report = Report()
    with snapshot() as raw:
        check_wallets(raw, report, progress)
        check_sums(raw, report)
        for what, question in ORPHANS.items():
            report.add([f"{what}: {row[0]}" for row in raw.execute(f"{question} LIMIT {KEPT_PROBLEMS}")])
    return report


def check_wallets(raw: psycopg.Connection, report: Report, progress: Callable[[Report], None]) -> None:
    """Walks wallets and entries side by side, both in the order of their keys."""
    with psycopg.ServerCursor(raw, "audit_wallets") as wallets, psycopg.ServerCursor(raw, "audit_entries") as entries:
        wallets.itersize = entries.itersize = BATCH
        wallets.execute(WALLETS)
        entries.execute(ENTRIES)
        rows = iter(entries)
        row = next(rows, None)
        for columns in wallets:
            wallet = WalletRow(*columns)
            replay = Replay(wallet)
            key = (wallet.player_id, wallet.wallet_id)
            # Rows of no wallet are skipped here; the question for orphans names them.
            while row is not None and (row[0], row[1]) < key:
                row = next(rows, None)
            while row is not None and (row[0], row[1]) == key:
                apply(replay, row, report)
                if report.entries % BATCH == 0:
                    progress(report)
                row = next(rows, None)
            replay.finish()
            report.wallets += 1
            report.add(replay.problems)
    progress(report)


def apply(replay: Replay, row: tuple[object, ...], report: Report) -> None:
    """Gives one joined row to the replay, and its movement to the accounts."""
    entry = EntryRow._make(row[:ENTRY_WIDTH])
    named = TransactionRow._make(row[ENTRY_WIDTH:]) if row[ENTRY_WIDTH] is not None else None
    replay.apply(entry, named)
    report.entries += 1
    if entry.debit and entry.credit and entry.amount:
        report.accounts[replay.wallet.currency, entry.debit] -= entry.amount
        report.accounts[replay.wallet.currency, entry.credit] += entry.amount


def check_sums(raw: psycopg.Connection, report: Report) -> None:
    """Per currency: all accounts together are zero, and the players' accounts are what the wallets hold."""
    currencies = {currency for currency, _ in report.accounts}
    for currency in sorted(currencies):
        total = sum(amount for (code, _), amount in report.accounts.items() if code == currency)
        report.add([f"currency {currency}: the accounts sum to {total} minor units, not to zero"] if total else [])
    held = raw.execute("SELECT currency_id, sum(spendable), sum(reserved), -sum(debt) FROM wallet_wallet GROUP BY currency_id")
    for currency, *sums in held:
        for account, amount in zip(("spendable", "reserved", "debt"), sums, strict=True):
            moved = report.accounts[currency, account]
            report.add([f"currency {currency}: wallets hold {amount} {account}, the journal moved {moved}"] if amount != moved else [])
