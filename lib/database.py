"""Failures that are the database's, and not of what was asked of it (contract 1.6)."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from django.db import Error, InterfaceError, OperationalError, close_old_connections, connection

from lib.event_loop import in_loop, off_loop

Result = TypeVar("Result")

# What Django's functions raise, and what prepared statements raise without it.
FAILURES = (Error, psycopg.Error)
UNREACHABLE = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
# A transaction that can write nothing, and one that waited so long that the server ended the connection:
# psycopg takes these for errors of the program.
READ_ONLY, IDLE_TOO_LONG, TRANSACTION_TOO_LONG = "25006", "25P03", "25P04"
DISK_FULL = "53100"
REFUSES_WRITES = (READ_ONLY, DISK_FULL)
# The server goes, has gone, or lacks room: another connection may lead to one that serves.
# A lock or a statement that took too long is no such thing.
UNFIT = ("08", "53", "57P", READ_ONLY, IDLE_TOO_LONG, TRANSACTION_TOO_LONG)
# Longer than the pause between two heartbeats, so that a database which refuses them stays refused.
REMEMBERED_SECONDS = 30.0


class RefusedWrites:
    """Remembers in the process that the database took no writes a moment ago."""

    def __init__(self) -> None:
        self.until = 0.0

    def note(self) -> None:
        self.until = time.monotonic() + REMEMBERED_SECONDS

    def forget(self) -> None:
        self.until = 0.0

    @property
    def are_recent(self) -> bool:
        return time.monotonic() < self.until


REFUSED_WRITES = RefusedWrites()


def sqlstate(problem: BaseException) -> str:
    """The server's own code of a failure; nothing if it said none."""
    found: BaseException | None = problem
    while found is not None and not isinstance(found, psycopg.Error):
        found = found.__cause__
    return (found.sqlstate or "") if found else ""


def is_unavailable(problem: BaseException) -> bool:
    """Whether the database cannot be reached, does not answer in time, or takes no writes: safe to repeat."""
    if isinstance(problem, UNREACHABLE):
        return True
    return isinstance(problem, FAILURES) and sqlstate(problem).startswith(UNFIT)


def is_unfit(problem: BaseException) -> bool:
    """Whether the connection that failed is of no use any more.

    A failure without a code is one that the server did not speak in: it is gone.
    """
    state = sqlstate(problem)
    return state.startswith(UNFIT) or (not state and isinstance(problem, UNREACHABLE))


def execute(connection: psycopg.Connection[Any], statement: str, parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement, which is prepared once for each connection and bound on the server: Django's
    cursor does neither.
    """
    with psycopg.Cursor(connection) as cursor:
        return cursor.execute(statement, parameters, prepare=True).fetchall()


def drop_unfit_connection(problem: BaseException) -> None:
    """Closes this thread's connection if it is of no use any more; the next use connects anew.

    Within an atomic block nothing more can be done until its end. Every handler of failures calls this. In a
    loop there is none of Django's: who has the connection that failed drops it.
    """
    if sqlstate(problem) in REFUSES_WRITES:
        REFUSED_WRITES.note()
    if is_unfit(problem) and not in_loop():
        connection.close()


def read_off_loop(work: Callable[..., Result], *arguments: Any) -> Result:
    """The result of work with Django's connection: a thread's own if this is a call in a loop."""
    return off_loop(read_in_thread, work, *arguments) if in_loop() else work(*arguments)


def read_in_thread(work: Callable[..., Result], *arguments: Any) -> Result:
    """Does the work as a request of its own would: the connection is looked after at both ends."""
    close_old_connections()
    try:
        return work(*arguments)
    except FAILURES as problem:
        drop_unfit_connection(problem)
        raise
