"""The ledger in the database, as checkpoints see it.

Its leaves, and what differs from those of an earlier one.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg
from django.conf import settings

from wallet.audit.archived import IS_ANY
from wallet.checkpoints.stored import signed_values
from wallet.models import Checkpoint, Currency
from wallet.proof.findings import SLACK, Findings, compare_currencies
from wallet.proof.header import START, Header
from wallet.proof.tree import Leaf
from wallet.proof.verification import Compare

BATCH = 5_000
FIRST_ID, LAST_ID = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
LEAVES = "SELECT id::text, entry_count, head FROM wallet_wallet ORDER BY id"
DIFFERING = """
    SELECT l.wallet_id::text, l.seq, w.entry_count, coalesce(e.hash, a.head) = l.head
    FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[]) AS l (wallet_id, seq, head)
    LEFT JOIN wallet_wallet w ON w.id = l.wallet_id
    LEFT JOIN wallet_entry e ON e.player_id = w.player_id AND e.wallet_id = w.id AND e.seq = l.seq
    LEFT JOIN wallet_archivemark a ON a.player_id = w.player_id AND a.wallet_id = w.id
        AND a.entry_count = l.seq
    LEFT JOIN wallet_entry n ON n.player_id = w.player_id AND n.wallet_id = w.id AND n.seq = l.seq + 1
        AND n.at <= %s
    WHERE w.entry_count < l.seq OR n.seq IS NOT NULL OR (coalesce(e.hash, a.head) IS DISTINCT FROM l.head
        AND NOT (e.hash IS NULL AND a.head IS NULL AND EXISTS (SELECT FROM wallet_archivemark later
            WHERE later.player_id = w.player_id AND later.wallet_id = w.id AND later.entry_count > l.seq)))
    ORDER BY l.wallet_id
"""
# Of several machines: each compares what it has, and the first asks for what none has.
DIFFERING_THERE = DIFFERING.replace("LEFT JOIN wallet_wallet w", "JOIN wallet_wallet w")
GONE = """
    SELECT l.wallet_id::text, l.seq, NULL::bigint, NULL::boolean
    FROM unnest(%s::uuid[], %s::bigint[]) AS l (wallet_id, seq)
    WHERE l.wallet_id NOT IN (SELECT id FROM wallet_wallet WHERE id = ANY (%s::uuid[]))
    ORDER BY l.wallet_id
"""
# Leaves whose entries lie within an archived part: the database knows how it ended, and not how it went.
IN_FILES = """
    SELECT count(*) FROM unnest(%s::uuid[], %s::bigint[]) AS l (wallet_id, seq)
    JOIN wallet_wallet w ON w.id = l.wallet_id
    WHERE EXISTS (SELECT FROM wallet_archivemark m
                  WHERE m.player_id = w.player_id AND m.wallet_id = w.id AND m.entry_count > l.seq)
      AND NOT EXISTS (SELECT FROM wallet_archivemark m
                      WHERE m.player_id = w.player_id AND m.wallet_id = w.id AND m.entry_count = l.seq)
      AND NOT EXISTS (SELECT FROM wallet_entry e
                      WHERE e.player_id = w.player_id AND e.wallet_id = w.id AND e.seq = l.seq)
"""
HEAD = "SELECT seq, hash FROM players_auditlink ORDER BY seq DESC LIMIT 1"
LINK = "SELECT hash FROM players_auditlink WHERE seq = %s"
BACKDATED = """
    SELECT l.seq, e.id::text FROM players_auditlink l JOIN players_auditevent e ON e.id = l.event_id
    WHERE l.seq > %s AND e.at <= %s ORDER BY l.seq
"""
UNKNOWN = """
    SELECT id::text FROM wallet_wallet w WHERE id >= %s::uuid AND id <= %s::uuid AND opened_at <= %s
    AND NOT EXISTS (SELECT 1 FROM unnest(%s::uuid[]) AS l (wallet_id) WHERE l.wallet_id = w.id) ORDER BY id
"""


def read_leaves(raw: psycopg.Connection[Any]) -> Iterator[Leaf]:
    """All wallets in the order of their ids."""
    with psycopg.ServerCursor(raw, "checkpoint_leaves") as cursor:
        cursor.itersize = BATCH
        cursor.execute(LEAVES)
        for wallet_id, seq, head in cursor:
            yield Leaf(wallet_id, seq, bytes(head))


def comparing(raw: psycopg.Connection[Any]) -> Compare:
    """The comparison with the database, in the snapshot that `raw` is in."""

    def compare(header: Header, leaves: Iterator[Leaf], findings: Findings) -> None:
        compare_row(header, findings)
        compare_currencies(header.currencies, currencies(), findings)
        compare_audit_trail(raw, header, findings)
        compare_leaves(raw, header.moment() - SLACK, leaves, findings)

    return compare


def currencies() -> dict[str, int]:
    """Every currency's decimals."""
    return dict(Currency.objects.order_by("code").values_list("code", "decimals"))


