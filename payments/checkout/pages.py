"""What all pages for players share: their headers, and their language."""

import logging
import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from lib.database import FAILURES, drop_unfit_connection, is_unavailable

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
METHODS = ("GET", "HEAD", "POST")
# Forms here have one short field.
MOST_BYTES = 64 * 1024
LANGUAGES = {"en": "English", "de": "Deutsch"}
ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
HEADERS = {
    # The address is what opens the page: nobody it links to, and no cache, may learn it.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SeeOther(HttpResponseRedirect):
    """Sends a browser on with GET, whatever it came with."""

    status_code = 303


def policy(targets: Iterable[str] = ()) -> str:
    """The content security policy of a page.

    Its forms lead, by redirects too, to our own origin or to `targets`.
    """
    # What is no plain origin would say something else there.
    allowed = dict.fromkeys(target for target in targets if ORIGIN.fullmatch(target))
    forms = " ".join(["'self'", *allowed])
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {forms}"
    )


def page(view: View) -> View:
    """Makes a view one of the pages.

    It takes only GET, HEAD and POST, and short forms;
    it has the headers, and shows a page too where the database is away.

    The pages set and read no cookies, so no other site can borrow anything by a form:
    whoever knows the address may do what it offers.
    """

    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = answered(view, request, *args, **kwargs)
        for name, value in HEADERS.items():
            answer[name] = value
        answer.headers.setdefault("Content-Security-Policy", policy())
        return answer

    return wrapped


def demo_page(view: View) -> View:
    """A page that is there only where DEMO is on."""

    @page
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if settings.DEMO else not_found(request)

    return wrapped


def answered(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse("The form is too long.", status=413, content_type="text/plain")
    try:
        return view(request, *args, **kwargs)
    except FAILURES as problem:
        if not is_unavailable(problem):
            raise
        drop_unfit_connection(problem)
        logger.error(  # noqa: TRY400 (not a failure of ours)
            "a page cannot be shown, the database is unavailable: %s", problem, extra={"status": 503}
        )
        answer = show(request, "payments/unavailable.html", {}, language=language_of(request), status=503)
        answer["Retry-After"] = "5"
        return answer


def show(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    language: str,
    status: int = 200,
    targets: Iterable[str] = (),
    refresh: str = "",
) -> HttpResponse:
    """A page in that language.

    `refresh` is what the browser is told to do by itself: seconds, and an address.
    """
    shared = {"language": language, "others": other_languages(request, language), "refresh": refresh}
    with translation.override(language):
        text = render_to_string(template, shared | context)
    answer = HttpResponse(text, status=status)
    answer["Content-Language"] = language
    answer["Content-Security-Policy"] = policy(targets)
    return answer


def not_found(request: HttpRequest) -> HttpResponse:
    """Nothing is at this address."""
    return show(request, "payments/not_found.html", {}, language=language_of(request), status=404)


def asked_language(request: HttpRequest) -> str:
    """The language that the address asks for, if it does."""
    asked = request.GET.get("lang", "")
    return asked if asked in LANGUAGES else ""


def language_of(request: HttpRequest, wish: str = "") -> str:
    """The language of a page.

    It is what the address asks for, else what is wished for (BCP 47), else what the browser prefers.
    """
    wished = wish.lower().partition("-")[0]
    return (
        asked_language(request)
        or (wished if wished in LANGUAGES else "")
        or translation.get_language_from_request(request)
    )


def other_languages(request: HttpRequest, language: str) -> list[dict[str, str]]:
    """The other languages of the same page, with their addresses."""
    return [
        {"code": code, "name": name, "url": f"?{with_language(request, code)}"}
        for code, name in LANGUAGES.items()
        if code != language
    ]


def with_language(request: HttpRequest, code: str) -> str:
    """The query of this address in another language."""
    query = request.GET.copy()
    query["lang"] = code
    return query.urlencode()
