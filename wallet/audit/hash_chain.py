"""The hash that chains a wallet's entries: a second reading, in Python, of what `append.sql` writes.

SHA-256 over the entry's members, with the hash of the entry before it (32 zero bytes for the first) among
them, as PostgreSQL's `record_send` writes a row: the number of values, then each with its type's OID, its
length and its bytes, all big-endian. So nothing depends on a session's settings, and no two rows are
written alike.

Format 2, which is written now, also covers the reference of the transaction that an entry opens.
"""

import hashlib
import struct
from functools import lru_cache
from typing import NamedTuple

START = bytes(32)
VERSIONS = (1, 2)


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
    reference: str | None = None
    # What a repeated call is answered; no hash covers it, since the entries say the same.
    opened_balance: int | None = None
    settled_balance: int | None = None


# PostgreSQL's OIDs of the types in a hashed row; they are the same in every database.
BYTEA, INT8, INT2, TEXT, TIMESTAMPTZ, UUID_ = 17, 20, 21, 25, 1184, 2950
# PostgreSQL counts microseconds from the year 2000.
YEAR_2000 = 946_684_800_000_000
HEAD = struct.Struct(">Ii")
NUMBER = struct.Struct(">Iiq")
FOUR_NUMBERS = struct.Struct(">" + 4 * "Iiq")
NOTHING = -1
# What a process remembers of ids and words that stand in many rows, written as values of a row.
REMEMBERED = 1 << 14


def number(value: int | None, oid: int = INT8) -> bytes:
    """A bigint, or with its OID a timestamp, as a value of a row."""
    return HEAD.pack(oid, NOTHING) if value is None else NUMBER.pack(oid, 8, value)


def moment(microseconds: int | None) -> bytes:
    """A time in microseconds since 1970 as a value of a row."""
    return number(None if microseconds is None else microseconds - YEAR_2000, TIMESTAMPTZ)


def text(value: str | None) -> bytes:
    """A text as a value of a row."""
    return raw(None if value is None else value.encode(), TEXT)


@lru_cache(REMEMBERED)
def word(value: str | None) -> bytes:
    """A text that stands in many rows."""
    return text(value)


@lru_cache(REMEMBERED)
def uuid(value: str | None) -> bytes:
    """A UUID, given as text, as a value of a row."""
    return raw(None if value is None else bytes.fromhex(value.replace("-", "")), UUID_)


def raw(value: bytes | None, oid: int = BYTEA) -> bytes:
    """Bytes as a value of a row."""
    return HEAD.pack(oid, NOTHING) if value is None else HEAD.pack(oid, len(value)) + value


def record(*values: bytes, also: int = 0) -> bytes:
    """A row of values. What is given may hold several: it has so many more than are given (`also`)."""
    return count(len(values) + also) + b"".join(values)


@lru_cache(REMEMBERED)
def count(values: int) -> bytes:
    """How many values a row has."""
    return struct.pack(">I", values)


@lru_cache(REMEMBERED)
def format_number(version: int) -> bytes:
    """An entry's format as a value of a row."""
    return HEAD.pack(INT2, 2) + struct.pack(">h", version)


def opening(t: TransactionRow, version: int) -> bytes:
    """What a transaction was when it was opened (`ledger_opening`), as an entry of a format covers it."""
    values = (
        word(t.type),
        uuid(t.game_id),
        uuid(t.session_id),
        text(t.mm_transaction_id),
        number(t.amount),
        word(t.refusal),
        word(t.description),
        word(t.source),
        uuid(t.reverses_id),
        moment(t.due_at),
    )
    return record(*values) if version == 1 else record(*values, uuid(t.reference))


def ending(t: TransactionRow) -> bytes:
    """How a transaction ended (`ledger_ending`)."""
    return record(word(t.settled_source), word(t.reason))


def entry_hash(before: bytes, e: EntryRow, subject: bytes | None) -> bytes:
    """The hash of an entry after the one whose hash is `before`; `subject` is what else it covers."""
    members = record(
        format_number(e.version),
        HEAD.pack(BYTEA, len(before)),
        before,
        uuid(e.player_id),
        uuid(e.wallet_id),
        NUMBER.pack(INT8, 8, e.seq),
        uuid(e.transaction_id),
        word(e.event),
        word(e.debit),
        word(e.credit),
        number(e.amount),
        # Four values at once: it is done for every line of the journal.
        FOUR_NUMBERS.pack(INT8, 8, e.spendable, INT8, 8, e.reserved, INT8, 8, e.announced, INT8, 8, e.debt),
        word(e.actor),
        word(e.note),
        NUMBER.pack(TIMESTAMPTZ, 8, e.at - YEAR_2000),
        raw(subject),
        # Three more numbers; the hash before is no value of its own, but the end of one.
        also=2,
    )
    return hashlib.sha256(members).digest()
