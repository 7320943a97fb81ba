"""Decides who may speak to the API, before anything else looks at the request (contract 1.2 to 1.4)."""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple, cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve

from lib.database import drop_unfit_connection, is_unavailable
from lib.http import metrics
from lib.http.addresses import client_address, contains, parse_networks
from lib.http.error_documents import NO_ANSWER
from lib.http.request_ids import bind_request_id
from lib.http.responses import NoAnswer, too_many_failures, unauthorized, unavailable
from lib.telemetry.spans import request_span
from players.access.answer_counts import ANSWER_COUNTS, Key
from players.access.credentials import CREDENTIALS, Caller, parse_basic, password_fits
from players.access.throttling import FAILURES
from players.models import Credential

logger = logging.getLogger(__name__)

# Which kind of caller each part of the API is for.
KINDS = {
    "/wallet/": Credential.Kind.GAME,
    "/payments/": Credential.Kind.GAME,
    "/entry/": Credential.Kind.PLATFORM,
}
# Callbacks of payment providers: signed, not authenticated here, and no more for the browsers' middleware
# than the API's calls.
CALLBACKS = "/pay/"
# Operators' pages.
ADMIN = "/admin"
# The views of paths without arguments.
VIEWS: dict[str, ResolverMatch] = {}


class Call(NamedTuple):
    """Who makes a request of the API, from where, and when it began (`time.perf_counter_ns`)."""

    caller: Caller
    address: str
    began_ns: int

    def elapsed_us(self) -> int:
        """Microseconds since the request arrived."""
        return (time.perf_counter_ns() - self.began_ns) // 1000


def kind_for(path: str) -> Credential.Kind | None:
    """The kind of caller that `path` is for; None outside the API."""
    return KINDS.get(path[: path.find("/", 1) + 1])


def serve(request: HttpRequest) -> HttpResponse:
    """Calls the view of the request's path."""
    match = request.resolver_match = find_view(request.path_info)
    # No view of the API is asynchronous or streams.
    return cast("HttpResponse", match.func(request, *match.args, **match.kwargs))


def find_view(path: str) -> ResolverMatch:
    """The view of a path; remembered where the path holds no words of the caller's, so that there are few."""
    match = VIEWS.get(path)
    if match is None:
        match = resolve(path)
        if not match.kwargs:
            VIEWS[path] = match
    return match


def failed(problem: Exception) -> HttpResponse:
    """The answer where it cannot be known who calls."""
    drop_unfit_connection(problem)
    logger.error("the database is unavailable: %s", problem, extra={"status": 503})
    return unavailable()


def note_refusal(request: HttpRequest, code: int | str) -> None:
    """Counts an answer that was no success, if it is known which game called."""
    call: Call | None = getattr(request, "call", None)
    caller: Caller | None = call.caller if call else getattr(request, "refused", None)
    if caller is None or caller.game_id is None:
        return
    if call is None and code == settings.WALLET_UNAUTHORIZED_STATUS:
        code = 401
    elif isinstance(code, str):
        code = NO_ANSWER
    key = Key(caller.game_id, metrics.endpoint(request), code)
    ANSWER_COUNTS.note(key, getattr(request, "given", None))


def count(request: HttpRequest, answer: HttpResponse, began_ns: int) -> int | str:
    """Counts an answer, and returns its code (`lib.http.metrics`)."""
    if code := metrics.count(request, answer, time.perf_counter_ns() - began_ns):
        note_refusal(request, code)
    return code


class ApiGate:
    """Middleware: no answer from a wrong address, 401 without a right credential, else `request.call` is set.

    The API's calls go from here straight to their views: the middleware that follows is for browsers
    (cookies, forms, static files), and would take an eighth of a withdrawal's time.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # A failure becomes its answer here, so that it is counted too.
        self.answer = cast(
            "Callable[[HttpRequest], HttpResponse]", convert_exception_to_response(self.answer_call)
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began_ns = time.perf_counter_ns()
        bind_request_id(request)
        if not (request.path_info.startswith(CALLBACKS) or kind_for(request.path_info)):
            answer = self.answer_browser(request)
            count(request, answer, began_ns)
            return answer
        with request_span(request.META) as span:
            answer = self.answer(request)
            span.answer(request, answer, count(request, answer, began_ns))
        return answer

    def answer_browser(self, request: HttpRequest) -> HttpResponse:
        """The answer to everybody else; none about the admin to who may not know it."""
        allowed = parse_networks(tuple(settings.ADMIN_ALLOWED_NETWORKS))
        is_admin = request.path_info.startswith(ADMIN)
        if is_admin and allowed and not contains(allowed, client_address(request.META)):
            return NoAnswer()
        return self.get_response(request)

    def answer_call(self, request: HttpRequest) -> HttpResponse:
        """The answer to a call of the API, or to a provider's callback."""
        if request.path_info.startswith(CALLBACKS):
            return serve(request)
        try:
            decided = self.decide(request, time.perf_counter_ns())
        except Error as problem:
            if not is_unavailable(problem):
                raise
            return failed(problem)
        if isinstance(decided, HttpResponse):
            return decided
        request.call = decided  # type: ignore[attr-defined]
        return serve(request)

    def decide(self, request: HttpRequest, began_ns: int) -> Call | HttpResponse:
        """The call, or the answer that refuses it; the allow-lists are looked at before the password."""
        address = client_address(request.META)
        allowed = parse_networks(tuple(settings.API_ALLOWED_NETWORKS))
        if allowed and not contains(allowed, address):
            return NoAnswer()
        given = parse_basic(request.META.get("HTTP_AUTHORIZATION", ""))
        known = CREDENTIALS.find(given[0]) if given else None
        if known and known.networks and not contains(known.networks, address):
            request.refused = known.caller  # type: ignore[attr-defined]
            return NoAnswer()
        if (
            given
            and password_fits(known, given[1])
            and known
            and known.caller.kind == kind_for(request.path_info)
        ):
            return Call(known.caller, str(address), began_ns)
        if known:
            request.refused = known.caller  # type: ignore[attr-defined]
        wait = FAILURES.record(str(address))
        return unauthorized() if wait is None else too_many_failures(wait)
