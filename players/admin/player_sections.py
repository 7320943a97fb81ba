"""The parts of a player's page: status, notes, requests for a second person, sessions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clock, link, search_address, wrapped
from lib.backoffice.pages import Section
from lib.clock import in_words
from players.admin.approvals import seen_by, show_approval_state
from players.admin.sessions import SESSION_HEADERS, session_row, with_state
from players.models import Approval, GameSession, Player, PlayerNote

STATUS_COLOURS = {"active": "success", "blocked": "danger", "self_excluded": "warning"}
LATEST_SESSIONS = 10
LATEST_EVENTS = 20
LATEST_NOTES = 20
LATEST_APPROVALS = 10
# What requests concerning a player are about.
SUBJECTS = ("players.player", "wallet.wallet", "wallet.transaction", "payments.order")


def show_status(status: str) -> SafeString:
    """A player's status as a badge; before the first one there was none."""
    names = dict(Player.Status.choices)
    return badge(str(names.get(status, "new")), STATUS_COLOURS.get(status, ""))


def why(player: Player) -> str:
    """Since when a player has the status, by whose word, and why, in a sentence."""
    event = player.events.order_by("-at").first()
    if event is None:
        return "The status has never been set."
    reason = f": {event.reason}" if event.reason else "."
    status = str(player.get_status_display()).capitalize()
    if player.status == Player.Status.SELF_EXCLUDED:
        status = f"{status} {until_words(player)},"
    return f"{status} since {in_words(event.at)}, set by {event.actor}{reason}"


def until_words(player: Player) -> str:
    """When a self-exclusion ends."""
    return f"until {in_words(player.excluded_until)}" if player.excluded_until else "without an end"


def notes_section(player: Player) -> Section:
    """What operators wrote down, the newest first."""
    notes = player.notes.select_related("operator").order_by("-pk")[:LATEST_NOTES]
    rows = [(clock(note.at), note.operator.username, wide_text(note.text)) for note in notes]
    return Section(PlayerNote, "Notes", ("When (UTC)", "By", "Note"), rows, "Nobody has written a note yet.")


def status_section(player: Player) -> Section:
    """How the status came to be what it is."""
    rows = [
        (
            clock(event.at),
            show_status(event.old_status),
            show_status(event.new_status),
            event.actor,
            wrapped(event.reason),
        )
        for event in player.events.order_by("-at")[:LATEST_EVENTS]
    ]
    headers = ("When (UTC)", "Before", "After", "By", "Reason")
    return Section(Player, "Status history", headers, rows, "The status has never been set.")


def approvals_section(operator: Any, subjects: Sequence[UUID]) -> Section:
    """The latest requests for a second person that are about one of some rows."""
    ids = [str(id) for id in subjects]
    found = Approval.objects.filter(seen_by(operator), subject_type__in=SUBJECTS, subject_id__in=ids)
    rows = [
        (
            link(clock(row.requested_at), "players_approval_change", row.pk),
            wrapped(row.title),
            show_approval_state(row),
            row.requested_by.username,
            row.decided_by.username if row.decided_by else NOTHING,
            wrapped(row.reason),
        )
        for row in found.select_related("requested_by", "decided_by").order_by("-pk")[:LATEST_APPROVALS]
    ]
    headers = ("Requested (UTC)", "What", "State", "By", "Decided by", "Reason")
    return Section(Approval, "Requests for a second person", headers, rows, "Nothing has been requested.")


def sessions_section(player: Player, *, may_end: bool) -> Section:
    """The latest sessions; those that are live can be ended."""
    latest = (
        with_state(GameSession.objects.filter(player=player))
        .select_related("game")
        .order_by("-created_at")[:LATEST_SESSIONS]
    )
    more = ("All sessions", search_address("players_gamesession", player.uid))
    empty = "No session yet: the web front has never launched a game for this player."
    headers = (*SESSION_HEADERS, "Act") if may_end else SESSION_HEADERS
    rows = [(*session_row(row), end_link(row)) if may_end else session_row(row) for row in latest]
    return Section(GameSession, "Latest sessions", headers, rows, empty, more)


def end_link(session: Any) -> SafeString:
    """The way to end a session that is live."""
    is_live = session.state == "live"
    return link("End session", "players_gamesession_end", session.pk) if is_live else SafeString(NOTHING)


def wide_text(text: str) -> SafeString:
    """What somebody wrote, in its lines."""
    return format_html('<span class="wallet-note">{}</span>', text)
