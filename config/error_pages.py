"""Answers instead of a page: what is not there or not allowed, a form that has expired, and failures."""

import logging
import sys
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotFound
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.views.csrf import csrf_failure as plain_csrf_failure

from config.content_security import HEADER
from lib.backoffice.confirmation import NOT_STORED
from lib.backoffice.languages import _
from lib.database import drop_unfit_connection, is_unavailable
from lib.http import request_ids
from lib.http.errors import ErrorCode
from lib.http.responses import error_answer, internal_error, unavailable
from players.access.gate import kind_for
from players.models import Operator

logger = logging.getLogger(__name__)
ADMIN = "/admin/"
EXPIRED = _("This form has expired")
OPENED_BEFORE = _(
    "Nothing was changed. The page was opened before you last logged in or out, or the browser keeps no "
    "cookies. Go back, load the page again, and send the form once more."
)
AWAY = (
    _("The database cannot be reached"),
    _("The platform goes on as soon as it answers again; that usually takes seconds."),
)
FAILED = (_("Something failed on our side"), _("It has been written to the log."))
SENT = _(
    "What you sent may have been done, or not at all, but never by halves. Look at the page of what you "
    "changed before you send it again."
)
BARE_PAGE = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An unknown path: JSON within the API, a page for operators, a plain line elsewhere."""
    if kind_for(request.path_info):
        return error_answer(ErrorCode.INVALID_REQUEST, "There is no such call.", 404)
    if not has_entered(request):
        return HttpResponseNotFound("Not found.", content_type="text/plain")
    return page(
        request,
        404,
        _("There is no such page"),
        _("The address is wrong, or what it names is not there for you: your roles decide what you see."),
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What the operator's roles do not allow."""
    if not has_entered(request):
        return HttpResponseForbidden("Forbidden.", content_type="text/plain")
    return page(
        request,
        403,
        _("This is not open to you"),
        _("Nothing was changed."),
        roles=roles_of(request),
        request_id=request.META[request_ids.HEADER],
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was sent without the secret that its page had."""
    if not request.path_info.startswith(ADMIN):
        return plain_csrf_failure(request, reason)
    if has_entered(request):
        return page(request, 403, EXPIRED, OPENED_BEFORE)
    return bare_page(request, 403, EXPIRED, [OPENED_BEFORE])


def server_error(request: HttpRequest) -> HttpResponse:
    """A failure that nobody else answers: within a page, or outside of every view."""
    problem = sys.exception()
    is_away = problem is not None and is_unavailable(problem)
    if problem is not None and is_away:
        drop_unfit_connection(problem)
        logger.error("the database is unavailable: %s", problem, extra={"status": 503})
    answer = unavailable() if is_away else internal_error()
    if not request.path_info.startswith(ADMIN):
        return answer
    title, first = AWAY if is_away else FAILED
    words = [first] if request.method == "GET" else [first, SENT]
    shown = bare_page(request, answer.status_code, title, words)
    if is_away:
        shown["Retry-After"] = answer["Retry-After"]
    return shown


def has_entered(request: HttpRequest) -> bool:
    """Whether this is an operator's, for whom there are pages. What is refused early knows nobody yet."""
    is_admins = request.path_info.startswith(ADMIN)
    return is_admins and hasattr(request, "user") and admin.site.has_permission(request)


def roles_of(request: HttpRequest) -> str:
    operator = request.user
    if not isinstance(operator, Operator):
        raise TypeError("only an operator has roles")
    if operator.is_superuser:
        return "superuser"
    return ", ".join(sorted(role.name for role in operator.groups.all()))


def page(request: HttpRequest, status: int, title: str, words: str, **context: Any) -> HttpResponse:
    """A page in the look of the admin, for who has come in."""
    known = {**admin.site.each_context(request), "title": title, "words": words}
    return TemplateResponse(
        request, "admin/dead_end.html", {**known, **context}, status=status, headers=NOT_STORED
    )


def bare_page(request: HttpRequest, status: int, title: str, words: list[str]) -> HttpResponse:
    """A page that takes neither the database nor a session, one of which may be what failed."""
    context = {
        "title": title,
        "site_title": settings.UNFOLD["SITE_TITLE"],
        "words": words,
        "request_id": request.META[request_ids.HEADER],
        "place": request.get_full_path() if request.method == "GET" else "",
        "style": style_sheet(),
    }
    shown = HttpResponse(render_to_string("admin/failure.html", context), status=status, headers=NOT_STORED)
    shown[HEADER] = BARE_PAGE
    return shown


def style_sheet() -> str:
    """Its address; empty if the files were not collected: the page says what it has to without."""
    try:
        return static("players/failure.css")
    except ValueError:
        return ""