def audit_trail_head(raw: psycopg.Connection[Any]) -> tuple[int, str]:
    """How many links the audit trail's chain has, and the last one's hash."""
    rows = execute(raw, HEAD, [])
    return (rows[0][0], bytes(rows[0][1]).hex()) if rows else (0, START.hex())


def compare_audit_trail(raw: psycopg.Connection[Any], header: Header, findings: Findings) -> None:
    """The link that a checkpoint knows as the last must be there with its hash; later acts are younger.

    That the links before lead to it is what the audit proves.
    """
    known = header.audit_links
    if known is None:
        return
    rows = execute(raw, LINK, [known])
    if known and not rows:
        findings.add(f"link {known} of the audit trail, which the checkpoint knows, is gone")
    elif known and bytes(rows[0][0]).hex() != header.audit_head:
        findings.add(f"link {known} of the audit trail has another hash than the checkpoint knows")
    for seq, act in execute(raw, BACKDATED, [known, header.moment() - SLACK]):
        findings.add(f"act {act} of link {seq} is dated before the checkpoint, which does not know it")


def compare_row(header: Header, findings: Findings) -> None:
    """The database's own row of a checkpoint, and the row of the one before, must be what was signed."""
    row = Checkpoint.objects.filter(number=header.number).first()
    if row is None:
        findings.add(f"the database has no row of checkpoint {header.number}")
        return
    if any(getattr(row, name) != value for name, value in signed_values(header).items()):
        findings.add(f"the database's row of checkpoint {header.number} is not what was signed")
    before = Checkpoint.objects.filter(number=header.number - 1).first()
    if header.number > 1 and (before is None or bytes(before.hash).hex() != header.previous):
        findings.add(
            f"the database's row of checkpoint {header.number - 1} is "
            f"{'gone' if before is None else 'not the one that this one follows'}"
        )


def compare_leaves(
    raw: psycopg.Connection[Any], latest: datetime, leaves: Iterator[Leaf], findings: Findings
) -> None:
    """Each wallet that a checkpoint knows must still have that entry with that hash.

    What it does not know is later than `latest`.
    """
    done: list[str] = []
    archived, ((is_any,),) = 0, execute(raw, IS_ANY, [])
    while batch := list(islice(leaves, BATCH)):
        ids = [leaf.wallet_id for leaf in batch]
        parameters = [ids, [leaf.seq for leaf in batch], [leaf.head for leaf in batch], latest]
        for row in differing(raw, parameters):
            findings.add(difference(*row))
        archived += execute(raw, IN_FILES, parameters[:2])[0][0] if is_any else 0
        find_unknown(raw, (done[0] if done else FIRST_ID, ids[-1]), latest, done + ids, findings)
        done = ids[-1:]
    find_unknown(raw, (done[0] if done else FIRST_ID, LAST_ID), latest, done, findings)
    if archived:
        findings.warnings.append(
            f"{archived} wallets' entries that the checkpoint knows are archived, and were not compared"
        )


def differing(raw: psycopg.Connection[Any], parameters: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of `DIFFERING`."""
    if not settings.DATABASE_DISTRIBUTED:
        return execute(raw, DIFFERING, parameters)
    ids, numbers, *_ = parameters
    return execute(raw, DIFFERING_THERE, parameters) + execute(raw, GONE, [ids, numbers, ids])


def difference(wallet_id: str, seq: int, entry_count: int | None, is_same: bool | None) -> str:
    """A row of `DIFFERING` in words."""
    if entry_count is None:
        return f"wallet {wallet_id} is gone"
    if entry_count < seq:
        return f"wallet {wallet_id} has {entry_count} entries, the checkpoint knows {seq}"
    if is_same is None:
        return f"wallet {wallet_id} entry {seq} is gone"
    if not is_same:
        return (
            f"wallet {wallet_id} entry {seq} has another hash than the checkpoint knows: it, or one "
            "before it, was changed"
        )
    return f"wallet {wallet_id} entry {seq + 1} is dated before the checkpoint, which does not know it"


def find_unknown(
    raw: psycopg.Connection[Any], ids: tuple[str, str], latest: datetime, known: list[str], findings: Findings
) -> None:
    """Wallets between two ids that the checkpoint does not know.

    They were opened before it, it is said.
    """
    for (wallet_id,) in execute(raw, UNKNOWN, [*ids, latest, known]):
        findings.add(
            f"wallet {wallet_id} was opened before the checkpoint, it is said, which does not know it"
        )


def execute(raw: psycopg.Connection[Any], statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """With psycopg's own cursor: Django's would write thousands of values into the statement's text."""
    with psycopg.Cursor(raw) as cursor:
        return cursor.execute(statement, parameters).fetchall()
