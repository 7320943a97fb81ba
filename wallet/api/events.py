"""The feed of events for the platform (contract 3)."""

from decimal import Decimal

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from lib.http.errors import invalid
from lib.http.requests import whole_number
from lib.http.responses import json_answer
from players.access.api_view import ApiView
from wallet.api import errors, openapi
from wallet.api.responses import EventsAnswer
from wallet.events.cursor import Cursor, CursorRefused, read_cursor
from wallet.events.feed import read_feed
from wallet.events.positions import number_events

DEFAULT_EVENTS = 100
MOST_EVENTS = 1000
# As many wait for a number at most when nobody reads, and workers run.
MOST_NUMBERED = 2 * MOST_EVENTS


@openapi.events
class Events(ApiView):
    """What happened to money, orders and players: each once, in an order that skips nothing."""

    http_method_names = ["get"]

    def get(self, request: Request) -> HttpResponse:
        given = request._request.GET  # noqa: SLF001 (as in ApiView)
        after, limit = read_after(given.get("after", "")), read_limit(given.get("limit", ""))
        if settings.DATABASE_DISTRIBUTED:
            raise invalid("There are no events where the database is divided over several machines.")
        # Whoever asks hears of all that is committed, whether workers run or not.
        number_events(MOST_NUMBERED)
        page = read_feed(after, limit)
        following = str(page.following) if page.following.position else None
        return json_answer(EventsAnswer(page.messages, following))

    def refusal(self, problem: Exception) -> Exception:
        return invalid(str(problem)) if isinstance(problem, CursorRefused) else errors.refusal(problem)


def read_after(text: str) -> Cursor:
    """The place after which is read; absent, the beginning of what is kept."""
    return read_cursor(text) if text else Cursor()


def read_limit(text: str) -> int:
    """How many events at most. Raises 101."""
    if not text:
        return DEFAULT_EVENTS
    return whole_number(Decimal(text) if text.isascii() and text.isdigit() else None, "limit", 1, MOST_EVENTS)
