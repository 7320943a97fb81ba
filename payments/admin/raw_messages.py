"""What others sent, as it was received: never interpreted, only made readable."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING


def show_body(body: bytes | memoryview | None) -> SafeString:
    """A body as UTF-8 in a box that scrolls; what is no UTF-8 is marked."""
    text = bytes(body or b"").decode(errors="replace").replace("\x00", "\N{SYMBOL FOR NULL}")
    return format_html('<bdi class="wallet-raw" tabindex="0">{}</bdi>', text) if text else SafeString("empty")


def show_headers(headers: Mapping[str, Any]) -> SafeString:
    """Headers, one in a line."""
    lines = format_html_join("\n", "{}: {}", sorted(headers.items()))
    return (
        format_html('<bdi class="wallet-raw" tabindex="0">{}</bdi>', lines)
        if headers
        else SafeString(NOTHING)
    )
