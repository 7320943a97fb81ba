"""The past: while a history is made, the database's clock and all new ids are of the moment that is told."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from lib.database import execute
from lib.ids import SOURCE
from payments.nudges import NUDGER

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# More than a 4096th of a millisecond: ids of one moment keep their order.
TICK_NS = 250
REPLACED = ("wallet_now", "wallet_new_id")
DEFINITIONS = "SELECT pg_get_functiondef(name::regproc) FROM unnest(%s::text[]) name"
COUNTER = "CREATE TEMPORARY SEQUENCE IF NOT EXISTS history_ids"
CLOCK = """
    CREATE OR REPLACE FUNCTION wallet_now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT current_setting('history.now')::timestamptz $$
"""
# The moment's milliseconds, a counter, and bits that the seed decides.
IDS = """
    CREATE OR REPLACE FUNCTION wallet_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
        SELECT (
            lpad(to_hex((extract(epoch FROM wallet_now()) * 1000)::bigint), 12, '0')
            || '7' || substr(lpad(to_hex(number), 6, '0'), 1, 3)
            || '8' || substr(lpad(to_hex(number), 6, '0'), 4, 3)
            || substr(md5(current_setting('history.seed') || number), 1, 12)
        )::uuid
        FROM (SELECT nextval('pg_temp.history_ids') % 16777216 AS number) counted
    $$
"""
TELL = "SELECT set_config('history.now', %(now)s, true)"
SEED = "SELECT set_config('history.seed', %(seed)s, true)"


class Past:
    """A clock that stands at `moment`, and ids that `seed` decides."""

    def __init__(self, seed: int, moment: datetime) -> None:
        self.seed, self.moment, self.ticks = seed, moment, 0
        self.bits = Random(f"ids {seed}")  # noqa: S311 (the same again is what is wanted)

    @contextmanager
    def block(self) -> Iterator[None]:
        """An atomic block that happens in the past; at its end, all clocks are right again.

        It takes the database's owner. Nobody else sees the other clock, because it is never committed.
        """
        with ExitStack() as stack, transaction.atomic():
            stack.enter_context(self.own_clocks())
            [*right] = rows(DEFINITIONS, [list(REPLACED)])
            for statement in (COUNTER, CLOCK, IDS, "SET LOCAL synchronous_commit = off"):
                run(statement)
            execute(connection.connection, SEED, {"seed": str(self.seed)})
            self.go_to(self.moment)
            yield
            for (definition,) in right:
                run(definition)

    @contextmanager
    def own_clocks(self) -> Iterator[None]:
        """The clocks of this process go with it, and no worker is told of what is long over."""
        of_django, of_ids = timezone.now, (SOURCE.nanoseconds, SOURCE.random)
        timezone.now = lambda: self.moment
        SOURCE.nanoseconds, SOURCE.random = self.nanoseconds, self.bits.randbytes
        paused_until, NUDGER.paused_until = NUDGER.paused_until, math.inf
        try:
            yield
        finally:
            timezone.now, (SOURCE.nanoseconds, SOURCE.random) = of_django, of_ids
            NUDGER.paused_until = paused_until

    def go_to(self, moment: datetime) -> None:
        """From now on it is this moment."""
        self.moment, self.ticks = moment, 0
        execute(connection.connection, TELL, {"now": moment.isoformat()})

    def nanoseconds(self) -> int:
        """The moment as ids have it; each is a little later than the one before."""
        self.ticks += 1
        return (self.moment - EPOCH) // timedelta(microseconds=1) * 1000 + self.ticks * TICK_NS


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rows(statement: str, parameters: list[Any]) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[str, ...]] = cursor.fetchall()
    return found
