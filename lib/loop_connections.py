"""Connections to PostgreSQL for calls in an event loop: while one waits for its statement, others go on."""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from greenlet import getcurrent, greenlet
from psycopg.waiting import Ready, Wait

from lib.database import FAILURES, is_unfit
from lib.event_loop import current_loop, in_loop, off_loop

logger = logging.getLogger(__name__)

# What epoll calls what psycopg waits for; a descriptor that broke is read, which says why.
READ, WRITE = 0x001, 0x004
EVENTS = {Wait.R: READ, Wait.W: WRITE, Wait.RW: READ | WRITE}
# After this beyond the server's own limit for a statement, the server has gone.
GRACE_SECONDS = 5.0
# The server's limit, if it has none.
NO_LIMIT_SECONDS = 60.0


class CannotConnect(psycopg.OperationalError):
    """The database cannot be reached, or lets nobody in: nothing was asked."""


class LoopConnection(psycopg.Connection[Any]):
    """Lets other calls go on whenever it waits for the server, for at most `answer_seconds`."""

    answer_seconds = 0.0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if not in_loop():
            return super().wait(gen, interval, timeout)
        loop, descriptor = current_loop(), self.pgconn.socket
        try:
            wanted = next(gen)
            while True:
                happened = loop.wait(descriptor, EVENTS[wanted], self.answer_seconds)
                if not happened:
                    raise psycopg.OperationalError(f"no answer within {self.answer_seconds:g} s")
                wanted = gen.send(Ready.R if happened & ~WRITE else Ready.W)
        except StopIteration as end:
            return end.value


def require_limits(made: LoopConnection, name: str, limits: dict[str, str]) -> None:
    """Closes a connection whose pooler does not set these limits, and raises OperationalError."""
    for limit, wanted in limits.items():
        row = made.execute("SELECT current_setting(%s)", [limit]).fetchone()
        found = row[0] if row else ""
        if found != wanted:
            made.close()
            problem = f"the pooler's {name} has {limit} = {found}, not {wanted}"
            logger.error("%s: see deploy/pgbouncer.ini", problem)
            raise psycopg.OperationalError(problem)


def refuse_django_connection() -> None:
    """Makes Django's connection of this thread, the loop's, useless: its user would hold up all calls."""

    def refuse() -> None:
        raise AssertionError("what reads by Django's connection must be done off the loop (lib.event_loop)")

    django_connection.close()
    django_connection.connect = refuse  # type: ignore[method-assign]


class LoopConnections:
    """At most `most` connections, made when they are needed; a call that finds none free waits for one.

    `statement_seconds` is how long the server lets a statement take, `options` are its other settings for
    them, such as lock_timeout="10ms"; what is not given is as everywhere (DATABASES). Behind a pooler it is
    the pooler that sets them, for the database whose name ends with `pool`.
    """

    def __init__(
        self, most: int, statement_seconds: int | None = None, pool: str = "", **options: str
    ) -> None:
        self.most, self.options = most, options
        self.statement_seconds, self.pool = statement_seconds, pool
        self.made = 0
        self.idle: list[LoopConnection] = []
        self.queue: deque[greenlet] = deque()

    @contextmanager
    def use(self) -> Iterator[LoopConnection]:
        """A connection for one statement. Raises CannotConnect."""
        taken = self.take()
        try:
            yield taken
        except FAILURES as problem:
            if is_unfit(problem):
                taken.close()
                self.drop_idle()
            raise
        finally:
            self.give_back(taken)

    def drop_idle(self) -> None:
        """Whatever ended one connection has most likely ended the others: the next try has a new one."""
        for other in self.idle:
            other.close()
        self.made -= len(self.idle)
        self.idle.clear()

    def take(self) -> LoopConnection:
        while self.idle:
            taken = self.idle.pop()
            if not taken.closed:
                return taken
            self.made -= 1
        if self.made < self.most:
            self.made += 1
            return self.make()
        self.queue.append(getcurrent())
        given = current_loop().pause()
        if isinstance(given, CannotConnect):
            raise given
        return given or self.make()

    def make(self) -> LoopConnection:
        """A new connection in a place that is counted already."""
        try:
            return off_loop(self.connect)
        except FAILURES as problem:
            self.made -= 1
            failure = CannotConnect(*problem.args)
            # They would wait for the same in vain.
            while self.queue:
                current_loop().call_soon(partial(self.queue.popleft().switch, failure))
            raise failure from problem

    def connect(self) -> LoopConnection:
        """Blocks until there is a connection."""
        seconds = self.statement_seconds or settings.DATABASE_STATEMENT_TIMEOUT
        options = self.options | {"statement_timeout": f"{seconds}s"}
        parameters: dict[str, Any] = django_connection.get_connection_params()
        del parameters["cursor_factory"]
        if settings.DATABASE_POOLER:
            parameters["dbname"] += self.pool
        else:
            parameters["options"] += "".join(f" -c {name}={value}" for name, value in options.items())
        made = LoopConnection.connect(**parameters, autocommit=True)
        made.answer_seconds = (seconds or NO_LIMIT_SECONDS) + GRACE_SECONDS
        if settings.DATABASE_POOLER:
            require_limits(made, parameters["dbname"], options)
        return made

    def give_back(self, taken: LoopConnection) -> None:
        is_fit = not taken.closed and taken.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if not is_fit:
            taken.close()
        if self.queue:
            # The place is theirs: whoever comes before they run finds it taken.
            current_loop().call_soon(partial(self.queue.popleft().switch, taken if is_fit else None))
        elif is_fit:
            self.idle.append(taken)
        else:
            self.made -= 1
