"""Whoever has changed something sees it: the place in the database's log behind it, in a cookie."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from lib.database import FAILURES, drop_unfit_connection
from lib.standby import STANDBY, written

ADMIN = "/admin/"
COOKIE = "changed_at"
# A standby that is further behind is read by nobody.
COOKIE_SECONDS = 15 * 60
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class OwnChanges:
    """Middleware: notes after each form of an operator's how far a standby must have come to show it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.method not in SAFE and request.path_info.startswith(ADMIN) and STANDBY.is_configured:
            note_change(answer)
        return answer


def note_change(answer: HttpResponse) -> None:
    """A database that has gone away meanwhile takes nothing from the answer."""
    try:
        place = written()
    except FAILURES as problem:
        drop_unfit_connection(problem)
        return
    answer.set_cookie(
        COOKIE,
        place,
        max_age=COOKIE_SECONDS,
        path=ADMIN,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def own_change(request: HttpRequest) -> str:
    """The place in the log behind the operator's last change; empty if there was none lately.

    Whoever writes another one there sees older rows, or loads the primary: nothing else.
    """
    return request.COOKIES.get(COOKIE, "")
