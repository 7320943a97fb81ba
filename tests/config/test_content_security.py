"""Every page says what a browser may load and do on it."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.content_security import ContentSecurity, hash_of
from tests.support.callers import Caller

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
FILES = "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
ADMIN = "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'sha256-"


def policy(place: str, method: str = "GET") -> str:
    return Caller(None).send(method, place).headers.get("content-security-policy", "")


@pytest.mark.parametrize(
    "place",
    [
        "/nowhere",
        "/healthz",
        "/readyz",
        "/metrics",
        "/static/nothing.css",
        "/api/schema/",
        "/%00",
        # To the log-in, and not found.
        "/admin/",
        "/admin/nowhere/",
        "/admin/%00",
    ],
)
def test_policy__of_what_shows_nothing_allows_nothing(place: str) -> None:
    assert policy(place) == NOTHING


def test_policy__of_the_admin_allows_own_files_and_unfolds_colours() -> None:
    found = policy("/admin/login/")
    assert found.startswith(ADMIN)
    assert found.endswith(f"'; {FILES}frame-ancestors 'none'")
    assert "unsafe-inline" not in found


def test_policy__of_the_api_page_allows_own_files_only() -> None:
    assert policy("/api/docs/") == (
        f"default-src 'none'; script-src 'self'; style-src 'self'; {FILES}frame-ancestors 'none'"
    )


@pytest.mark.parametrize("place", ["/checkout/nothing", "/checkout/nothing/result", "/sandbox/"])
def test_policy__of_players_pages_stays_their_own(place: str) -> None:
    found = policy(place)
    assert found.startswith("default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; ")


@pytest.mark.parametrize(
    ("debug", "status", "is_given"), [(True, 500, False), (True, 200, True), (False, 500, True)]
)
def test_policy__is_left_out_of_djangos_pages_about_failures(
    settings: object, debug: bool, status: int, is_given: bool
) -> None:
    settings.DEBUG = debug  # type: ignore[attr-defined]
    answer = ContentSecurity(lambda _: HttpResponse(status=status))(RequestFactory().get("/x"))
    assert ("Content-Security-Policy" in answer.headers) == is_given


def test_hash__is_that_of_the_specification() -> None:
    # The example of CSP Level 3, section 8.3.
    assert hash_of("doSomething();") == "sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc="
