"""How values look in the admin."""

from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from lib.clock import timestamp

NOTHING = "\N{EN DASH}"
# What waits for a person is counted up to one more than this: more is "99+".
MOST_COUNTED = 99


def mono(text: object) -> SafeString:
    """An identifier, in letters of one width."""
    return (
        format_html('<span class="wallet-id">{}</span>', text)
        if text not in (None, "")
        else SafeString(NOTHING)
    )


def name(text: str) -> SafeString:
    """A name that somebody chose, in any script: it keeps its direction to itself, and its spaces."""
    return format_html('<bdi class="wallet-name">{}</bdi>', text) if text else SafeString(NOTHING)


def clipped(text: object) -> SafeString:
    """An identifier of others in a list: cut off if it is long, all of it on hover."""
    return (
        format_html('<span class="wallet-id wallet-clip" title="{}">{}</span>', text, text)
        if text
        else SafeString(NOTHING)
    )


def excerpt(text: object) -> SafeString:
    """The beginning of a sentence in a list, and all of it on hover."""
    shown = text or NOTHING
    return format_html('<span class="wallet-clip wallet-wide" title="{}">{}</span>', shown, shown)


def wrapped(text: object) -> SafeString:
    """A sentence in a list or a table, over several lines if it is long."""
    return (
        format_html('<span class="wallet-wrapped">{}</span>', text)
        if text not in (None, "", NOTHING)
        else SafeString(NOTHING)
    )


def sentence(text: str) -> str:
    """Words as a sentence begins."""
    return text[:1].upper() + text[1:] if text else NOTHING


def short_id(id: UUID) -> SafeString:
    """A UUID in a list: its random end (it begins with the time), and all of it on hover."""
    text = str(id)
    return format_html('<span class="wallet-id" title="{}">…{}</span>', text, text[-12:])


def clock(at: Any) -> SafeString:
    """A time to the second, in UTC, for a column whose heading says so."""
    return (
        format_html(
            '<time class="wallet-time" datetime="{}">{}</time>',
            timestamp(at),
            timestamp(at)[:19].replace("T", " "),
        )
        if at
        else SafeString(NOTHING)
    )


def moment(at: Any) -> str:
    """A time to the second, in UTC and saying so."""
    return f"{timestamp(at)[:19].replace('T', ' ')} UTC" if at else NOTHING


def link(text: object, view: str, *args: object) -> SafeString:
    """A link to another page of the admin."""
    return format_html('<a href="{}" class="wallet-link">{}</a>', reverse(f"admin:{view}", args=args), text)


def search_address(view: str, text: str) -> str:
    """The address of a list, searched for `text`."""
    return (
        reverse(f"admin:{view}_changelist", query={"q": text})
        if text
        else reverse(f"admin:{view}_changelist")
    )


def badge(text: str, kind: str = "") -> SafeString:
    """A coloured word: `kind` is success, warning, danger, info or nothing."""
    label = render_to_string("unfold/helpers/label.html", {"text": text, "type": kind})
    return mark_safe(label.strip())  # noqa: S308 (the template escapes)


def counted(number: int, most: int = MOST_COUNTED) -> str:
    """A number that was counted no further than one more than `most`."""
    return f"{most:,}+" if number > most else f"{number:,}"
