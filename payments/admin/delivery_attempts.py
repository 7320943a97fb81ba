"""The attempts of a delivery."""

from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clock, wrapped
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from lib.backoffice.pagination import one_page
from lib.backoffice.raw_messages import show_excerpt
from lib.backoffice.stored_texts import reworded_failure
from payments.deliveries.operations import LEASE
from payments.models import Delivery, DeliveryAttempt

PAGE = 25
HEADERS = (_("Sent (UTC)"), _("Status"), _("Duration"), _("Problem"), _("Response"), _("To"), _("By"))
TITLE = _("Attempts")
PLACE = "#attempts"


def section(delivery: Delivery, number: int, at: datetime) -> Section:
    """Page `number` of the attempts, the newest first, as it stands at the moment `at`."""
    tries = DeliveryAttempt.objects.filter(delivery=delivery).order_by("-pk")
    found, has_more = one_page(tries, number, PAGE)
    older = (_("Older attempts"), f"?attempts={number + 1}{PLACE}") if has_more else None
    newest = (_("Newest attempts"), f"?{PLACE}") if number > 1 else None
    empty = _("There are no older attempts.") if number > 1 else _("No attempt yet.")
    return Section(Delivery, TITLE, HEADERS, [row(one, at) for one in found], empty, older, newest)


def row(one: DeliveryAttempt, at: datetime) -> tuple[Any, ...]:
    """An attempt by `HEADERS`."""
    took = f"{one.took_ms:,} ms" if one.took_ms is not None else NOTHING
    url = format_html('<span class="wallet-id wallet-wrapped">{}</span>', one.url)
    return (
        clock(one.began_at),
        show_status(one, at),
        took,
        wrapped(reworded_failure(one.problem)),
        show_excerpt(one.body),
        url,
        one.worker,
    )


def show_status(one: DeliveryAttempt, at: datetime) -> SafeString:
    """The HTTP status. Without one there was no response, or it is under way, or its worker was lost."""
    if one.ended_at is None:
        return (
            badge(_("worker lost"), "warning") if at - one.began_at > LEASE else badge(_("under way"), "info")
        )
    if one.status is None:
        return badge(_("no response"), "danger")
    return badge(str(one.status), "success" if 200 <= one.status < 300 else "danger")
