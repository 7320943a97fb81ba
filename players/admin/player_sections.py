"""The parts of a player's page: status, notes, requests for a second person, sessions."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from lib.backoffice.formatting import NOTHING, badge, clock, link, search_address, wrapped
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import Section
from lib.backoffice.stored_texts import reworded
from lib.clock import in_words
from players.admin.approvals import seen_by, show_approval_state
from players.admin.sessions import SESSION_HEADERS, session_row, with_state
from players.models import Approval, GameSession, Player, PlayerNote

Status = Player.Status
STATUS_COLOURS = {"active": "success", "blocked": "danger", "self_excluded": "warning"}
LATEST_SESSIONS = 10
LATEST_EVENTS = 20
LATEST_NOTES = 20
LATEST_APPROVALS = 10


def show_status(status: str) -> SafeString:
    """A player's status as a badge; before the first one there was none."""
    return badge(Status(status).label if status else _("new"), STATUS_COLOURS.get(status, ""))


def why(player: Player) -> str:
    """Since when a player has the status, by whose word, and why, in a sentence."""
    event = player.events.order_by("-at").first()
    if event is None:
        return _("The status has never been set.")
    status = capfirst(Status(player.status).label)
    if player.status == Status.SELF_EXCLUDED:
        status = _("{status} {until},").format(status=status, until=until_words(player))
    words = _("{status} since {moment}, set by {actor}: {reason}")
    if not event.reason:
        words = _("{status} since {moment}, set by {actor}.")
    return words.format(status=status, moment=in_words(event.at), actor=event.actor, reason=event.reason)


def lifting_words(player: Player) -> list[str]:
    """From when on a player can confirm that an exclusion is lifted, if operators have agreed."""
    if player.liftable_at is None:
        return []
    words = _("Lifted by two operators: it ends when the player confirms it, from {moment} on.")
    return [format_lazy(words, moment=in_words(player.liftable_at))]


def until_words(player: Player) -> str:
    """When a self-exclusion ends."""
    if player.excluded_until is None:
        return _("without an end")
    return format_lazy(_("until {moment}"), moment=in_words(player.excluded_until))


def notes_section(player: Player) -> Section:
    """What operators wrote down, the newest first."""
    notes = player.notes.select_related("operator").order_by("-pk")[:LATEST_NOTES]
    rows = [(clock(note.at), note.operator.username, wide_text(note.text)) for note in notes]
    return Section(
        PlayerNote,
        _("Notes"),
        (_("When (UTC)"), _("By"), _("Note")),
        rows,
        _("Nobody has written a note yet."),
    )


def status_section(player: Player) -> Section:
    """How the status came to be what it is."""
    rows = [
        (
            clock(event.at),
            show_status(event.old_status),
            show_status(event.new_status),
            event.actor,
            wrapped(event.reason if event.actor.startswith("operator:") else reworded(event.reason)),
        )
        for event in player.events.order_by("-at")[:LATEST_EVENTS]
    ]
    headers = (_("When (UTC)"), _("Before"), _("After"), _("By"), _("Reason"))
    return Section(Player, _("Status history"), headers, rows, _("The status has never been set."))


def approvals_section(operator: Any, player: Player) -> Section:
    """The latest requests for a second person that are about a player, or about anything of theirs."""
    found = Approval.objects.filter(seen_by(operator), player=player)
    rows = [
        (
            link(clock(row.requested_at), "players_approval_change", row.pk),
            wrapped(reworded(row.title)),
            show_approval_state(row),
            row.requested_by.username,
            row.decided_by.username if row.decided_by else NOTHING,
            wrapped(row.reason),
        )
        for row in found.select_related("requested_by", "decided_by").order_by("-pk")[:LATEST_APPROVALS]
    ]
    headers = (_("Requested (UTC)"), _("What"), _("State"), _("By"), _("Decided by"), _("Reason"))
    theirs = {"requests": "all", "player": player.uid}
    more = (_("All requests"), reverse("admin:players_approval_changelist", query=theirs))
    empty = _("Nothing has been requested.")
    return Section(Approval, _("Requests for a second person"), headers, rows, empty, more)


def sessions_section(player: Player, *, may_end: bool) -> Section:
    """The latest sessions; those that are live can be ended."""
    latest = (
        with_state(GameSession.objects.filter(player=player))
        .select_related("game")
        .order_by("-created_at")[:LATEST_SESSIONS]
    )
    more = (_("All sessions"), search_address("players_gamesession", player.uid))
    empty = _("No session yet: the web front has never launched a game for this player.")
    headers = (*SESSION_HEADERS, _("Act")) if may_end else SESSION_HEADERS
    rows = [(*session_row(row), end_link(row)) if may_end else session_row(row) for row in latest]
    return Section(GameSession, _("Latest sessions"), headers, rows, empty, more)


def end_link(session: Any) -> SafeString:
    """The way to end a session that is live."""
    is_live = session.state == "live"
    return link(_("End session"), "players_gamesession_end", session.pk) if is_live else SafeString(NOTHING)


def wide_text(text: str) -> SafeString:
    """What somebody wrote, in its lines."""
    return format_html('<span class="wallet-note">{}</span>', text)
