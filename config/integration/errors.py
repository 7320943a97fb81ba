"""A game's refused calls by endpoint and code, with what causes them and what helps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Min, Q, Sum
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from lib.backoffice.formatting import NOTHING, badge, clock, mono
from lib.backoffice.languages import _
from lib.backoffice.sections import Section
from lib.http.error_documents import DOCUMENTS, NO_ANSWER, ErrorDocument
from players.models import AnswerCount, Game

HEADERS = (
    _("Endpoint"),
    _("Answer"),
    _("Since yesterday"),
    _("In 90 days"),
    _("First and last (UTC)"),
    _("Cause and remedy"),
)
# What the gate refuses before it is known what is called.
NO_ENDPOINT = "none"


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A refusal of a game's calls, as often as it was counted; `recent` since the beginning of yesterday."""

    endpoint: str
    code: int
    times: int
    recent: int
    first_seen_at: datetime
    last_seen_at: datetime
    example: str = ""

    @property
    def document(self) -> ErrorDocument | None:
        return DOCUMENTS.get(self.code)

    @property
    def is_fault(self) -> bool:
        """Whether something is wrong; a code that nobody has described is."""
        return self.document is None or self.document.is_fault

    @property
    def label(self) -> str:
        """The endpoint and the code as people call them."""
        number = _("no answer") if self.code == NO_ANSWER else str(self.code)
        return number if self.endpoint == NO_ENDPOINT else f"{self.endpoint} {number}"


def yesterday(at: datetime) -> Any:
    """The day from which on a count is recent: counts are kept by day (UTC)."""
    return at.date() - timedelta(days=1)


def read_errors(game: Game, at: datetime) -> list[ErrorLine]:
    """The refusals that are kept, the most frequent lately first, by two queries."""
    refused = AnswerCount.objects.filter(game=game, code__gt=0)
    counted = refused.values("endpoint", "code").annotate(
        all_times=Sum("times"),
        recent=Sum("times", filter=Q(day__gte=yesterday(at)), default=0),
        first=Min("first_seen_at"),
        last=Max("last_seen_at"),
    )
    latest = refused.exclude(example="").order_by("endpoint", "code", "-day").distinct("endpoint", "code")
    examples = {(row.endpoint, row.code): row.example for row in latest}
    lines = [
        ErrorLine(
            row["endpoint"],
            row["code"],
            row["all_times"],
            row["recent"],
            row["first"],
            row["last"],
            examples.get((row["endpoint"], row["code"]), ""),
        )
        for row in counted
    ]
    return sorted(lines, key=lambda line: (-line.recent, -line.times, line.endpoint, line.code))


def faults(lines: Iterable[ErrorLine]) -> list[ErrorLine]:
    """Those that are recent and should not be."""
    return [line for line in lines if line.is_fault and line.recent]


def errors_section(lines: Iterable[ErrorLine]) -> Section:
    """The table of a game's page."""
    return Section(
        AnswerCount,
        _("Errors"),
        HEADERS,
        [row_of(line) for line in lines],
        _("No refused call of this game was counted in the last 90 days."),
        note=_(
            "Calls with a wrong credential are counted if their username is known. The counts are up to "
            "20 seconds old."
        ),
    )


def row_of(line: ErrorLine) -> tuple[Any, ...]:
    return (
        NOTHING if line.endpoint == NO_ENDPOINT else mono(line.endpoint),
        answer_of(line),
        f"{line.recent:,}",
        f"{line.times:,}",
        format_html("<div>{}<br>{}</div>", clock(line.first_seen_at), clock(line.last_seen_at)),
        advice(line),
    )


def answer_of(line: ErrorLine) -> SafeString:
    """The code and its name, which lead to what is written about it."""
    document, colour = line.document, "danger" if line.is_fault else ""
    if document is None:
        return badge(str(line.code), colour)
    words = gettext(document.name)
    label = words if line.code == NO_ANSWER else f"{line.code} {words}"
    return format_html(
        '<a href="{}" hreflang="en" class="wallet-link">{}</a>', document.address, badge(label, colour)
    )


def advice(line: ErrorLine) -> SafeString | str:
    """The remedy, and folded away the causes and a request that was refused."""
    document = line.document
    if document is None:
        return NOTHING
    causes = format_html_join("", "<li>{}</li>", ((gettext(cause),) for cause in document.causes))
    example = format_html('<pre tabindex="0">{}</pre>', line.example) if line.example else ""
    return format_html(
        '<div class="wallet-advice"><p>{}</p><details><summary>{}</summary><ul>{}</ul>{}</details></div>',
        gettext(document.remedy),
        _("Causes, and a refused request") if line.example else _("Causes"),
        causes,
        example,
    )


def recent_by_game(at: datetime) -> Mapping[Any, list[ErrorLine]]:
    """The recent refusals of all games, by game."""
    rows = (
        AnswerCount.objects.filter(code__gt=0, day__gte=yesterday(at))
        .values("game_id", "endpoint", "code")
        .annotate(all_times=Sum("times"), first=Min("first_seen_at"), last=Max("last_seen_at"))
        .order_by("-all_times", "endpoint", "code")
    )
    found: dict[Any, list[ErrorLine]] = {}
    for row in rows:
        line = ErrorLine(
            row["endpoint"], row["code"], row["all_times"], row["all_times"], row["first"], row["last"]
        )
        found.setdefault(row["game_id"], []).append(line)
    return found
