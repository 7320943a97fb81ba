"""Callbacks that could not be verified are kept and counted, however many there are (contract 4.2, rule 1).

What somebody who floods us costs is bounded: of each provider a process writes a burst, then a few in a
second; the others are counted in its memory for a moment, and written together. What is kept of a provider is
bounded in rows and bytes. So neither the disk nor another provider's callbacks suffer, and no count is lost.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection, transaction

from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.ids import new_id
from lib.texts import storable
from payments.callbacks.claims import Claims, read_claims
from payments.callbacks.intake import KEPT_HEADERS, PROBLEM_LENGTH
from payments.models import Payment, RefusedCallback
from payments.providers.protocol import ProviderConfig, RawCallback
from wallet.job_runs import wait_for_turn

logger = logging.getLogger(__name__)
KEPT_DAYS = 7
# Of each provider: how many are kept, and how many bytes of bodies in all.
MOST_ROWS = 2000
MOST_BYTES = 8 * 1024 * 1024
# Of those that name one order, so many are among the last to be thinned out.
MOST_OF_ORDER = 5
# A header with a signature for each of ten secrets is shorter.
HEADER_LENGTH = 2000
# What a process writes of one provider: so many at once, and then so many in a second.
BURST, PER_SECOND = 50, 5.0
# What was only counted is written after so many seconds.
LATER_SECONDS = 1.0
COUNT = """
    INSERT INTO payments_refusalcount (id, provider_id, minute, times, last_at)
    VALUES (%s, %s, date_trunc('minute', %s::timestamptz, 'UTC'), %s, %s)
    ON CONFLICT (provider_id, minute) DO UPDATE
    SET times = payments_refusalcount.times + EXCLUDED.times,
        last_at = greatest(payments_refusalcount.last_at, EXCLUDED.last_at)
"""
# The oldest go first; before them those that were verified since, or name no order that was started there.
THIN = """
    WITH placed AS (
        SELECT id, row_number() OVER best AS place, sum(size) OVER best AS bytes
        FROM payments_refusedcallback WHERE provider_id = %s
        WINDOW best AS (ORDER BY (is_likely AND verified_at IS NULL) DESC, id DESC)
    )
    DELETE FROM payments_refusedcallback r USING placed p
    WHERE r.id = p.id AND (p.place > %s OR p.bytes > %s)
"""


@dataclass(slots=True)
class Bucket:
    """What one process may still write of a provider, and what it has counted and not yet written."""

    left: float
    filled_at: float
    counted: int = 0

    def take(self, at: float) -> bool:
        """Whether there is room for one more at `at`, in seconds."""
        self.left = min(self.left + (at - self.filled_at) * PER_SECOND, BURST)
        self.filled_at = at
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Refusals:
    """The refused callbacks that this process has seen."""

    def __init__(self) -> None:
        self.buckets: dict[UUID, Bucket] = {}
        self.lock = threading.Lock()

    def keep(self, config: ProviderConfig, raw: RawCallback, problem: str) -> None:
        """Keeps and counts a refused callback, or counts it only if there are too many.

        Whether it can be written changes nothing for the caller.
        """
        with self.lock:
            at = time.monotonic()
            bucket = self.buckets.setdefault(config.id, Bucket(BURST, at))
            bucket.counted += 1
            if not bucket.take(at):
                if bucket.counted == 1:
                    self.write_later(config.id)
                return
            times, bucket.counted = bucket.counted, 0
        self.attempt(config.id, times, lambda: write(config, raw, problem, times))

    def write_later(self, provider_id: UUID) -> None:
        """Has what is only counted written soon, also if the process ends meanwhile."""
        threading.Timer(LATER_SECONDS, self.flush, [provider_id]).start()

    def flush(self, provider_id: UUID) -> None:
        """Writes what was only counted. For a thread of its own, whose connection it closes."""
        with self.lock:
            bucket = self.buckets.get(provider_id)
            times = bucket.counted if bucket else 0
            if bucket:
                bucket.counted = 0
        try:
            if times:
                self.attempt(provider_id, times, lambda: count(provider_id, times, now()))
        finally:
            connection.close()

    def attempt(self, provider_id: UUID, times: int, work: Callable[[], None]) -> None:
        """Writes; if the database is away, `times` is written with the next one."""
        try:
            work()
        except FAILURES as problem:
            drop_unfit_connection(problem)
            logger.exception("a refused callback cannot be kept")
            with self.lock:
                self.buckets.setdefault(provider_id, Bucket(BURST, time.monotonic())).counted += times

    def forget(self) -> None:
        """As if the process had seen none; for tests. What is still to be written is not."""
        with self.lock:
            self.buckets.clear()


def write(config: ProviderConfig, raw: RawCallback, problem: str, times: int = 1) -> None:
    """Keeps a refused callback as it arrived, and counts `times` of them."""
    claims = read_claims(config, raw)
    with transaction.atomic():
        # One after another: what is thinned out by one is not looked at by another.
        wait_for_turn(f"payments.refused {config.id}")
        count(config.id, times, now())
        RefusedCallback.objects.create(
            id=new_id(),
            provider_id=config.id,
            # By this the age of its signature was judged, and is judged again.
            at=datetime.fromtimestamp(raw.at, UTC),
            address=raw.address,
            problem=storable(problem, PROBLEM_LENGTH),
            headers={
                name: storable(raw.headers[name], HEADER_LENGTH)
                for name in KEPT_HEADERS
                if name in raw.headers
            },
            body=raw.body,
            size=len(raw.body),
            message_id=claims.message_id,
            said_type=claims.type,
            said_order=claims.order_id,
            said_reference=claims.reference,
            said_amount=claims.amount,
            said_currency=claims.currency,
            is_likely=is_likely(config, claims),
        )
        with connection.cursor() as cursor:
            cursor.execute(THIN, [config.id, MOST_ROWS, MOST_BYTES])


def count(provider_id: UUID, times: int, at: datetime) -> None:
    """Adds to the count of a provider's minute."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [new_id(), provider_id, at, times, at])


def is_likely(config: ProviderConfig, claims: Claims) -> bool:
    """Whether it names an order that was started with its provider, which a stranger does not know.

    Whoever knows one fills no more than a few places with it.
    """
    if claims.order_id is None:
        return False
    started = Payment.objects.filter(order_id=claims.order_id, provider_id=config.id)
    if not started.exclude(state=Payment.State.UNSTARTED).exists():
        return False
    same = RefusedCallback.objects.filter(said_order=claims.order_id, provider_id=config.id, is_likely=True)
    return same.count() < MOST_OF_ORDER


REFUSALS = Refusals()
