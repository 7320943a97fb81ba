"""The hash chain over the audit trail: acts are linked in batches, and the chain is verified."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection, transaction

from lib.clock import now
from lib.ids import id_at
from lib.standby import reader
from players.audit_trail.act_hash import COLUMNS, START, as_json, link_hash
from players.models import AuditEvent, AuditLink

BATCH = 1_000
FIRST = UUID(int=0)
# Nobody commits an act that was begun longer ago.
LATEST_COMMIT = timedelta(days=1)
# As `act_hash.COLUMNS` wants them.
EVENT = """
    e.id::text, (extract(epoch FROM e.at) * 1000000)::bigint, e.operator_id::text, e.username, e.roles,
    host(e.address), e.request_id, e.session, e.action, e.subject_type, e.subject_id, e.subject_name,
    e.before::text, e.after::text, e.reason, e.note, e.approval_id::text, e.outcome
"""
NOT_LINKED = "NOT EXISTS (SELECT FROM players_auditlink l WHERE l.event_id = e.id)"
UNLINKED = f"""
    SELECT {EVENT} FROM players_auditevent e WHERE e.id >= %s AND {NOT_LINKED} ORDER BY e.id LIMIT %s
"""  # noqa: S608 (our own constants)
LOST = f"SELECT e.id::text FROM players_auditevent e WHERE e.id < %s AND {NOT_LINKED} ORDER BY e.id"  # noqa: S608
CHAIN = f"""
    SELECT l.seq, l.event_id::text, l.hash, {EVENT}
    FROM players_auditlink l LEFT JOIN players_auditevent e ON e.id = l.event_id ORDER BY l.seq
"""  # noqa: S608
LINK_WIDTH = 3
JSON_COLUMNS = ("before", "after")


class Link(NamedTuple):
    """A link as it is stored, and its act, if that is still there."""

    seq: int
    event_id: str
    hash: bytes
    act: dict[str, Any] | None


def act_of(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of `EVENT` as `act_hash.canonical` wants it."""
    act = dict(zip(COLUMNS, row, strict=True))
    return act | {name: as_json(json.loads(act[name])) for name in JSON_COLUMNS if act[name] is not None}


# --- Linking ---------------------------------------------------------------------------------------------


def link_events() -> int:
    """Appends the acts that are in no link yet, one process at a time. Returns how many."""
    oldest = id_at(now() - LATEST_COMMIT) if AuditLink.objects.exists() else FIRST
    linked = 0
    while count := link_batch(str(oldest)):
        linked += count
    return linked


def link_batch(oldest: str) -> int:
    """Appends some, those with the smallest ids first."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('audit trail'))")
        newest = AuditLink.objects.order_by("-seq").first()
        seq, head = (newest.seq, bytes(newest.hash)) if newest else (0, START)
        links = []
        with connection.cursor() as cursor:
            cursor.execute(UNLINKED, [oldest, BATCH])
            for act in map(act_of, cursor.fetchall()):
                seq += 1
                head = link_hash(head, seq, act)
                links.append(AuditLink(seq=seq, event_id=act["id"], hash=head))
        AuditLink.objects.bulk_create(links)
    return len(links)


def unlinked_since() -> datetime | None:
    """When the oldest act was recorded that is in no link yet, of those that still can be."""
    recent = AuditEvent.objects.filter(pk__gte=id_at(now() - LATEST_COMMIT), link=None)
    return recent.order_by("pk").values_list("at", flat=True).first()


# --- Verifying -------------------------------------------------------------------------------------------


def differences() -> Iterator[str]:
    """What is wrong with the chain, in sentences, in the present snapshot of the database.

    That its end was cut off is not seen here: its head stands in the checkpoints.
    """
    raw: psycopg.Connection[Any] = reader().connection
    seq, head = 0, START
    for link in read_links(raw):
        if link.seq != seq + 1:
            yield f"links {seq + 1} to {link.seq - 1} are gone"
        elif link.act is None:
            yield f"act {link.event_id} of link {link.seq} is gone"
        elif link_hash(head, link.seq, link.act) != link.hash:
            yield f"link {link.seq} does not fit act {link.event_id} and the link before: one was changed"
        seq, head = link.seq, link.hash
    if seq:
        for (id,) in raw.execute(LOST, [str(id_at(now() - LATEST_COMMIT))]):
            yield f"act {id} is in no link"


def read_links(raw: psycopg.Connection[Any]) -> Iterator[Link]:
    """The whole chain, in its order."""
    with psycopg.ServerCursor(raw, "audit_chain") as cursor:
        cursor.itersize = BATCH
        cursor.execute(CHAIN)
        for row in cursor:
            act = row[LINK_WIDTH:]
            yield Link(row[0], row[1], bytes(row[2]), None if act[0] is None else act_of(act))
