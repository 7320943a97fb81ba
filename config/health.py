"""Whether the platform can serve (contract 5), and the answers for paths that are not there."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from players.answers import error_answer, internal_error, json_answer, unavailable
from players.errors import ErrorCode
from players.gate import kind_for


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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An unknown path: JSON within the API, a plain line elsewhere."""
    if kind_for(request.path_info):
        return error_answer(ErrorCode.INVALID_REQUEST, "There is no such call.", 404)
    return HttpResponseNotFound("Not found.", content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """A failure outside every view."""
    return internal_error()
