"""Whether a part of the journal can be archived: what speaks against it, in sentences."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

from django.conf import settings
from django.db import connection

from lib.clock import in_words, now
from wallet.archive.parts import Part
from wallet.audit.rows import snapshot
from wallet.checkpoints.database import comparing
from wallet.checkpoints.keys import trusted_keys
from wallet.checkpoints.stored import fetched
from wallet.models import ArchivedPart, AuditPass, Checkpoint
from wallet.proof.header import Unusable
from wallet.proof.verification import verify_file

# So far back players' limits count, and are compared by the audit: to the beginning of the last month, in the
# platform's zone.
COUNTED = timedelta(days=70)
# Whole days of events are dropped, once they are older than EVENTS_KEEP_DAYS.
DROPPED_LATER = timedelta(days=2)
UNSUMMED = """
    SELECT count(DISTINCT day), min(day)
    FROM (SELECT DISTINCT (at AT TIME ZONE 'UTC')::date AS day FROM {part}) days
    WHERE NOT EXISTS (SELECT FROM wallet_closedday c WHERE c.day = days.day)
       OR NOT EXISTS (SELECT FROM wallet_figuresday f WHERE f.day = days.day AND f.is_final)
"""
PENDING = """
    SELECT count(*), min(t.id::text) FROM wallet_transaction t
    WHERE t.state = 'pending' AND EXISTS (SELECT FROM {part} e
        WHERE e.player_id = t.player_id AND e.wallet_id = t.wallet_id AND e.seq = t.opened_seq)
"""
TOLD = """
    SELECT EXISTS (SELECT FROM wallet_event WHERE kind = 'entry' AND at < %(ended)s)
        OR EXISTS (SELECT FROM wallet_newevent WHERE kind = 'entry' AND at < %(ended)s)
"""
# Wallets whose entries here do not follow those that were archived before, in one piece (a clock went back
# over the month's end); and those whose entries no audit in parts has found right.
PIECES = """
    WITH mine AS (
        SELECT player_id, wallet_id, min(seq) AS first, max(seq) AS last, count(*) AS entries
        FROM {part} GROUP BY player_id, wallet_id)
    SELECT count(*) FILTER (WHERE first <> before.entry_count + 1 OR entries <> last - first + 1),
        min(mine.wallet_id::text) FILTER (
            WHERE first <> before.entry_count + 1 OR entries <> last - first + 1),
        count(*) FILTER (WHERE audited.entry_count IS NULL OR audited.entry_count < last),
        min(mine.wallet_id::text) FILTER (WHERE audited.entry_count IS NULL OR audited.entry_count < last)
    FROM mine
    CROSS JOIN LATERAL (
        SELECT coalesce(max(m.entry_count), 0) AS entry_count FROM wallet_archivemark m
        WHERE m.player_id = mine.player_id AND m.wallet_id = mine.wallet_id) before
    LEFT JOIN wallet_auditmark audited ON audited.player_id = mine.player_id
        AND audited.wallet_id = mine.wallet_id AND audited.base = %s
"""
AUDIT_FIRST = "run manage.py audit_ledger --workers 2 (with --new, if there was one) to its end first"


def problems_of(part: Part) -> list[str]:
    """What speaks against archiving a part now."""
    if part.ended + rest() > now():
        return [f"it ends on {in_words(part.ended)}, and can be archived {rest().days} days later."]
    return [*of_events(part), *of_entries(part), *of_checkpoint(part)]


def rest() -> timedelta:
    """How long after its end calls and jobs may still read a part, other than people do."""
    return max(COUNTED, timedelta(days=settings.EVENTS_KEEP_DAYS) + DROPPED_LATER)


def of_events(part: Part) -> Iterator[str]:
    """An event says which entry it is of, and is read with it."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(TOLD, {"ended": part.ended})
        if cursor.fetchone()[0]:
            yield "some of its entries are still told as events: they are dropped after EVENTS_KEEP_DAYS."


def of_entries(part: Part) -> Iterator[str]:
    name = connection.ops.quote_name(part.name)
    with closing(connection.cursor()) as cursor:
        cursor.execute(UNSUMMED.format(part=name))
        days, first_day = cursor.fetchone()
        if days:
            yield (
                f"{days} of its days are not summed up for good, the first is {first_day}: run "
                "manage.py daily_totals and fold_figures first."
            )
        cursor.execute(PENDING.format(part=name))
        pending, first_id = cursor.fetchone()
        if pending:
            yield f"{pending} transactions that it opened have not ended, for example {first_id}."
        full = AuditPass.objects.filter(is_full=True).exclude(ended_at=None).order_by("-began_at").first()
        if full is None or AuditPass.objects.filter(ended_at=None).exists():
            yield f"no audit in parts has come to its end, or one is under way: {AUDIT_FIRST}."
            return
        cursor.execute(PIECES.format(part=name), [full.pk])
        apart, one_apart, unaudited, one_unaudited = cursor.fetchone()
    if apart:
        yield (
            f"the entries of {apart} wallets do not follow those before in one piece, for example of "
            f"{one_apart}: the clock went back over the end of the month."
        )
    if unaudited:
        yield (
            f"the entries of {unaudited} wallets were not found right by an audit in parts, for example of "
            f"{one_unaudited}: {AUDIT_FIRST}."
        )


def of_checkpoint(part: Part) -> Iterator[str]:
    """The newest checkpoint must have been made since, and the ledger must be as it states."""
    newest = newest_checkpoint()
    if newest is None or newest.made_at < part.ended:
        yield "no checkpoint was made since it ended: run manage.py make_checkpoint first."
        return
    try:
        with fetched(newest.file) as source, snapshot() as raw:
            verdict = verify_file(source, comparing(raw), trusted=trusted_keys())
    except Unusable as problem:
        yield f"{newest} cannot be verified: {problem}."
        return
    if verdict.findings.count:
        yield f"the ledger is not as {newest} states: {verdict.findings.first[0]}."


def newest_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-number").first()


def is_next(part: Part) -> bool:
    """Whether all before it is archived already."""
    last = ArchivedPart.objects.order_by("-ended_at").first()
    return part.began is None if last is None else part.began == last.ended_at
