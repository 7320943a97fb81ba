"""Natural batching: openings and settlings that come while a statement is under way go out together after it,
as one statement and one commit.

For calls in the web server's loop. Nothing waits on purpose, and a call that is alone goes alone. A call
whose wallet somebody else has locked waits in a queue of its session token, and one statement for all of them
waits for that one lock: two processes that skip each other's locks would starve such a wallet.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from django.db.utils import OperationalError
from greenlet import getcurrent, greenlet
from psycopg import errors
from psycopg.types.numeric import Int4

from lib.database import execute, sqlstate
from lib.event_loop import current_loop
from lib.loop_connections import CannotConnect, LoopConnections
from lib.telemetry.spans import Span
from wallet.call_batches import many_parameters
from wallet.ledger_statements import MANY, OPEN, SETTLE
from wallet.metrics import BATCH_CALLS, REPEATED_CALLS

Row = tuple[Any, ...]
logger = logging.getLogger(__name__)

# Calls in one statement.
MOST_CALLS = 64
# The lane waits for nobody: a lock that is not had at once is waited for elsewhere, and what the server does
# not end is repeated call by call.
LANE = LoopConnections(1, statement_seconds=5, pool="_lane", lock_timeout="10ms")
# For wallets that others have locked, as many at once.
HELD = LoopConnections(6)
TOO_LONG = (errors.LockNotAvailable, errors.QueryCanceled)


class Unbatched(Exception):
    """The batch failed as a whole: this call is to be asked on its own. It is safe to repeat."""


class Ticket(NamedTuple):
    """A call that waits for its row: what the ledger is asked, how long the call had taken by then, since
    when it waits (`time.perf_counter_ns`), and its greenlet.
    """

    statement: str
    parameters: dict[str, Any]
    elapsed_us: int
    since_ns: int
    call: greenlet
    span: Span

    def give(self, outcome: Row | Exception) -> None:
        current_loop().call_soon(partial(self.call.switch, outcome))

    def count_wait(self) -> None:
        """The time until now belongs to the call (`took_us` in the call log), in whatever queue it was."""
        waited_us = (time.perf_counter_ns() - self.since_ns) // 1000
        self.parameters["elapsed_us"] = Int4(self.elapsed_us + waited_us)
        self.span.note("wallet.waited_us", waited_us)


class Batches:
    """The calls of one loop that wait for the ledger."""

    def __init__(self) -> None:
        self.waiting: deque[Ticket] = deque()
        self.is_under_way = False
        # By session token's hash: what waits for a wallet that somebody else has locked.
        self.held: dict[bytes, deque[Ticket]] = {}

    def ask(self, statement: str, parameters: dict[str, Any], span: Span) -> Row:
        """The row of an opening or a settling (OPEN, SETTLE), whose span hears with how many it went along.

        Raises Unbatched, or OperationalError if the database cannot be reached or a lock is not had in time.
        """
        elapsed_us = parameters["elapsed_us"]
        ticket = Ticket(statement, parameters, elapsed_us, time.perf_counter_ns(), getcurrent(), span)
        queue = self.held.get(parameters["token_hash"], self.waiting)
        queue.append(ticket)
        if queue is not self.waiting:
            current_loop().set_aside += 1
        elif not self.is_under_way:
            self.is_under_way = True
            # At the end of the turn: what comes in this one goes along.
            current_loop().call_soon(partial(current_loop().start, self.send_waiting))
        outcome = current_loop().pause()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome  # type: ignore[no-any-return]

    def send_waiting(self) -> None:
        try:
            while self.waiting:
                self.send(take(self.waiting))
        finally:
            self.is_under_way = False

    def send(self, batch: Sequence[Ticket]) -> None:
        """Asks for all that can be answered at once."""
        try:
            rows = ask_ledger(LANE, batch, waits=False)
        except CannotConnect as problem:
            fail([*batch, *take_all(self.waiting)], problem)
        except errors.LockNotAvailable as problem:
            if len(batch) == 1:
                self.hold(batch[0])
            else:
                repeat(batch, problem)
        except Exception as problem:  # noqa: BLE001 (whatever it is, each call finds out for itself)
            repeat(batch, problem)
        else:
            for place, ticket in enumerate(batch):
                if place in rows:
                    ticket.give(rows[place])
                else:
                    self.hold(ticket)

    def hold(self, ticket: Ticket) -> None:
        """Somebody else works on this wallet."""
        token = ticket.parameters["token_hash"]
        if token not in self.held:
            self.held[token] = deque()
            # What waits with them.
            current_loop().set_aside += 1
            current_loop().call_soon(partial(current_loop().start, self.send_held, token))
        self.held[token].append(ticket)
        current_loop().set_aside += 1

    def send_held(self, token: bytes) -> None:
        """Waits for the one wallet's lock, with all that wait for it."""
        queue = self.held[token]
        try:
            while queue:
                batch = take(queue)
                try:
                    rows = ask_ledger(HELD, batch, waits=True)
                except (CannotConnect, *TOO_LONG) as problem:
                    batch += take_all(queue)
                    fail(batch, problem)
                except Exception as problem:  # noqa: BLE001
                    repeat(batch, problem)
                else:
                    for place, ticket in enumerate(batch):
                        ticket.give(rows.get(place) or Unbatched())
                current_loop().set_aside -= len(batch)
        finally:
            current_loop().set_aside -= 1
            del self.held[token]


BATCHES = Batches()


def take(queue: deque[Ticket]) -> list[Ticket]:
    return [queue.popleft() for _ in range(min(len(queue), MOST_CALLS))]


def take_all(queue: deque[Ticket]) -> list[Ticket]:
    taken = list(queue)
    queue.clear()
    return taken


def ask_ledger(connections: LoopConnections, batch: Sequence[Ticket], *, waits: bool) -> dict[int, Row]:
    """The answers by place in the batch; without `waits`, wallets that others have locked are left out."""
    BATCH_CALLS.observe(len(batch))
    with connections.use() as connection:
        for ticket in batch:
            ticket.count_wait()
            ticket.span.note("wallet.statement_calls", len(batch))
        if len(batch) == 1:
            return {0: execute(connection, batch[0].statement, batch[0].parameters)[0]}
        numbered = [(place, ticket) for place, ticket in enumerate(batch)]
        asked = many_parameters(
            [(place, ticket.parameters) for place, ticket in numbered if ticket.statement is OPEN],
            [(place, ticket.parameters) for place, ticket in numbered if ticket.statement is SETTLE],
            waits=waits,
        )
        return {row[0]: row[1:] for row in execute(connection, MANY, asked)}


def repeat(batch: Sequence[Ticket], problem: Exception) -> None:
    """Nobody's fault may reach another's answer: each asks on its own."""
    # Not what the server said: that may show a row.
    logger.warning(
        "A statement of %d calls failed, and each is repeated alone: %s %s",
        len(batch),
        type(problem).__name__,
        sqlstate(problem),
    )
    REPEATED_CALLS.labels(type(problem).__name__).inc(len(batch))
    for ticket in batch:
        ticket.count_wait()
        ticket.give(Unbatched())


def fail(tickets: Sequence[Ticket], problem: Exception) -> None:
    """None of them has been carried out. Who answers the call finds in the cause what the server said."""
    for ticket in tickets:
        failure = OperationalError("the database did not answer")
        failure.__cause__ = problem
        ticket.give(failure)
