"""An audit of the whole ledger in parts: shared by processes, and gone on with after a kill.

A *full* one reads every line. One that goes *further* builds on the last full one and those after it: of a
wallet it reads what was added since, and compares the rest by the row that was marked. It finds whatever is
wrong with what is new; an old line that was changed is found by the next full one, which is due
`FULL_AUDIT_DAYS` after the last. A wallet with a difference gets no mark: it is read from its first line
until it is right.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from lib.clock import now
from lib.ids import new_id
from wallet.audit.archived import archived_movements
from wallet.audit.ledger import check_days, check_sums, questions
from wallet.audit.marks import GONE, HELD, moved_so_far
from wallet.audit.parts import do_part
from wallet.audit.problems import problem
from wallet.audit.report import Report, add_sums
from wallet.audit.rows import next_id, snapshot
from wallet.job_runs import alone
from wallet.models import AuditedMovement, AuditMark, AuditPart, AuditPass

# Lines that a part has to read, and what a wallet costs besides, in lines. A kill loses the part under way of
# each process.
PART_LINES = 250_000
LINES_OF_A_WALLET = 10
FIRST_PLAYER, LAST_PLAYER = UUID(int=0), UUID(int=2**128 - 1)
# The last player of each part.
CUTS = """
    SELECT DISTINCT ON (part) player_id FROM (
        SELECT player_id, floor((sum(lines) OVER (ORDER BY player_id) - 1) / %s) AS part
        FROM (
            SELECT w.player_id, sum(%s + greatest(w.entry_count - coalesce(m.entry_count, 0), 0)) AS lines
            FROM wallet_wallet w LEFT JOIN wallet_auditmark m
                ON m.player_id = w.player_id AND m.wallet_id = w.id AND m.base = %s
            GROUP BY w.player_id) of_players) of_parts
    ORDER BY part, player_id DESC
"""


class Unfinished(Exception):
    """An audit did not come to its end in its time; the next one goes on with it."""


def begin(*, full: bool) -> AuditPass:
    """The audit to be done: the one that was interrupted, or else a new one. Must run alone.

    A full one is never given up for one that goes further; it is full as well if there was none before.
    """
    under_way = AuditPass.objects.filter(ended_at=None).first()
    if under_way and (under_way.is_full or not full):
        return under_way
    base = last_full()
    id, is_full = new_id(), full or base is None
    with transaction.atomic():
        AuditPass.objects.filter(ended_at=None).delete()
        audit = AuditPass.objects.create(
            id=id, is_full=is_full, base=id if is_full or base is None else base.pk, began_at=now()
        )
        AuditPart.objects.bulk_create(parts_of(audit))
    return audit


def last_full() -> AuditPass | None:
    """The last full audit that came to its end."""
    return AuditPass.objects.filter(is_full=True).exclude(ended_at=None).order_by("-began_at").first()


def is_full_due(at: datetime) -> bool:
    """Whether the next audit has to read every line, at the moment `at`.

    A moment that lies ahead was written by a wrong clock.
    """
    last = last_full()
    if last is None or settings.FULL_AUDIT_DAYS == 1:
        return True
    # Counted in nights, which do not begin to the second.
    latest = last.began_at + timedelta(days=settings.FULL_AUDIT_DAYS) - timedelta(hours=12)
    return not last.began_at <= at < latest


def parts_of(audit: AuditPass) -> list[AuditPart]:
    """The questions first, since the longest of them should not come last."""
    parts = [AuditPart(audit=audit, question=question) for question in questions()]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(CUTS, [PART_LINES, LINES_OF_A_WALLET, audit.base])
        cuts = [player_id for (player_id,) in cursor.fetchall()]
    # Players who come meanwhile, and entries of no wallet, are somewhere between, too.
    lasts = [*cuts[:-1], LAST_PLAYER]
    firsts = [FIRST_PLAYER, *map(next_id, lasts[:-1])]
    parts += [
        AuditPart(audit=audit, first_player=first, last_player=last)
        for first, last in zip(firsts, lasts, strict=True)
    ]
    for number, part in enumerate(parts):
        part.number = number
    return parts


def do_parts(audit: AuditPass, until: float | None = None, tick: Callable[[], None] = lambda: None) -> None:
    """Does the parts that nobody has done or does at this moment; begins none after `until`
    (`time.monotonic`). `tick` is called before each.

    Any number of processes may do so at once.
    """
    for part in list(audit.parts.filter(ended_at=None).order_by("number")):
        if until is not None and time.monotonic() >= until:
            return
        tick()
        with alone(f"audit part {part.pk}") as is_ours:
            if is_ours and AuditPart.objects.filter(pk=part.pk, ended_at=None).exists():
                do_part(audit, part)


def progress(audit: AuditPass) -> tuple[int, int]:
    """How many of its parts are done, and how many there are."""
    return audit.parts.exclude(ended_at=None).count(), audit.parts.count()


def result(audit: AuditPass) -> Report:
    """What has been found so far; if all parts are done, with the sums of all."""
    report, held = Report(), defaultdict[str, list[int]](lambda: [0, 0, 0])
    done, total = progress(audit)
    # Wallets first: what is wrong with one is told in the same order by every audit, and accepted so.
    ended = audit.parts.exclude(ended_at=None).order_by("number")
    for part in (*ended.filter(question=""), *ended.exclude(question="")):
        report.wallets += part.wallets
        report.entries += part.entries
        report.entries_read += part.entries_read
        report.add_json(part.found)
        add_held(held, part.found.get("held", {}))
    if done == total:
        compare(audit, report, held)
    return report


def compare(audit: AuditPass, report: Report, held: defaultdict[str, list[int]]) -> None:
    """What all wallets together moved and hold, with what each of them was when it was read."""
    with snapshot() as raw:
        for moved in (moved_so_far(raw, audit.base), archived_movements(raw)):
            for key, sums in moved.items():
                add_sums(report.moved, key, *sums)
        add_held(
            held, {currency: list(map(int, sums)) for currency, *sums in raw.execute(HELD, [audit.base])}
        )
        check_sums(report, [(currency, *sums) for currency, sums in sorted(held.items())])
        check_days(raw, report, audit.began_at)
        for wallet_id, player_id, entries in raw.execute(GONE):
            found = problem(
                f"wallet of player {player_id} with {entries} entries is gone",
                f"the wallet of player {player_id}, which had {entries} entries when it was audited, is gone",
            )
            report.add_ledger(f"missing wallet {wallet_id}", [found])


def add_held(held: defaultdict[str, list[int]], more: dict[str, list[int]]) -> None:
    for currency, sums in more.items():
        held[currency] = [has + other for has, other in zip(held[currency], sums, strict=True)]


def end(audit: AuditPass) -> None:
    """Everything is told: what was needed for it is cleared, and the next one builds on it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        AuditPass.objects.filter(pk=audit.pk).update(ended_at=now())
        AuditPass.objects.exclude(pk__in=[audit.pk, audit.base]).delete()
        AuditPart.objects.all().delete()
        AuditedMovement.objects.exclude(base=audit.base).delete()


def forget() -> None:
    """Nothing was ever audited: the next audit is full, and begins anew."""
    for model in (AuditPass, AuditMark, AuditedMovement):
        model.objects.all().delete()
