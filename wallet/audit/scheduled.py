"""The ledger checks itself: by night all of it, and every few minutes what changed lately.

What differs is frozen, and a person is told.
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
from django.conf import settings
from django.db.models import QuerySet

from lib.backoffice.languages import stored
from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from wallet.alerts import is_news, raise_alert
from wallet.audit.ledger import audit_players
from wallet.audit.operators_acts import tell_unlinked
from wallet.audit.passes import Unfinished, begin, end, is_full_due, progress, result
from wallet.audit.report import Found, Report
from wallet.audit.rows import snapshot
from wallet.audit.second_look import confirmed
from wallet.audit.whole import audit_whole, is_taken_off
from wallet.audit.workers import work
from wallet.job_runs import Run
from wallet.models import Alert, JobRun, Wallet
from wallet.operations import freeze_wallet

logger = logging.getLogger(__name__)

ACTOR = "audit"
REASON = "The audit found a difference in this wallet; see its alert."
UNFROZEN = "Its withdrawals could not be frozen. "

# How far a run looks back beyond what was read: an entry takes its time under its wallet's lock, and is seen
# when that statement is committed.
MARGIN = timedelta(minutes=2)
FIRST_LOOK = timedelta(days=1)
# Of the time that a full run may take, in seconds: to end the parts under way, and to tell what was found.
RESERVE = 600
# What one rolling run replays at most; it leaves the rest to the next.
MOST_PLAYERS = 5_000
MOST_ENTRIES = 500_000
LOOKED_UP_AT_ONCE = 1_000
# Currencies that a note names; the others it counts.
NAMED_CURRENCIES = 8
# What a run notes.
READ = stored("Read the journal up to {moment}.")
NO_DIFFERENCE = stored("{wallets} wallets, {entries} entries: no difference.")
DIFFERENCES = stored(
    "{wallets} wallets, {entries} entries: "
    "{number} differences in {differing} wallets and {others} other places."
)
READ_OF_IT = stored("New since they were audited before: {number} entries.")
AT_STANDBY = stored("A standby was read.")
SUMS = stored("The sums are right in {codes}.")
SUMS_OF_MANY = stored("The sums are right in {codes} and {number} more.")
RECENT = """
    SELECT recent.player_id::text, recent.first_at,
        greatest((SELECT sum(w.entry_count) FROM wallet_wallet w WHERE w.player_id = recent.player_id), 1)
    FROM (SELECT player_id, min(at) AS first_at FROM wallet_entry WHERE at >= %s GROUP BY player_id) recent
    ORDER BY recent.first_at
