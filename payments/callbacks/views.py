"""`POST /pay/<provider>` (contract 4.2).

A callback is verified first, over the raw bytes; then stored and acted on; answered after the commit.
"""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection, is_unavailable
from lib.http.addresses import client_address, contains
from lib.http.errors import ErrorCode
from lib.http.responses import NoAnswer, error_answer, json_answer, unavailable
from payments.callbacks.intake import IntakeResult, take_in
from payments.callbacks.rejected import REFUSALS
from payments.models import Callback
from payments.nudges import nudge
from payments.providers.protocol import ProviderConfig, ProviderUnavailable, RawCallback
from payments.providers.registry import PROVIDERS
from payments.providers.secret_use import SECRET_USE
from payments.providers.signatures.refused import Refused
from payments.tasks import deliver_task

logger = logging.getLogger(__name__)
NO_PROVIDER = "There is no such provider."
NOT_GENUINE = "The signature is missing or wrong, or the message is too old."


def pay(request: HttpRequest, slug: str) -> HttpResponse:
    """A provider calls back."""
    try:
        return answer(request, slug)
    except FAILURES as problem:
        if not is_unavailable(problem):
            raise
        return failed(problem)


def failed(problem: Exception) -> HttpResponse:
    """The database is away: nothing is half done, and the provider tries again."""
    drop_unfit_connection(problem)
    logger.error(
        "a callback cannot be taken, the database is unavailable: %s", problem, extra={"status": 503}
    )
    return unavailable()


def answer(request: HttpRequest, slug: str) -> HttpResponse:
    config = PROVIDERS.find(slug)
    if config is None:
        return error_answer(ErrorCode.INVALID_REQUEST, NO_PROVIDER, 404)
    address = client_address(request.META)
    if config.networks and not contains(config.networks, address):
        return NoAnswer()
    if request.method != "POST":
        refused = error_answer(ErrorCode.INVALID_REQUEST, "Only POST is answered here.", 405)
        refused["Allow"] = "POST"
        return refused
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.API_BODY_LIMIT:
        return error_answer(ErrorCode.INVALID_REQUEST, "The body is longer than 64 KiB.", 413)
    return take(config, read_raw(request, str(address)))


def read_raw(request: HttpRequest, address: str) -> RawCallback:
    """The callback as it arrived."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return RawCallback(headers, request.body, address, int(now().timestamp()))


def take(config: ProviderConfig, raw: RawCallback) -> HttpResponse:
    try:
        taken = take_in(config, raw)
    except Refused as problem:
        REFUSALS.keep(config, raw, str(problem))
        return error_answer(ErrorCode.OTHER, NOT_GENUINE, 401)
    except ProviderUnavailable as problem:
        logger.warning(
            "a callback of %s waits until it comes again: %s", config.slug, problem, extra={"status": 503}
        )
        return unavailable()
    SECRET_USE.note(config, raw)
    if taken.delivery_id is not None:
        nudge(deliver_task, str(taken.delivery_id))
    return told(taken)


def told(taken: IntakeResult) -> HttpResponse:
    """What the provider is told (rule 7)."""
    if taken.outcome == Callback.Outcome.NO_ORDER:
        return error_answer(ErrorCode.INVALID_REQUEST, "There is no such order.", 404)
    if taken.outcome == Callback.Outcome.CONTRADICTS:
        return error_answer(
            ErrorCode.INVALID_REQUEST,
            f"The callback contradicts the order: {taken.problem.rstrip('.')}.",
            422,
        )
    return json_answer({"status": "ok"})
