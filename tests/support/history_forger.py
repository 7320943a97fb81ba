"""Rewrites a wallet's history as a superuser could who knows every rule.

All hashes, numbers and balances are right afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.support.own_database import OwnLedger
from wallet.audit.hash_chain import START, EntryRow, TransactionRow, ending, entry_hash, opening
from wallet.audit.ledger import BY_HAND
from wallet.audit.rows import divided
from wallet.checkpoints.export import ENTRIES

Step = tuple[EntryRow, TransactionRow | None]
ANNOUNCED = {
    ("deposit", "opened"): 1,
    ("deposit", "confirmed"): -1,
    ("deposit", "rolled_back"): -1,
    ("deposit", "expired"): -1,
}


@dataclass
class History:
    """A wallet's entries, each with the transaction that it names.

    What `change` makes of them is written as if it had been so.
    """

    wallet_id: str
    player_id: str
    currency: str
    steps: list[Step]

    def transaction_ids(self) -> set[str]:
        return {t.id for _, t in self.steps if t}


def read_history(owner: "psycopg.Connection[Any]", wallet_id: object) -> History:
    found = owner.execute(
        "SELECT player_id::text, currency_id FROM wallet_wallet WHERE id = %s", [wallet_id]
    ).fetchone()
    assert found
    rows = owner.execute(ENTRIES, [[found[0]], [str(wallet_id)]]).fetchall()
    return History(str(wallet_id), found[0], found[1], [divided(row) for row in rows])


def rewrite(ledger: OwnLedger, wallet_id: object, change: Callable[[list[Step]], list[Step]]) -> None:
    """Changes a wallet's history.

    A transaction is changed by the step that opens it; its other steps follow.
    """
    history = read_history(ledger.owner, wallet_id)
    before = history.transaction_ids()
    history.steps = numbered(change(history.steps))
    steps, balances = chained(history)
    with ledger.owner.transaction():
        ledger.owner.execute("DELETE FROM wallet_entry WHERE wallet_id = %s", [wallet_id])
        gone = list(before - history.transaction_ids())
        ledger.owner.execute("DELETE FROM wallet_transaction WHERE id = ANY(%s::uuid[])", [gone])
        for e, t in steps:
            insert(ledger.owner, "wallet_entry", e._asdict())
            if t:
                upsert_transaction(ledger.owner, t)
        update_wallet(ledger.owner, history, steps, balances)
        forge_acts(ledger)


def forge_acts(ledger: OwnLedger) -> None:
    """Makes the operators' acts fit the adjustments, whatever these are."""
    ledger.owner.execute("DELETE FROM wallet_adjustment")
    ledger.owner.execute(
        "INSERT INTO wallet_adjustment (id, player_id, currency_id, type, amount, actor, reason, at)"
        " SELECT t.id, t.player_id, w.currency_id, t.type, t.amount, t.actor, t.reason, t.opened_at"
        " FROM wallet_transaction t JOIN wallet_wallet w ON w.id = t.wallet_id"
        f" WHERE t.type IN {BY_HAND}"
    )


def numbered(steps: list[Step]) -> list[Step]:
    """The steps with running numbers, and every transaction with the numbers of its own ones."""
    transactions: dict[str, TransactionRow] = {}
    entries = []
    for seq, (e, t) in enumerate(steps, 1):
        entries.append(e._replace(seq=seq))
        if t is None:
            continue
        # Balances that are not kept with a transaction are read from its entries.
        unkept = t._replace(opened_seq=seq, opened_balance=None, settled_balance=None)
        known = transactions.setdefault(t.id, unkept)
        if e.event not in ("opened", "declined"):
            transactions[t.id] = known._replace(settled_seq=seq)
    return [(e, transactions[t.id] if t else None) for e, (_, t) in zip(entries, steps, strict=True)]


def chained(history: History) -> tuple[list[Step], dict[str, int]]:
    """The steps with the balances and hashes that they must have, and the last balances."""
    balances = {"spendable": 0, "reserved": 0, "announced": 0, "debt": 0}
    head, steps = START, []
    for e, t in history.steps:
        amount = e.amount or 0
        balances["announced"] += ANNOUNCED.get((t.type if t else "", e.event), 0) * amount
        for account, sign in ((e.debit, -1), (e.credit, 1)):
            if account in balances:
                balances[account] += -sign * amount if account == "debt" else sign * amount
        e = e._replace(
            spendable=balances["spendable"],
            reserved=balances["reserved"],
            announced=balances["announced"],
            debt=balances["debt"],
        )
        e = e._replace(hash=entry_hash(head, e, subject(e, t, history.currency)))
        head = e.hash
        steps.append((e, t))
    return steps, balances


def subject(e: EntryRow, t: TransactionRow | None, currency: str) -> bytes | None:
    if e.event == "wallet_opened":
        return currency.encode()
    if t is None or e.event == "debt_repaid":
        return None
    begins = (
        opening(t, e.version) if e.event in ("opened", "declined", "tombstone", "adjusted", "posted") else b""
    )
    return begins + (b"" if e.event in ("opened", "declined") else ending(t))


def update_wallet(
    owner: "psycopg.Connection[Any]", history: History, steps: list[Step], balances: dict[str, int]
) -> None:
    frozen = limit = opened = None
    for e, _ in steps:
        opened = e.at if e.event == "wallet_opened" else opened
        frozen = {"frozen": e.at, "unfrozen": None}.get(e.event, frozen)
        limit = e.amount if e.event == "limit_set" else limit
    values = {
        **balances,
        "entry_count": len(steps),
        "head": steps[-1][0].hash,
        "frozen_at": frozen,
        "withdrawal_limit": limit,
        "opened_at": opened,
    }
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), value(name, content))
        for name, content in values.items()
    )
    owner.execute(
        sql.SQL("UPDATE wallet_wallet SET {} WHERE id = {}").format(
            assignments, sql.Literal(history.wallet_id)
        )
    )


def upsert_transaction(owner: "psycopg.Connection[Any]", t: TransactionRow) -> None:
    owner.execute("DELETE FROM wallet_transaction WHERE id = %s", [t.id])
    insert(owner, "wallet_transaction", t._asdict())


def insert(owner: "psycopg.Connection[Any]", table: str, values: dict[str, Any]) -> None:
    owner.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(value(name, content) for name, content in values.items()),
        )
    )


def value(name: str, content: Any) -> sql.Composable:
    """A value as SQL; times are in microseconds since 1970."""
    if content is not None and (name == "at" or name.endswith("_at")):
        return sql.SQL("'1970-01-01+00'::timestamptz + {} * interval '1 microsecond'").format(
            sql.Literal(content)
        )
    return sql.Literal(content)
