"""The row that each run of a job writes, and the lock that keeps some jobs from running twice at once."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.ids import new_id
from lib.texts import storable
from wallet.alerts import clear_alert, raise_alert
from wallet.models import Alert, JobRun

logger = logging.getLogger(__name__)

NOTE_LENGTH, ERROR_LENGTH = 255, 500
# What the end of a run changes of its row.
ENDING = ("ended_at", "looked_at", "done", "failed", "note", "error", "read_up_to")
# The first halves of our advisory locks; the second is the task's own. Of two kinds, for they belong to two
# connections: a job that runs alone may wait for its turn at what has its name.
LOCK_CLASS, TURN_CLASS = 0x5157, 0x5158


@dataclass(slots=True)
class Run:
    """What a job counts while it works."""

    task: str
    looked_at: int = 0
    done: int = 0
    failed: int = 0
    note: str = ""
    read_up_to: datetime | None = None
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")


@contextmanager
def recorded(task: str) -> Iterator[Run]:
    """Writes a run's row when it begins and when it ends.

    Also when it fails, which raises an alert besides.
    """
    run = Run(task)
    row = JobRun(pk=new_id(), task=task, worker=run.worker, began_at=now())
    row.save(force_insert=True)
    try:
        yield run
    except BaseException as problem:
        tell_failure(row, run, f"{type(problem).__name__}: {problem}")
        raise
    end(row, run, "")
    clear_alert(Alert.Kind.SWEEP_FAILED, task, reason="The job has run again.")


def tell_failure(row: JobRun, run: Run, error: str) -> None:
    """Writes down why a run failed, where the database can still be written."""
    try:
        end(row, run, error)
        raise_alert(Alert.Kind.SWEEP_FAILED, run.task, f"The last run was aborted: {error}")
    except FAILURES as problem:
        drop_unfit_connection(problem)
        logger.exception("the end of %s cannot be written down: %s", run.task, error)


def end(row: JobRun, run: Run, error: str) -> None:
    row.ended_at = now()
    row.looked_at, row.done, row.failed = run.looked_at, run.done, run.failed
    row.note, row.error = storable(run.note, NOTE_LENGTH), storable(error, ERROR_LENGTH)
    row.read_up_to = run.read_up_to
    row.save(update_fields=ENDING)


@contextmanager
def alone(task: str) -> Iterator[bool]:
    """Whether no other process runs `task` at this moment.

    The lock ends with the block, or with the process. It belongs to a transaction of its own, for behind a
    pooler nobody has a session; without a snapshot it keeps no row from being vacuumed.
    """
    own = connection.copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [LOCK_CLASS, task])
            is_ours = bool(cursor.fetchone()[0])
        yield is_ours
    finally:
        own.close()


def wait_for_turn(what: str) -> None:
    """Until no other process does `what`; for the rest of the atomic block it is our turn."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [TURN_CLASS, what])