"""


def audit_all(run: Run) -> None:
    """Replays the whole ledger, or what is new in it, and compares it with its daily totals.

    A standby takes it off the primary, in one snapshot, unless it is to be shared or to read what is new. On
    several machines it is one snapshot as well: marks lie on the first.
    """
    is_in_parts = settings.AUDIT_WORKERS > 1 or settings.FULL_AUDIT_DAYS > 1 or not is_taken_off()
    if settings.DATABASE_DISTRIBUTED or not is_in_parts:
        looked_at = last_full_audit()
        report, was_standby = audit_whole()
        tell_wallets(run, report, looked_at)
        tell_ledger(report, looked_at)
        run.note = told(verdict(report), AT_STANDBY if was_standby else "", sums(report))
    else:
        audit_in_parts(run)


def audit_in_parts(run: Run) -> None:
    """Raises `Unfinished` if its time is not enough: what was found is told, and the next run goes on."""
    looked_at, seconds = last_full_audit(), max(settings.CHECK_TIME_LIMIT - RESERVE, RESERVE)
    audit = begin(full=is_full_due(now()))
    work(audit, settings.AUDIT_WORKERS, until=time.monotonic() + seconds)
    report, (done, total) = result(audit), progress(audit)
    tell_wallets(run, report, looked_at)
    tell_ledger(report, looked_at)
    if done < total:
        raise Unfinished(f"{done} of {total} parts are done; the next run goes on from there.")
    end(audit)
    run.read_up_to = audit.began_at - MARGIN
    run.note = told(verdict(report), how_much_read(report), sums(report))


def told(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def audit_recent(run: Run) -> None:
    """Replays completely the wallets of every player to whom something happened since the last run, or as
    many as one run may.
    """
    players, read_up_to = recent_players()
    report = confirmed(audit_players(players), lambda: audit_players(players))
    looked_at = last_full_audit()
    tell_wallets(run, report, looked_at)
    tell_ledger(report, looked_at)
    tell_unlinked()
    run.read_up_to = read_up_to
    run.note = f"{READ.format(moment=read_up_to.isoformat())} {verdict(report)}"


# --- What happened lately -----------------------------------------------------------------------------


def recent_players() -> tuple[list[str], datetime]:
    """The players whose journal is to be read, those with the oldest news first, and up to when all news is
    covered then.
    """
    with snapshot() as raw:
        at = now()
        with psycopg.ServerCursor(raw, "recent_players") as rows:
            rows.execute(RECENT, [unread_since(at)])
            players, rest_since = take(iter(rows))
    # What the snapshot did not show yet has at least this time.
    shown = at - MARGIN
    return players, shown if rest_since is None else min(rest_since, shown)


def take(rows: Iterator[tuple[str, datetime, int]]) -> tuple[list[str], datetime | None]:
    """The first players that one run may replay, and when the news of the first that it leaves began.

    Those whose news began at the same moment stay together, so that this moment divides what is done from
    what is left.
    """
    players: list[str] = []
    last, total = None, 0
    for player_id, first_at, entries in rows:
        is_full = len(players) >= MOST_PLAYERS or total + entries > MOST_ENTRIES
        if is_full and players and first_at != last:
            return players, first_at
        players.append(player_id)
        last, total = first_at, total + int(entries)
    return players, None


def unread_since(at: datetime) -> datetime:
    """From when on the journal has to be read, at the moment `at`.

    A moment that lies ahead was written by a wrong clock.
    """
    known = (read_by_rolling_audit(), read_by_full_audit())
    return max((moment for moment in known if moment is not None and moment <= at), default=at - FIRST_LOOK)


def read_by_rolling_audit() -> datetime | None:
    """How far the last rolling audit that came to its end had read."""
    read = successful("audit_recent").exclude(read_up_to=None)
    return read.values_list("read_up_to", flat=True).first()


def read_by_full_audit() -> datetime | None:
    """How far the last full audit that came to its end had read."""
    last = successful("audit_all").first()
    # Before it was done in parts, a run read everything after it had begun.
    return (last.read_up_to or last.began_at - MARGIN) if last else None


def last_full_audit() -> datetime | None:
    """When the last full audit that came to its end began."""
    return successful("audit_all").values_list("began_at", flat=True).first()


def successful(task: str) -> QuerySet[JobRun]:
    """The runs of a task that came to their end, the newest first."""
    return JobRun.objects.filter(task=task, ended_at__isnull=False, error="").order_by("-began_at", "-pk")


# --- What follows from a difference -------------------------------------------------------------------


def tell_wallets(run: Run, report: Report, looked_at: datetime | None) -> None:
    """Freezes the wallets in which there is something new, then raises an alert for each that differs.

    Done are those that are as their journal says.
    """
    run.looked_at += report.wallets
    run.done += report.wallets - len(report.by_wallet)
    run.failed += len(report.by_wallet)
    news = [
        id
        for id, found in report.by_wallet.items()
        if is_news(Alert.Kind.WALLET_DIFFERENCE, id, found.key, looked_at=looked_at)
    ]
    # All of them first: an alert can wait, money cannot.
    unfrozen = {id for id in news if not freeze(id)}
    again = look_again(news)
    for id, found in report.by_wallet.items():
        now_found, first = again.get(id, found), UNFROZEN * (id in unfrozen)
        raise_alert(
            Alert.Kind.WALLET_DIFFERENCE,
            id,
            first + now_found.text,
            finding=first + now_found.key,
            wallet=Wallet.objects.filter(pk=id).first(),
            looked_at=looked_at,
        )


def freeze(wallet_id: str) -> bool:
    """Stops withdrawals from a wallet.

    Returns whether they are stopped: the database may refuse to write a row that is broken.
    """
    try:
        freeze_wallet(Wallet.objects.get(pk=wallet_id), actor=ACTOR, reason=REASON)
    except (*FAILURES, Wallet.DoesNotExist) as problem:
        drop_unfit_connection(problem)
        logger.exception("wallet %s cannot be frozen", wallet_id)
        return False
    return True


def look_again(wallet_ids: list[str]) -> dict[str, Found]:
    """What differs now, by wallet. The entry that froze a wallet has taken over what was wrong in its row.

    An operator accepts a difference by its key, so that has to be the one that the next audit will find.
    """
    players: set[str] = set()
    for start in range(0, len(wallet_ids), LOOKED_UP_AT_ONCE):
        wallets = Wallet.objects.filter(pk__in=wallet_ids[start : start + LOOKED_UP_AT_ONCE])
        players.update(map(str, wallets.values_list("player_id", flat=True)))
    return audit_players(sorted(players)).by_wallet


def tell_ledger(report: Report, looked_at: datetime | None) -> None:
    """Raises an alert for each difference that is not of one wallet."""
    for subject, found in report.of_ledger.items():
        kind = Alert.Kind.LEDGER_DIFFERENCE
        raise_alert(kind, subject, found.text, finding=found.key, looked_at=looked_at)


def verdict(report: Report) -> str:
    words = DIFFERENCES if report.problem_count else NO_DIFFERENCE
    return words.format(
        wallets=report.wallets,
        entries=report.entries,
        number=report.problem_count,
        differing=len(report.by_wallet),
        others=len(report.of_ledger),
    )


def how_much_read(report: Report) -> str:
    """How much of it was read anew, if that is not all."""
    if report.entries_read >= report.entries:
        return ""
    return READ_OF_IT.format(number=report.entries_read)


def sums(report: Report) -> str:
    """The currencies whose accounts sum to zero and are what the wallets hold, in a sentence."""
    codes = {currency for currency, _ in report.accounts}
    right = sorted(code for code in codes if f"currency {code}" not in report.of_ledger)
    if not right:
        return ""
    named, others = ", ".join(right[:NAMED_CURRENCIES]), len(right) - NAMED_CURRENCIES
    words = SUMS_OF_MANY if others > 0 else SUMS
    return words.format(codes=named, number=others)
