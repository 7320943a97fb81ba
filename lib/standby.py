"""A hot standby, which lists, reports, exports and audits read; what it cannot tell, the primary tells.

Nothing that decides reads it: `tests/config/test_standby_readers.py` names who may.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from prometheus_client import Counter

from lib.database import FAILURES, is_unfit
from lib.event_loop import in_loop
from lib.http.metrics import REGISTRY

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

ALIAS = "reports"
# One that does not serve is asked again after so long; until then nobody waits for it.
AWAY_SECONDS = 15.0
# Within these it tells its state, or is away.
STATE_SECONDS = 2.0
# As long as what takes its time waits until the standby has what it must have.
COMES_SECONDS, POLL_SECONDS = 60.0, 0.1
# Beyond the server's own limit for a statement.
GRACE_SECONDS = 5.0
# The lag is none if all that came was replayed; but a line that broke unnoticed looks the same, so what was
# replayed last must not be old: web processes write every 20 seconds.
STATE = """
    SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()),
        pg_last_wal_replay_lsn(), greatest(0, CASE
            WHEN EXISTS (SELECT FROM pg_stat_wal_receiver)
                AND pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn() AND replayed < %s THEN 0
            ELSE replayed END)
    FROM (SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) AS replayed) last
"""
CLUSTER = "SELECT system_identifier FROM pg_control_system()"
# The place of insertion may lie behind the head of a page that has no record yet, where nobody comes.
WRITTEN = "SELECT pg_current_wal_lsn()"
LSN = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", re.ASCII)

FALLBACKS = Counter(
    "wallet_standby_fallbacks_total",
    "Reports that read the primary because the standby did not serve, by the reason.",
    ["reason"],
    registry=REGISTRY,
)


class Reason:
    """Why the primary is read instead."""

    AWAY = "away"
    NO_STANDBY = "no_standby"
    OTHER_SERVER = "other_server"
    BEHIND = "behind"
    OWN_CHANGE = "own_change"
    CANCELLED = "cancelled"

    ALL = (AWAY, NO_STANDBY, OTHER_SERVER, BEHIND, OWN_CHANGE, CANCELLED)


@dataclass(slots=True)
class Reading:
    """What the present block reads: the standby, `lag` seconds behind, or the primary, for a `reason`."""

    is_open: bool
    lag: float | None = None
    reason: str = ""


class State(NamedTuple):
    """What the standby says of itself; `lag` in seconds, None if it has replayed nothing yet."""

    is_standby: bool
    cluster: int
    replayed: str | None
    lag: float | None

    @property
    def is_near(self) -> bool:
        return self.lag is not None and self.lag <= settings.DATABASE_REPORTS_LAG


CURRENT: ContextVar[Reading | None] = ContextVar("standby_reading", default=None)


class Standby:
    """The standby as this process knows it."""

    def __init__(self) -> None:
        self.cluster: int | None = None
        self.asking = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """What this process remembers of it."""
        self.away_until, self.reason = 0.0, ""
        self.cluster = None

    @property
    def is_configured(self) -> bool:
        return ALIAS in connections.settings

    # --- Reading --------------------------------------------------------------------------------------

    def read(self, work: Callable[[], Result], after: str = "", *, is_long: bool = False) -> Result:
        """The result of work that only reads: at the standby if it serves, and if it fails there, once more
        at the primary. `after`: a place in the log (`written`) that the standby must have come to. `is_long`:
        for work that takes its time, and may wait until the standby has come there.
        """
        with self.reading(after, is_long=is_long) as reading:
            try:
                return work()
            except FAILURES as problem:
                if not reading.is_open:
                    raise
                self.end(reading, problem)
            return work()

    @contextmanager
    def reading(self, after: str = "", *, is_long: bool = False) -> Iterator[Reading]:
        """Until the block ends, what may read the standby does, if that serves."""
        reading = CURRENT.get() or self.look(after, is_long=is_long)
        token = CURRENT.set(reading)
        try:
            yield reading
        finally:
            CURRENT.reset(token)

    def look(self, after: str, *, is_long: bool) -> Reading:
        """Whether it serves now, and has come to that place."""
        # Who has begun a transaction at the primary decides something.
        if not self.is_configured or in_loop() or connection.in_atomic_block:
            return Reading(False)
        until = time.monotonic() + (COMES_SECONDS if is_long else 0)
        while (state := self.state()) and not has_come_to(state.replayed, after) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        if state is None:
            return instead(self.reason)
        if not state.is_near:
            return instead(Reason.BEHIND)
        if not has_come_to(state.replayed, after):
            return instead(Reason.OWN_CHANGE)
        seconds = None if is_long else settings.DATABASE_STATEMENT_TIMEOUT + GRACE_SECONDS
        connections[ALIAS].connection.answer_seconds = seconds
        return Reading(True, state.lag)

    def end(self, reading: Reading, problem: Exception) -> None:
        """From now on the block reads the primary: the standby has failed."""
        reading.is_open, reading.lag, reading.reason = False, None, self.note_failure(problem)

    def note_failure(self, problem: Exception) -> str:
        """Returns the reason. A standby that has gone is left alone for a while; a statement that it has
        cancelled says nothing of it.
        """
        theirs = connections[ALIAS]
        if theirs.connection is None or theirs.connection.closed or is_unfit(problem):
            self.leave(Reason.AWAY, problem)
        else:
            logger.warning("the standby has ended a statement, which the primary answers: %s", problem)
        return instead(self.reason or Reason.CANCELLED).reason

    # --- Its state ------------------------------------------------------------------------------------

    def state(self) -> State | None:
        """What it says of itself now; None if it does not serve, for `reason`. That is remembered for a
        while, and then one thread asks again.
        """
        if time.monotonic() < self.away_until:
            return None
        if not self.reason:
            return self.ask()
        if not self.asking.acquire(blocking=False):
            return None
        try:
            return self.ask()
        finally:
            self.asking.release()

    def ask(self) -> State | None:
        try:
            state = self.ask_surely()
        except FAILURES as problem:
            leads_elsewhere = "not in hot standby mode" in str(problem)
            self.leave(Reason.NO_STANDBY if leads_elsewhere else Reason.AWAY, problem)
            return None
        if not state.is_standby:
            self.leave(Reason.NO_STANDBY, "it takes writes")
        elif state.cluster != self.own_cluster():
            self.leave(Reason.OTHER_SERVER, "its data are not the primary's")
        else:
            if self.reason:
                logger.warning("the standby serves again")
            self.reason = ""
            return state
        return None

    def ask_surely(self) -> State:
        """By a new connection, if the one that there was has broken since."""
        if connections[ALIAS].connection is not None:
            try:
                return self.ask_once()
            except FAILURES:
                connections[ALIAS].close()
        return self.ask_once()

    def ask_once(self) -> State:
        theirs = connections[ALIAS]
        theirs.ensure_connection()
        theirs.connection.answer_seconds = STATE_SECONDS
        with theirs.cursor() as cursor:
            cursor.execute(STATE, [settings.DATABASE_REPORTS_LAG])
            is_standby, cluster, replayed, lag = cursor.fetchone()
        return State(is_standby, cluster, replayed, None if lag is None else float(lag))

    def own_cluster(self) -> int:
        """The identifier of the primary's data, which all its standbys share."""
        if self.cluster is None:
            with connection.cursor() as cursor:
                cursor.execute(CLUSTER)
                self.cluster = int(cursor.fetchone()[0])
        return self.cluster

    def leave(self, reason: str, problem: object) -> None:
        """Lets it alone for a while."""
        if reason != self.reason:
            logger.warning("the primary is read, for the standby does not serve (%s): %s", reason, problem)
        self.reason, self.away_until = reason, time.monotonic() + AWAY_SECONDS
        connections[ALIAS].close()


