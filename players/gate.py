"""Decides who may speak to the API, before anything else looks at the request (contract 1.2 to 1.4)."""

import time
from collections.abc import Callable
from typing import NamedTuple, cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from players.addresses import client_address, contains, parse_networks
from players.answers import NoAnswer, too_many_failures, unauthorized, unavailable
from players.credentials import BOOK, Caller, parse_basic, password_fits
from players.models import Credential
from players.throttle import FAILURES

# Which kind of caller each part of the API is for.
KINDS = {
    "/wallet/": Credential.Kind.GAME,
    "/payments/": Credential.Kind.GAME,
    "/entry/": Credential.Kind.PLATFORM,
}


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
    match = request.resolver_match = resolve(request.path_info)
    # No view of the API is asynchronous or streams.
    return cast("HttpResponse", match.func(request, *match.args, **match.kwargs))


class ApiGate:
    """Middleware: no answer from a wrong address, 401 without a right credential, else `request.call` is set.

    The API's calls go from here straight to their views: the middleware that follows is for browsers (cookies, forms,
    static files), and would take an eighth of a withdrawal's time.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.serve = cast("Callable[[HttpRequest], HttpResponse]", convert_exception_to_response(serve))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        kind = kind_for(request.path_info)
        if kind is None:
            return self.get_response(request)
        try:
            decided = self.decide(request, kind, time.perf_counter_ns())
        except (OperationalError, InterfaceError):
            return unavailable()
        if isinstance(decided, HttpResponse):
            return decided
        request.call = decided  # type: ignore[attr-defined]
        return self.serve(request)

    def decide(self, request: HttpRequest, kind: Credential.Kind, began_ns: int) -> Call | HttpResponse:
        """The call, or the answer that refuses it; the allow-lists are looked at before the password."""
        address = client_address(request.META)
        allowed = parse_networks(tuple(settings.API_ALLOWED_NETWORKS))
        if allowed and not contains(allowed, address):
            return NoAnswer()
        given = parse_basic(request.META.get("HTTP_AUTHORIZATION", ""))
        known = BOOK.find(given[0]) if given else None
        if known and known.networks and not contains(known.networks, address):
            return NoAnswer()
        if given and password_fits(known, given[1]) and known and known.caller.kind == kind:
            return Call(known.caller, str(address), began_ns)
        wait = FAILURES.record(str(address))
        return unauthorized() if wait is None else too_many_failures(wait)
