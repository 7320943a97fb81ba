"""What a browser may load and do on each page: Content-Security-Policy."""

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

HEADER = "Content-Security-Policy"
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
# For what shows nothing, and for every page that is not named here: it loads nothing and goes nowhere.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Only files of ours. Swagger UI has its icons as data: in its own style sheet.
OWN_FILES = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
API_PAGE = OWN_FILES.format(scripts="", styles="")


class ContentSecurity:
    """Middleware: gives each page its policy, but for one that says its own.

    Calls of the API, which no browser shows, never come here; players' pages say their own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        # Django's own pages about failures, which only DEBUG shows, hold scripts and styles.
        if not (settings.DEBUG and answer.status_code in (404, 500)):
            answer.headers.setdefault(HEADER, policy_for(request, answer))
        return answer


def policy_for(request: HttpRequest, answer: HttpResponse) -> str:
    """The policy of an answer; in the admin a page is made from a template, what is none shows nothing."""
    if request.path_info.startswith("/admin/"):
        return admin_policy() if isinstance(answer, TemplateResponse) else NOTHING
    return API_PAGE if request.path_info == "/api/docs/" else NOTHING


@cache
def admin_policy() -> str:
    """The strictest policy that unfold bears: Alpine compiles the expressions of its attributes.

    Scripts and styles within a page are refused, but for unfold's colours, which are allowed by their hash.
    """
    hashes = "".join(f" '{hash_of(text)}'" for text in STYLE.findall(skeleton()))
    return OWN_FILES.format(scripts=" 'unsafe-eval'", styles=hashes)


def skeleton() -> str:
    """What all pages of the admin have around them, as a stranger sees it."""
    request = HttpRequest()
    request.user, request.META["SCRIPT_NAME"] = AnonymousUser(), ""
    return render_to_string("unfold/layouts/skeleton.html", admin.site.each_context(request), request)


def hash_of(text: str) -> str:
    """A style or script within a page, as a policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
