"""Messages of others as they were received: never interpreted, only made readable."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from lib.backoffice.formatting import NOTHING
from lib.texts import storable

# A longer excerpt is folded away.
SHORT_EXCERPT = 32


def show_body(body: bytes | memoryview | None) -> SafeString:
    """A body as UTF-8 in a box that scrolls; what cannot be seen is spelled out."""
    text = storable(bytes(body or b""))
    return (
        format_html('<bdi class="wallet-raw" tabindex="0">{}</bdi>', text) if text else SafeString(_("empty"))
    )


def show_headers(headers: Mapping[str, Any]) -> SafeString:
    """Headers, one in a line."""
    lines = format_html_join("\n", "{}: {}", sorted(headers.items()))
    return (
        format_html('<bdi class="wallet-raw" tabindex="0">{}</bdi>', lines)
        if headers
        else SafeString(NOTHING)
    )


def show_excerpt(body: str) -> SafeString:
    """The beginning of a body in a table, folded away if it is long."""
    if not body:
        return SafeString(NOTHING)
    if len(body) <= SHORT_EXCERPT and "\n" not in body:
        return format_html('<bdi class="wallet-id">{}</bdi>', body)
    return format_html(
        '<details class="wallet-body"><summary><bdi>{}…</bdi></summary><bdi>{}</bdi></details>',
        body[:SHORT_EXCERPT],
        body,
    )
