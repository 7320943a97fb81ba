"""The language of the operators' pages, and of these alone: chosen once in a browser, else the browser's."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

ADMIN = "/admin/"


class PagesLanguage:
    """Middleware: shows the operators' pages in their language; all else stays in English.

    Players' pages choose a language of their own, and the API has none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(ADMIN):
            return self.get_response(request)
        language = translation.get_language_from_request(request)
        with translation.override(language):
            answer = self.get_response(request)
        answer.headers.setdefault("Content-Language", language)
        patch_vary_headers(answer, ("Accept-Language", "Cookie"))
        return answer


@never_cache
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keeps the chosen language in a cookie, which outlasts the log-in, and leads back to the page."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest("There is no such language.", content_type="text/plain")
    answer = HttpResponseRedirect(way_back(request))
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


def way_back(request: HttpRequest) -> str:
    """The page that the form was on, if it is one of the admin."""
    place = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(place, allowed_hosts=None) and place.startswith(ADMIN)
    return place if is_ours else reverse("admin:index")
