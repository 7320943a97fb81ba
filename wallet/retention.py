"""Clears what is kept for a time only, in bounded batches.

Transactions, journal, ids and inquiries are kept for ever.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from lib.backoffice.languages import stored
from lib.clock import now
from lib.ids import id_at
from players.access.answer_counts import forget_old_answers
from players.logins.attempts import forget_old
from wallet.call_log import drop_old_days, prepare_days
from wallet.events.positions import drop_old_events
from wallet.job_runs import Run
from wallet.models import JobRun

BATCH = 1_000
# Of each kind in one run; the next one goes on.
MOST_BATCHES = 200
DAYS_AHEAD = 3
NIL = UUID(int=0)

# Each takes the next rows in the order of their ids, which is that of time. Their rows are locked, so that
# each condition is read anew where somebody changes it meanwhile, and those that somebody works with at this
# moment are left for the next run.
SESSIONS = """
    SELECT id FROM players_gamesession
    WHERE id > %(after)s AND id < %(until)s AND NOT is_kept AND least(ended_at, expires_at) < %(before)s
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
JOB_RUNS = """
    SELECT id FROM wallet_jobrun
    WHERE id > %(after)s AND id < %(until)s AND began_at < %(before)s AND id <> ALL (%(kept)s)
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
QUESTIONS = """
    SELECT q.id FROM wallet_question q JOIN wallet_inquiry i ON i.id = q.inquiry_id
    WHERE q.id > %(after)s AND q.id < %(until)s AND q.asked_at < %(before)s AND i.closed_at IS NOT NULL
    ORDER BY q.id LIMIT %(limit)s FOR UPDATE OF q SKIP LOCKED
"""


class Expiring(NamedTuple):
    """Rows of a table that are kept for so many days, the question that finds them, and how many they were
    in words, with their `{number}`.
    """

    table: str
    question: str
    days: int
    words: str


# What other apps keep for a time only; they add to it.
OTHERS: list[Expiring] = []


def purge_expired(run: Run) -> None:
    """Clears old sessions that no transaction names, runs of jobs, questions to games, counts of log-ins
    and of answers, whole days of the call log, and what other apps keep for a time only.
    """
    at = now()
    prepare_days(DAYS_AHEAD)
    sessions = clear("players_gamesession", SESSIONS, at - timedelta(days=settings.SESSION_DAYS))
    runs = clear("wallet_jobrun", JOB_RUNS, at - timedelta(days=settings.SWEEP_RUN_DAYS), kept=newest_runs())
    questions = clear("wallet_question", QUESTIONS, at - timedelta(days=settings.QUESTION_DAYS))
    counters, answers = forget_old(), forget_old_answers()
    days = drop_old_days(timedelta(days=settings.CALL_LOG_DAYS))
    event_days = drop_old_events(timedelta(days=settings.EVENTS_KEEP_DAYS))
    others = [(clear(one.table, one.question, at - timedelta(days=one.days)), one.words) for one in OTHERS]
    cleared = [
        (sessions, stored("{number} sessions")),
        (runs, stored("{number} runs of jobs")),
        (questions, stored("{number} status queries")),
        (counters, stored("{number} counts of log-ins")),
        (answers, stored("{number} counts of answers")),
        *others,
        (days, stored("{number} days of the call log")),
        (event_days, stored("{number} days of events")),
    ]
    run.looked_at = run.done = sum(number for number, _ in cleared)
    told = ", ".join(words.format(number=number) for number, words in cleared if number)
    run.note = stored("Cleared: {what}.").format(what=told) if told else stored("Nothing was due.")


def newest_runs() -> list[UUID]:
    """The last successful run of each task, however old: the next one goes on from it."""
    successful = JobRun.objects.filter(ended_at__isnull=False, error="")
    return list(successful.order_by("task", "-began_at").distinct("task").values_list("pk", flat=True))


def clear(table: str, question: str, before: datetime, *, kept: Sequence[UUID] = ()) -> int:
    """Deletes the rows of `table` that the question finds before a time, each batch in an atomic block of its
    own. Returns how many.
    """
    # Not by the models: Django would ask every transaction whether it names the session.
    deletion = (
        f"WITH old AS MATERIALIZED ({question})"  # noqa: S608 (our own constants)
        f" DELETE FROM {table} t USING old WHERE t.id = old.id RETURNING t.id"
    )
    parameters = {
        "after": NIL,
        "until": id_at(before + timedelta(days=1)),
        "before": before,
        "kept": list(kept),
        "limit": BATCH,
    }
    cleared = 0
    for _ in range(MOST_BATCHES):
        ids = clear_batch(deletion, parameters)
        cleared += len(ids)
        if len(ids) < BATCH:
            break
        parameters["after"] = max(ids)
    return cleared


def clear_batch(deletion: str, parameters: dict[str, Any]) -> list[UUID]:
    with transaction.atomic(), connection.cursor() as cursor:
        # There may be very many rows that are kept between those that are not.
        cursor.execute("SET LOCAL statement_timeout = '5min'")
        cursor.execute(deletion, parameters)
        return [id for (id,) in cursor.fetchall()]
