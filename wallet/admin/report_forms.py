"""What a report is narrowed to: its form, and what the form says."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from lib.backoffice.languages import _
from players.models import Game
from wallet.admin.amounts import currencies
from wallet.reports.period import WORDS, Kind, UnreadablePeriod, read_period, today
from wallet.reports.report import Asked, Report

MOST_GAMES = 500
UNREADABLE = _("Choose a period that has begun, and a currency and game of the lists.")


class Field(NamedTuple):
    """A field of the form; `no_choice` is what it offers instead of a choice, if it does."""

    name: str
    label: Any
    value: str
    choices: Sequence[tuple[str, Any]] = ()
    no_choice: Any = ""


class Form(NamedTuple):
    """The form, and what it asks for; None, with the `problem`, if that cannot be read.

    `given` is what an address of the same report says.
    """

    fields: list[Field]
    asked: Asked | None
    problem: Any
    given: dict[str, str]


def read_form(report: Report, sent: Mapping[str, str], at: datetime) -> Form:
    """The form as it was sent; without words, it asks for today."""
    fields = fields_of(report, sent, at)
    given = {field.name: field.value for field in fields if field.value}
    asked = read_asked(report, fields, given, at)
    return Form(fields, asked, "" if asked else UNREADABLE, given)


def fields_of(report: Report, sent: Mapping[str, str], at: datetime) -> list[Field]:
    """The fields that make sense for the report."""
    kinds = [(kind.value, words) for kind, words in WORDS.items()]
    period, day = sent.get("period") or Kind.DAY.value, sent.get("day") or str(today(at))
    fields = [
        Field("period", _("Period"), period, kinds),
        Field("day", _("Day, or a day of it"), day),
        Field("currency", _("Currency"), sent.get("currency", ""), currencies(), _("all currencies")),
    ]
    if report.by_game:
        slug = sent.get("game", "")
        fields.append(Field("game", _("Game"), slug, games_offered(slug), _("all games")))
    if report.scopes:
        scope = sent.get("scope") or report.scopes[0][0]
        fields.append(Field("scope", _("Rows"), scope, report.scopes))
    return fields


def games_offered(chosen: str) -> list[tuple[str, str]]:
    """The games to choose from, and the one that is chosen, if there is one of that slug."""
    rows = Game.objects.order_by("slug").values_list("slug", "name")
    return list(dict([*rows[:MOST_GAMES], *rows.filter(slug=chosen)]).items())


def read_asked(
    report: Report, fields: Sequence[Field], given: Mapping[str, str], at: datetime
) -> Asked | None:
    """What the fields ask for, or None: a filter that cannot be read is never left out silently."""
    offered = {field.name: [value for value, _words in field.choices] for field in fields if field.choices}
    if any(value not in offered.get(name, [value]) for name, value in given.items()):
        return None
    try:
        period = read_period(given["period"], given["day"], at)
    except UnreadablePeriod:
        return None
    game = Game.objects.filter(slug=given["game"]).first() if "game" in given else None
    if "game" in given and game is None:
        return None
    return Asked(period, given.get("currency", ""), game, given.get("scope", ""))
