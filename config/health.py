"""Whether the platform can serve (contract 5)."""

import logging
import threading
from datetime import timedelta
from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError

from config.broker import broker
from config.refusals import owners_as_application
from lib.clock import now
from lib.collations import changed_collations
from lib.database import FAILURES, REFUSED_WRITES, drop_unfit_connection
from lib.http.responses import json_answer, unavailable
from wallet.models import Pulse

logger = logging.getLogger(__name__)
# How long no message may have come through the queue; one is sent every `PULSE_SECONDS`.
QUEUE_SILENCE = timedelta(seconds=60)


@never_cache
@require_safe
def process_health(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return json_answer({"status": "ok"})


@never_cache
@require_safe
def readiness(request: HttpRequest) -> HttpResponse:
    """The database is reachable, takes writes, is migrated, orders text as its indexes do, not our own."""
    try:
        if REFUSED_WRITES.are_recent or not takes_writes():
            return unavailable()
        unapplied = known_migrations() - MigrationRecorder(connection).applied_migrations().keys()
        changed = changed_collations()
        is_owner = any(owners_as_application())
    except FAILURES as problem:
        drop_unfit_connection(problem)
        return unavailable()
    if unapplied:
        return json_answer({"status": "not migrated", "unapplied": len(unapplied)}, 503)
    if changed:
        return json_answer({"status": "to be reindexed", "changed": [each.owner for each in changed]}, 503)
    if is_owner:
        return json_answer({"status": "connected as the owner"}, 503)
    return json_answer({"status": "ok"})


def takes_writes() -> bool:
    """Whether this connection does; one that does not is not used again."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        is_read_only = cursor.fetchone() != ("off",)
    if is_read_only:
        connection.close()
    return not is_read_only


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """The app and name of every migration of this version.

    Reading their files takes longer than a wallet call.
    """
    return frozenset(MigrationLoader(None).graph.nodes)


@never_cache
@require_safe
def workers_health(request: HttpRequest) -> HttpResponse:
    """The broker answers, and a message went through it to a worker lately.
    Money is taken correctly without (see `readiness`).
    """
    parts = {"broker": BROKER.state(), **queue_state()}
    well = all(state == "ok" for state in parts.values())
    return json_answer({"status": "ok" if well else "unwell", **parts}, 200 if well else 503)


class Broker:
    """What the broker last answered, asked by one thread at a time.

    A broker that accepts and says nothing is waited for; however many ask, the others wait for nothing.
    """

    def __init__(self) -> None:
        self.asking = threading.Lock()
        self.last = "unknown"

    def state(self) -> str:
        if not self.asking.acquire(blocking=False):
            return self.last
        try:
            self.last = broker_state()
        finally:
            self.asking.release()
        return self.last


BROKER = Broker()


def broker_state() -> str:
    try:
        with broker() as client:
            client.ping()
    except RedisError:
        return "unreachable"
    return "ok"


def queue_state() -> dict[str, str]:
    """The states of the database, and of the heartbeat that it has of the queue, by its own clock."""
    try:
        at, pulse = now(), Pulse.objects.filter(part=Pulse.Part.QUEUE).first()
    except FAILURES as problem:
        drop_unfit_connection(problem)
        return {"database": "unreachable", "queue": "unknown"}
    if pulse is None:
        return {"database": "ok", "queue": "no heartbeat yet"}
    late = at - pulse.at
    return {
        "database": "ok",
        "queue": "ok" if late <= QUEUE_SILENCE else f"no heartbeat for {late.total_seconds():.0f} s",
    }
