"""What each failure of an API view is answered with (contract 1.5, 1.6)."""

import logging
from typing import Any

from django.http import Http404, HttpResponse
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request

from lib.database import drop_unfit_connection, is_unavailable
from lib.http.errors import ErrorCode, Refusal
from lib.http.metrics import endpoint
from lib.http.responses import error_answer, internal_error, unavailable
from players.access.gate import Call
from players.outcomes import InMaintenance
from wallet.archive.entries import ArchiveAway

logger = logging.getLogger(__name__)

# After how long a call is to be made again that was refused because nothing new may begin.
MAINTENANCE_SECONDS = 60


def answer_to_exception(problem: Exception, context: dict[str, Any]) -> HttpResponse:
    """The answer to `problem`; never a stack trace, SQL, or a secret."""
    if isinstance(problem, Refusal):
        return error_answer(problem.code, problem.description, **problem.members)
    if isinstance(problem, Http404):
        problem = NotFound()
    if isinstance(problem, APIException):
        answer = error_answer(ErrorCode.INVALID_REQUEST, str(problem.detail), problem.status_code)
        if problem.status_code == 405:
            answer["Allow"] = ", ".join(context["view"].allowed_methods)
        return answer
    if isinstance(problem, InMaintenance):
        return unavailable(MAINTENANCE_SECONDS)
    told = about(context["request"])
    if is_unavailable(problem):
        drop_unfit_connection(problem)
        logger.error("the database is unavailable: %s", problem, extra=told | {"status": 503})
        return unavailable()
    if isinstance(problem, ArchiveAway):
        logger.error("the archive %s cannot be read", problem, extra=told | {"status": 503})
        return unavailable()
    logger.exception("unhandled failure", exc_info=problem, extra=told | {"status": 500})
    return internal_error()


def about(request: Request) -> dict[str, str]:
    """What was called, and by whom."""
    asked = request._request  # noqa: SLF001 (DRF's own request knows neither)
    call: Call | None = getattr(asked, "call", None)
    return {"endpoint": endpoint(asked), "caller": call.caller.username if call else ""}
