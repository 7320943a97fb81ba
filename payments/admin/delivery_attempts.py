"""Every try to tell a game what to deliver."""

from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clock
from lib.backoffice.pages import Section
from payments.deliveries.operations import LEASE
from payments.models import Delivery, DeliveryAttempt
from wallet.admin.questions import show_body, show_problem

PAGE = 25
HEADERS = ("Sent (UTC)", "Answer", "Took", "Why not taken", "What it answered", "To", "By")
TITLE = "Tries"
PLACE = "#tries"


def section(delivery: Delivery, number: int, at: datetime) -> Section:
    """Page `number` of the tries, the newest first, as it stands at the moment `at`."""
    first = (number - 1) * PAGE
    found = list(DeliveryAttempt.objects.filter(delivery=delivery).order_by("-pk")[first : first + PAGE + 1])
    older = ("Older tries", f"?tries={number + 1}{PLACE}") if len(found) > PAGE else None
    newest = ("Newest tries", f"?{PLACE}") if number > 1 else None
    empty = "There are no older tries." if number > 1 else "It was never sent yet."
    return Section(TITLE, HEADERS, [row(one, at) for one in found[:PAGE]], empty, older, newest)


def row(one: DeliveryAttempt, at: datetime) -> tuple[Any, ...]:
    """A try by `HEADERS`."""
    took = f"{one.took_ms:,} ms" if one.took_ms is not None else NOTHING
    url = format_html('<span class="wallet-id wallet-wrapped">{}</span>', one.url)
    return (
        clock(one.began_at),
        show_status(one, at),
        took,
        show_problem(one.problem),
        show_body(one.body),
        url,
        one.worker,
    )


def show_status(one: DeliveryAttempt, at: datetime) -> SafeString:
    """The status; without one there was no answer, or the try is under way, or its worker was lost and nobody knows whether it was sent."""
    if one.ended_at is None:
        return badge("worker lost", "warning") if at - one.began_at > LEASE else badge("under way", "info")
    if one.status is None:
        return badge("no answer", "danger")
    return badge(str(one.status), "success" if 200 <= one.status < 300 else "danger")
