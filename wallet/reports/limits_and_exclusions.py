"""Limits and exclusions: how players' limits and statuses were changed, by whom, and why."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from lib.backoffice.languages import _, format_lazy
from lib.backoffice.stored_texts import reworded_later
from lib.clock import in_words
from lib.ids import id_at
from players.models import Player, PlayerEvent
from wallet.currencies import show_amount
from wallet.limit_words import FROM, NO_LIMIT, bound, bounded
from wallet.models import Entry, LimitChange
from wallet.reports.days import Span, by_days
from wallet.reports.report import Asked, Column, Look, Report, Row, Thing, written

What, Status = LimitChange.What, Player.Status
# Ids are made by other clocks than the database's.
CLOCKS = timedelta(days=1)
WHAT: dict[str, Any] = {
    What.SET: _("set"),
    What.REMOVED: _("removed"),
    What.REQUESTED: _("requested"),
    What.CONFIRMED: _("confirmed"),
    What.CANCELLED: _("cancelled"),
}
SINGLE = _("largest single withdrawal, all games")


def changes_of_limits(asked: Asked, span: Span) -> Iterator[Row]:
    """Of players' own limits, and of those that operators set."""
    found = LimitChange.objects.filter(
        pk__gte=id_at(span.since - CLOCKS),
        at__gte=span.since,
        at__lt=span.until,
        player__is_test=False,
    )
    if asked.currency:
        found = found.filter(wallet__currency=asked.currency)
    for change in (
        found.select_related("player", "limit__game", "wallet").defer("wallet__head").order_by("pk")
    ):
        limit, code = change.limit, change.wallet.currency_id
        after = bound(change.new_amount, limit.kind, code)
        if change.what == What.REQUESTED:
            after = format_lazy(FROM, after=after, moment=in_words(change.counts_at or change.at))
        yield row(
            change.at,
            change.player,
            code,
            bounded(limit.kind, limit.period, limit.game.slug if limit.game else None),
            WHAT[change.what],
            bound(change.old_amount, limit.kind, code),
            after,
            change.actor,
            change.reason,
        )


def gates(asked: Asked, span: Span) -> Iterator[Row]:
    """The operators' largest single withdrawal of all games, which the journal has."""
    found = Entry.objects.filter(
        at__gte=span.since, at__lt=span.until, event="limit_set", player__is_test=False
    )
    if asked.currency:
        found = found.filter(wallet__currency=asked.currency)
    for entry in found.select_related("player", "wallet").defer("hash", "wallet__head").order_by("at"):
        code = entry.wallet.currency_id
        after = show_amount(entry.amount, code) if entry.amount else NO_LIMIT
        what = WHAT[What.SET] if entry.amount else WHAT[What.REMOVED]
        yield row(entry.at, entry.player, code, SINGLE, what, "", after, entry.actor, entry.note)


def changes_of_status(asked: Asked, span: Span) -> Iterator[Row]:
    """Exclusions and their ends, blocks, closings: of all currencies."""
    if asked.currency:
        return
    found = PlayerEvent.objects.filter(
        pk__gte=id_at(span.since - CLOCKS), at__gte=span.since, at__lt=span.until, player__is_test=False
    ).exclude(old_status="")
    for event in found.select_related("player").order_by("pk"):
        before, after = Status(event.old_status).label, Status(event.new_status).label
        yield row(event.at, event.player, "", _("status"), _("set"), before, after, event.actor, event.reason)


def row(
    at: Any,
    player: Player,
    code: str,
    about: Any,
    what: Any,
    before: Any,
    after: Any,
    actor: str,
    reason: str,
) -> Row:
    """A change by the report's columns."""
    said = written(reason) if actor.startswith("operator:") else reworded_later(reason)
    who = Thing(player.uid, "player", player.pk)
    return Row(
        (at, who, about, code, what, before, after, written(actor.removeprefix("operator:")), said), code
    )


REPORT = Report(
    name="limits-and-exclusions",
    title=_("Limits and exclusions"),
    question=_("How were players' limits, exclusions and statuses changed, by whom, and why?"),
    rule="GLI-19 3.0, 2.8.5 i",
    note=_("Changes of the status are shown if no currency is chosen: they are of all."),
    columns=(
        Column(_("When (UTC)"), Look.TIME),
        Column(_("Player")),
        Column(_("Limit or status")),
        Column(_("Currency"), Look.CURRENCY),
        Column(_("What")),
        Column(_("Before")),
        Column(_("After")),
        Column(_("By")),
        Column(_("Reason")),
    ),
    permissions=("wallet.view_closedday", "wallet.view_wallet", "players.view_player"),
    read=by_days([changes_of_limits, gates, changes_of_status]),
)
