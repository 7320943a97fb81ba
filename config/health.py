"""Whether the platform can serve (contract 5), and the answers for paths that are not there."""

from datetime import timedelta

from django.db import DatabaseError, Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError

from config.broker import broker
from lib.clock import now
from lib.http.errors import ErrorCode
from lib.http.responses import error_answer, internal_error, json_answer, unavailable
from players.access.gate import kind_for
from wallet.models import Pulse

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
    """The database is reachable and migrated."""
    try:
        executor = MigrationExecutor(connection)
        unapplied = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return unavailable()
    if unapplied:
        return json_answer({"status": "not migrated", "unapplied": len(unapplied)}, 503)
    return json_answer({"status": "ok"})


@never_cache
@require_safe
def workers_health(request: HttpRequest) -> HttpResponse:
    """The broker answers, and a message went through it to a worker lately.
    Money is taken correctly without (see `readiness`).
    """
    parts = {"broker": broker_state(), **queue_state()}
    well = all(state == "ok" for state in parts.values())
    return json_answer({"status": "ok" if well else "unwell", **parts}, 200 if well else 503)


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
    except Error:
        return {"database": "unreachable", "queue": "unknown"}
    if pulse is None:
        return {"database": "ok", "queue": "no heartbeat yet"}
    late = at - pulse.at
    return {
        "database": "ok",
        "queue": "ok" if late <= QUEUE_SILENCE else f"no heartbeat for {late.total_seconds():.0f} s",
    }


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An unknown path: JSON within the API, a plain line elsewhere."""
    if kind_for(request.path_info):
        return error_answer(ErrorCode.INVALID_REQUEST, "There is no such call.", 404)
    return HttpResponseNotFound("Not found.", content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """A failure outside every view."""
    return internal_error()