STANDBY = Standby()


def instead(reason: str) -> Reading:
    """The primary is read, and that is counted."""
    FALLBACKS.labels(reason).inc()
    return Reading(False, reason=reason)


def written() -> str:
    """The place in the primary's log behind all that is committed."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        place: str = cursor.fetchone()[0]
    return place


def has_come_to(replayed: str | None, after: str) -> bool:
    """Whether a place in the log is not before another; what is no place is before any."""
    if not LSN.fullmatch(after):
        return True
    return replayed is not None and position(replayed) >= position(after)


def position(lsn: str) -> tuple[int, int]:
    """A place in the log, to be compared."""
    high, _, low = lsn.partition("/")
    return int(high, 16), int(low, 16)


def is_read() -> bool:
    """Whether the present block reads the standby."""
    reading = CURRENT.get()
    return bool(reading and reading.is_open)


def reader() -> BaseDatabaseWrapper:
    """The connection for statements that only read, in what may read the standby."""
    return connections[ALIAS if is_read() else "default"]


class StandbyRouter:
    """Reads of these apps' rows go to the standby within a `reading` block, everything else never does."""

    # Rows that say who may do what, and what operators keep for themselves, are read where they are written.
    apps = frozenset({"wallet", "payments"})
    models = frozenset({"players.player", "players.game", "players.gamesession", "players.auditevent"})

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        options = model._meta  # noqa: SLF001 (documented)
        if is_read() and (options.app_label in self.apps or options.label_lower in self.models):
            return ALIAS
        return self.db_for_write(model, **hints)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """A row that was read from the standby is written to the primary."""
        state = getattr(hints.get("instance"), "_state", None)
        return "default" if state and state.db == ALIAS else None

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        databases = {one._state.db, other._state.db}  # noqa: SLF001 (documented)
        return True if databases <= {"default", ALIAS} else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == ALIAS else None
