"""`/demo/clock`: what time it is for the platform. The web front moves it, or the lobby's form."""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from demo.clock.operations import MOST_HOURS, Clock, move_clock, read_clock
from demo.lobby.addresses import lobby_address
from lib.clock import timestamp
from lib.http.addresses import client_address
from lib.http.errors import ErrorCode, Refusal
from lib.http.requests import BodyTooLong, fit, make_ready, read_object, whole_number
from lib.http.responses import error_answer, json_answer, too_many_failures, unauthorized
from payments.checkout.pages import SeeOther
from players.access.credentials import CREDENTIALS, parse_basic, password_fits
from players.access.throttling import FAILURES
from players.models import Credential

FORM = "application/x-www-form-urlencoded"
# What the lobby's button says.
FORM_HOURS = 72


class MoveRequest(msgspec.Struct):
    """POST /demo/clock."""

    hours: Any


make_ready(MoveRequest)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def clock(request: HttpRequest) -> HttpResponse:
    """Tells the time, or moves the clock. Only moving takes a credential of the web front, or the lobby."""
    if request.method != "POST":
        return shown(read_clock())
    return move_by_form(request) if request.content_type == FORM else move_by_call(request)


@csrf_protect
def move_by_form(request: HttpRequest) -> HttpResponse:
    """The lobby's button."""
    move_clock(FORM_HOURS)
    return SeeOther(lobby_address(request.POST.get("player", ""), moved=FORM_HOURS))


def move_by_call(request: HttpRequest) -> HttpResponse:
    """The web front's call."""
    if not is_web_front(request):
        wait = FAILURES.record(str(client_address(request.META)))
        return unauthorized() if wait is None else too_many_failures(wait)
    try:
        return shown(move_clock(read_hours(request)))
    except Refusal as refused:
        return error_answer(refused.code, refused.description)
    except BodyTooLong as problem:
        return error_answer(ErrorCode.INVALID_REQUEST, str(problem.detail), problem.status_code)


def read_hours(request: HttpRequest) -> int:
    """By how many hours the clock shall move. Raises 101."""
    return whole_number(fit(read_object(request), MoveRequest).hours, "hours", 1, MOST_HOURS)


def is_web_front(request: HttpRequest) -> bool:
    """Whether a credential of the platform's web front came with it."""
    given = parse_basic(request.META.get("HTTP_AUTHORIZATION", ""))
    known = CREDENTIALS.find(given[0]) if given else None
    fits = given is not None and password_fits(known, given[1])
    return fits and known is not None and known.caller.kind == Credential.Kind.PLATFORM


def shown(clock: Clock) -> HttpResponse:
    return json_answer({"now": timestamp(clock.now), "movedBySeconds": round(clock.moved_by.total_seconds())})
