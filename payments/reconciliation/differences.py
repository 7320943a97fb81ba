"""Differences as they are kept: each once for its source, and what operators decided about it stays."""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from lib.clock import timestamp
from lib.ids import new_id
from lib.texts import storable
from payments.models import Difference, ReconciliationFile
from payments.reconciliation.columns import Row
from payments.reconciliation.comparison import Ours

Kind = Difference.Kind
# Characters of a row that cannot be read.
EXCERPT = 300
# The same again: it was seen once more. What the files had settled by themselves is open again; what a person
# has decided stays.
KEPT = """
    INSERT INTO payments_difference (id, source_id, file_id, line, kind, fingerprint, key, type, match,
        player_id, theirs, ours, amount, currency_code, state, note, decided_by, first_seen_at,
        last_seen_at, times_seen)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open', '', '', %s, %s, 1)
    ON CONFLICT (source_id, fingerprint) DO UPDATE SET
        times_seen = payments_difference.times_seen + 1, last_seen_at = excluded.last_seen_at,
        file_id = excluded.file_id, line = excluded.line, ours = excluded.ours,
        state = CASE WHEN payments_difference.state = 'resolved' AND payments_difference.decided_by = ''
            THEN 'open' ELSE payments_difference.state END
"""
DECIDED = """
    SELECT fingerprint FROM payments_difference
    WHERE source_id = %s AND fingerprint = ANY(%s)
      AND (state = 'accepted' OR (state = 'resolved' AND decided_by <> ''))
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A difference that a file shows. `theirs` and `ours` are as they are shown and kept."""

    kind: Kind
    line: int | None
    key: str = ""
    type: str = ""
    match: UUID | None = None
    player_id: UUID | None = None
    theirs: dict[str, Any] = field(default_factory=dict)
    ours: dict[str, Any] = field(default_factory=dict)
    amount: int | None = None
    currency: str = ""

    @property
    def fingerprint(self) -> bytes:
        """Of what the partner says and whom it is about: our side changes when somebody acts."""
        said = {name: value for name, value in self.theirs.items() if name != "line"}
        about = [str(self.kind), self.key, self.type, str(self.match or ""), said]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).digest()


def between(kind: Kind, row: Row, ours: Ours) -> Found:
    """Of a row that is something here."""
    stake, code = at_stake(kind, row, ours)
    return Found(
        kind, row.line, row.name, row.type, ours.id, ours.player_id, said(row), known(ours), stake, code
    )


def at_stake(kind: Kind, row: Row, ours: Ours) -> tuple[int | None, str]:
    """The money that a difference is about."""
    if kind == Kind.AMOUNT:
        return abs(row.amount - (ours.amount or 0)), row.currency
    if kind == Kind.TIME:
        return None, ""
    return row.amount, row.currency


def missing_here(row: Row, player_id: UUID | None = None) -> Found:
    return Found(
        Kind.MISSING_HERE,
        row.line,
        row.name,
        row.type,
        player_id=player_id,
        theirs=said(row),
        amount=row.amount,
        currency=row.currency,
    )


def repeated(row: Row, ours: Ours | None) -> Found:
    """Of a row whose id an earlier row has."""
    return Found(
        Kind.DUPLICATE,
        row.line,
        row.name,
        row.type,
        ours.id if ours else None,
        ours.player_id if ours else None,
        said(row),
        known(ours) if ours else {},
        row.amount,
        row.currency,
    )


def missing_there(ours: Ours, likely_line: int | None) -> Found:
    """`likely_line` is a row of the same amount and time that names another id."""
    about = known(ours) | ({"line": likely_line} if likely_line else {})
    key = next(iter(ours.keys), "")
    return Found(
        Kind.MISSING_THERE,
        None,
        key,
        ours.type,
        ours.id,
        ours.player_id,
        {},
        about,
        ours.amount,
        ours.currency,
    )


def unreadable(line: int, text: str, problem: str) -> Found:
    theirs = {"text": storable(text, EXCERPT), "problem": storable(problem, 255)}
    return Found(Kind.UNREADABLE, line, theirs=theirs)


def said(row: Row) -> dict[str, Any]:
    """A row as it is kept."""
    return {
        "amount": row.amount,
        "currency": row.currency,
        "state": row.state,
        "at": timestamp(row.at) if row.at else "",
        "player": row.player,
    }


def known(ours: Ours) -> dict[str, Any]:
    """Our side as it is kept."""
    return {
        "amount": ours.amount,
        "currency": ours.currency,
        "state": ours.word,
        "at": timestamp(ours.opened_at),
        "settled_at": timestamp(ours.settled_at) if ours.settled_at else "",
    }


def keep(file: ReconciliationFile, found: Sequence[Found], at: datetime) -> int:
    """Writes differences down, in the present atomic block. Returns how many were decided before."""
    if not found:
        return 0
    decided = decided_before(file, [one.fingerprint for one in found])
    with connection.cursor() as cursor:
        cursor.executemany(KEPT, [values(file, one, at) for one in found])
    return sum(one.fingerprint in decided for one in found)


def decided_before(file: ReconciliationFile, fingerprints: Iterable[bytes]) -> Collection[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(DECIDED, [file.source_id, list(fingerprints)])
        return {bytes(fingerprint) for (fingerprint,) in cursor.fetchall()}


def values(file: ReconciliationFile, one: Found, at: datetime) -> list[Any]:
    return [
        *(new_id(), file.source_id, file.pk, one.line, str(one.kind), one.fingerprint, one.key, one.type),
        *(one.match, one.player_id, json.dumps(one.theirs), json.dumps(one.ours), one.amount, one.currency),
        *(at, at),
    ]
