"""Runs a statement of the ledger, in the web server's loop or outside, and repeats what is safe to repeat."""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.utils import OperationalError
from psycopg import errors

from lib.database import FAILURES, drop_unfit_connection, execute, is_unavailable, is_unfit
from lib.event_loop import in_loop
from lib.loop_connections import LoopConnections
from lib.telemetry.spans import Span, outgoing_span
from wallet.ledger_statements import name_of

logger = logging.getLogger(__name__)

# A lock or a race lost; the same call again is safe, and sees what the winner did.
LOST_RACES = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)
MOST_TRIES = 4
# For calls in the web server's loop: reads, and what is asked on its own.
CONNECTIONS = LoopConnections(6)
IN_POSTGRESQL = {"db.system.name": "postgresql"}

Parameters = Mapping[str, Any]


def run(statement: str, parameters: Parameters) -> tuple[Any, ...] | None:
    """Runs one prepared statement and returns its row. Outside an atomic block it is committed when this
    returns.

    Raises as `run_surely`.
    """
    with statement_span(statement):
        return run_surely(statement, parameters)


def statement_span(statement: str) -> Span:
    """The span of a statement, however often it is tried."""
    return outgoing_span(name_of(statement), IN_POSTGRESQL)


def run_surely(statement: str, parameters: Parameters) -> tuple[Any, ...] | None:
    """Repeats what is safe to repeat.

    A lost race, and one connection that is lost or of no use, are tried again: every ledger call is safe to
    repeat. Raises Django's OperationalError if the database cannot be reached, does not answer in time, or
    takes no writes.
    """
    for attempt in range(1, MOST_TRIES + 1):
        try:
            return run_once(statement, parameters)
        except LOST_RACES as problem:
            if connection.in_atomic_block:
                raise
            if attempt == MOST_TRIES:
                raise OperationalError("the race was lost too often") from problem
            logger.info("ledger call is repeated: %s", type(problem).__name__)
        except FAILURES as problem:
            if connection.in_atomic_block or not is_unavailable(problem):
                raise
            if not has_lost_connection(problem) or attempt > 1:
                raise OperationalError("the database did not answer") from problem
    raise AssertionError("unreachable")


def run_once(statement: str, parameters: Parameters) -> tuple[Any, ...] | None:
    if in_loop():
        with CONNECTIONS.use() as taken:
            rows = execute(taken, statement, parameters)
    else:
        connection.ensure_connection()
        rows = execute(connection.connection, statement, parameters)
    return rows[0] if rows else None


def has_lost_connection(problem: Exception) -> bool:
    """Whether a failed call had no connection, or one of no use; the next try has a new one."""
    if in_loop():
        drop_unfit_connection(problem)
        return is_unfit(problem)
    broken = connection.connection is None or connection.connection.closed or is_unfit(problem)
    drop_unfit_connection(problem)
    connection.close()
    return broken
