"""What an audit found right, wallet by wallet, so that the next one can go on from there."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import psycopg

from wallet.audit.daily_totals import EPOCH, Moved
from wallet.audit.hash_chain import TransactionRow
from wallet.audit.replay import Mark, WalletRow
from wallet.audit.rows import TRANSACTION_COLUMNS, WALLET_COLUMNS, microseconds, read

# Marks written by one statement.
AT_ONCE = 5_000
# All that a wallet's row has besides its ids.
CONTENT = (
    *("currency_id", "spendable", "reserved", "announced", "debt", "entry_count", "head", "frozen_at"),
    *("withdrawal_limit", "opened_at"),
)
# Ranges of players, both ends included.
KNOWN = f"""
    SELECT {WALLET_COLUMNS}, m.currency_id, m.spendable, m.reserved, m.announced, m.debt, m.entry_count,
        m.head, {microseconds("m.frozen_at")}, m.withdrawal_limit, {microseconds("m.opened_at")},
        m.pending::text, m.base = %(base)s
    FROM wallet_wallet w
    LEFT JOIN wallet_auditmark m ON m.player_id = w.player_id AND m.wallet_id = w.id
    WHERE w.player_id >= %(first)s AND w.player_id <= %(last)s {{changed}}
    ORDER BY w.player_id, w.id
"""
KNOWN_WALLETS = KNOWN.format(changed="")
CHANGED_WALLETS = KNOWN.format(
    changed=f"""
    AND (m.base IS DISTINCT FROM %(base)s OR w.id = ANY(%(also)s::uuid[])
        OR ({", ".join(f"w.{name}" for name in CONTENT)})
            IS DISTINCT FROM ({", ".join(f"m.{name}" for name in CONTENT)}))"""
)
WALLET_WIDTH = len(WalletRow._fields)
MARKED_WIDTH = 2 + len(CONTENT)
# Of the transactions that were pending, those that no longer are, or are gone.
NO_LONGER_PENDING = f"""
    SELECT m.wallet_id::text, {TRANSACTION_COLUMNS}
    FROM wallet_auditmark m CROSS JOIN LATERAL jsonb_array_elements_text(m.pending) AS p (id)
    LEFT JOIN wallet_transaction t ON t.id = p.id::uuid
    WHERE m.player_id >= %s AND m.player_id <= %s AND m.base = %s
        AND (t.state IS DISTINCT FROM 'pending' OR t.settled_seq IS NOT NULL)
"""
COVERED = """
    SELECT count(*), coalesce(sum(entry_count), 0)::bigint FROM wallet_wallet
    WHERE player_id >= %s AND player_id <= %s
"""
TIME = "'epoch'::timestamptz + {} * interval '1 microsecond'"
SAVE = f"""
    INSERT INTO wallet_auditmark (player_id, wallet_id, base, {", ".join(CONTENT)}, pending)
    SELECT player_id, wallet_id, %s, currency_id, spendable, reserved, announced, debt, entry_count, head,
        {TIME.format("frozen_at")}, withdrawal_limit, {TIME.format("opened_at")}, pending
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[], %s::bigint[], %s::jsonb[])
        AS n (player_id, wallet_id, currency_id, spendable, reserved, announced, debt, entry_count, head,
            frozen_at, withdrawal_limit, opened_at, pending)
    ORDER BY player_id, wallet_id
    ON CONFLICT (player_id, wallet_id) DO UPDATE
    SET base = excluded.base, pending = excluded.pending,
        {", ".join(f"{name} = excluded.{name}" for name in CONTENT)}
"""
# Always in the same order: two processes that add to the same days wait for each other, and never both.
ADD_MOVED = """
    INSERT INTO wallet_auditedmovement AS so_far (base, day, currency_id, debit, credit, amount, entries)
    SELECT %s, n.* FROM unnest(%s::date[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::bigint[])
        AS n (day, currency_id, debit, credit, amount, entries)
    ORDER BY day, currency_id, debit, credit
    ON CONFLICT (base, day, currency_id, debit, credit) DO UPDATE
    SET amount = so_far.amount + excluded.amount, entries = so_far.entries + excluded.entries
"""
MOVED = """
    SELECT day - date '1970-01-01', currency_id, debit, credit, amount, entries
    FROM wallet_auditedmovement WHERE base = %s
"""
HELD = """
    SELECT currency_id, sum(spendable), sum(reserved), -sum(debt)
    FROM wallet_auditmark WHERE base = %s GROUP BY currency_id
"""
GONE = """
    SELECT m.wallet_id::text, m.player_id::text, m.entry_count FROM wallet_auditmark m
    WHERE NOT EXISTS (SELECT FROM wallet_wallet w WHERE w.id = m.wallet_id AND w.player_id = m.player_id)
    ORDER BY m.wallet_id
"""

Connection = psycopg.Connection[Any]
Settled = dict[str, list[TransactionRow | None]]


def known_wallets(
    raw: Connection, question: str, first: UUID, last: UUID, base: UUID, also: Iterable[str] = ()
) -> Iterator[tuple[WalletRow, Mark | None]]:
    """Wallets of a range of players, each with what an audit before found right of it."""
    parameters = {"first": first, "last": last, "base": base, "also": list(also)}
    with read(raw, "audit_known", question, parameters) as rows:
        for row in rows:
            wallet, rest = WalletRow(*row[:WALLET_WIDTH]), row[WALLET_WIDTH:]
            *content, pending, is_base = rest
            was = WalletRow(wallet.player_id, wallet.wallet_id, *content)
            yield wallet, None if pending is None else Mark(was, json.loads(pending), is_base)


def no_longer_pending(raw: Connection, first: UUID, last: UUID, base: UUID) -> Settled:
    """By wallet: the transactions that were pending when it was marked, and are not. None for one that is
    gone.
    """
    found: Settled = {}
    for wallet_id, *columns in raw.execute(NO_LONGER_PENDING, [first, last, base]):
        named = TransactionRow._make(columns) if columns[0] is not None else None
        found.setdefault(wallet_id, []).append(named)
    return found


def covered(raw: Connection, first: UUID, last: UUID) -> tuple[int, int]:
    """How many wallets a range of players has, and how many entries they say that they have."""
    ((wallets, entries),) = raw.execute(COVERED, [first, last]).fetchall()
    return wallets, entries


def save_marks(raw: Connection, base: UUID, marks: list[Mark]) -> None:
    """Writes down what was found right."""
    for start in range(0, len(marks), AT_ONCE):
        some = marks[start : start + AT_ONCE]
        marked = (mark.wallet[:MARKED_WIDTH] for mark in some)
        columns = [list(column) for column in zip(*marked, strict=True)]
        pending = [json.dumps(mark.pending) for mark in some]
        raw.execute(SAVE, [base, *columns, pending])


def add_moved(raw: Connection, base: UUID, moved: Moved) -> None:
    """Adds what was found right of the journal to what was found right before."""
    if moved:
        rows = [(EPOCH.toordinal() + day, *rest, *sums) for (day, *rest), sums in moved.items()]
        days, *others = (list(column) for column in zip(*rows, strict=True))
        raw.execute(ADD_MOVED, [base, [EPOCH.fromordinal(day) for day in days], *others])


def moved_so_far(raw: Connection, base: UUID) -> Moved:
    """What the part of the journal moved that was found right."""
    return {
        (day, currency, debit, credit): [int(amount), entries]
        for day, currency, debit, credit, amount, entries in raw.execute(MOVED, [base])
    }
