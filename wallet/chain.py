"""The hash that chains a wallet's entries: a second reading, in Python, of what `wallet/sql/append.sql` writes.

Format 1: SHA-256 over the hash of the entry before (32 zero bytes for the first) and the entry's members joined by `|`.
A free text stands with its length in bytes before it; times are microseconds since 1970; what is absent is empty.
"""

import hashlib
from typing import NamedTuple

START = bytes(32)


class EntryRow(NamedTuple):
    """An entry as the chain covers it; ids as texts, amounts in minor units, `at` in microseconds."""

    player_id: str
    wallet_id: str
    seq: int
    transaction_id: str | None
    event: str
    debit: str | None
    credit: str | None
    amount: int | None
    spendable: int
    reserved: int
    announced: int
    debt: int
    actor: str
    note: str
    at: int
    version: int
    hash: bytes


class TransactionRow(NamedTuple):
    """A transaction as its entries' hashes cover it; times in microseconds."""

    id: str
    player_id: str
    wallet_id: str
    game_id: str | None
    session_id: str | None
    type: str
    mm_transaction_id: str | None
    state: str
    amount: int | None
    refusal: str
    description: str
    source: str
    actor: str
    reverses_id: str | None
    opened_at: int
    opened_seq: int
    due_at: int | None
    settled_at: int | None
    settled_seq: int | None
    settled_source: str
    settled_actor: str
    reason: str


def counted(text: str | None) -> str:
    """A text with its length in bytes before it."""
    text = text or ""
    return f"{len(text.encode())}:{text}"


def shown(value: object) -> str:
    return "" if value is None else str(value)


def opening(t: TransactionRow) -> str:
    """What a transaction was when it was opened (`ledger_opening`)."""
    return "|".join(
        (
            *(t.type, shown(t.game_id), shown(t.session_id), counted(t.mm_transaction_id), shown(t.amount), t.refusal),
            *(t.source, shown(t.reverses_id), shown(t.due_at), counted(t.description)),
        )
    )


def ending(t: TransactionRow) -> str:
    """How a transaction ended (`ledger_ending`)."""
    return f"{t.settled_source}|{counted(t.reason)}"


def entry_hash(before: bytes, e: EntryRow, subject: str) -> bytes:
    """The hash of an entry after the one whose hash is `before`; `subject` is what else it covers."""
    members = (
        f"{e.version}|{e.player_id}|{e.wallet_id}|{e.seq}|{e.transaction_id or ''}|{e.event}|{e.debit or ''}|{e.credit or ''}|"
        f"{shown(e.amount)}|{e.spendable}|{e.reserved}|{e.announced}|{e.debt}|{e.at}|{counted(e.actor)}|{counted(e.note)}|{subject}"
    )
    return hashlib.sha256(before + members.encode()).digest()
