"""Players: found by uid, nickname or a session's token; blocked and readmitted with a reason."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, until, word
from lib.backoffice.formatting import NOTHING, badge, clipped, link
from lib.backoffice.heads import Head
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from lib.backoffice.pagination import BigTableAdmin
from lib.names import MOST_DECOMPOSED, search_key
from players.admin.player_actions import PlayerActions
from players.admin.player_sections import (
    approvals_section,
    lifting_words,
    notes_section,
    sessions_section,
    show_status,
    status_section,
    why,
)
from players.admin.search import SessionSearchAdmin
from players.admin.sessions import EndSession
from players.models import MOST_NICKNAME, GameSession, Player

# More is nobody's name.
MOST_SEARCHED = MOST_NICKNAME * MOST_DECOMPOSED


class PlayerAdmin(PlayerActions, SessionSearchAdmin, BigTableAdmin):
    """A player comes from the web front. Here the status is set, and test players are marked. Never deleted.

    The wallet's admin adds the player's money to this page and registers it.
    """

    list_display = ("uid_link", "nickname_shown", "country", "shown_status", "test_shown", "made")
    conditions = (
        since(),
        until(),
        choice("status", _("Status"), "status", lambda: Player.Status.choices),
        word("country", _("Country (two letters)"), "country"),
        choice("test", _("Test player"), "is_test", lambda: [("True", _("yes")), ("False", _("no"))]),
    )
    search_help_text = _("Exact uid, whole nickname in any case, or a session token")
    empty_text = _("A player is created when the web front first names them (PUT /entry/players/…).")
    fields = (
        "uid_shown",
        "nickname_shown",
        "country",
        "language",
        "is_test",
        "made_at",
        "changed_at",
    )
    change_permission = "players.mark_test_player"
    shows_person = True

    uid_link = columns.clipped(_("uid"), "uid")
    uid_shown = columns.mono(_("uid"), "uid")
    nickname_shown = columns.name(_("nickname"), "nickname")
    shown_status = columns.text(_("status"), lambda row: show_status(row.status))
    test_shown = columns.text(
        _("test player"), lambda row: badge(_("test"), "info") if row.is_test else NOTHING
    )
    made = columns.clock(_("first seen (UTC)"), "created_at")
    made_at = columns.moment(_("first seen"), "created_at")
    changed_at = columns.moment(_("last changed"), "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(name for name in self.fields if name != "is_test")

    def save_model(self, request: HttpRequest, obj: Player, form: Any, change: bool) -> None:
        # Nothing but the mark: the status may have changed since this page was read.
        obj.save(update_fields=["is_test", "updated_at"])

    def named(self, queryset: QuerySet[Player], text: str) -> QuerySet[Player]:
        return queryset.filter(Q(uid=text) | Q(nickname_key=search_key(text[:MOST_SEARCHED])))

    def of_session(self, queryset: QuerySet[Player], session: GameSession) -> QuerySet[Player]:
        return queryset.filter(pk=session.player_id)

    def sections(self, request: HttpRequest, obj: Player) -> list[Section]:
        return [
            notes_section(obj),
            sessions_section(obj, may_end=request.user.has_perm(EndSession.permission)),
            status_section(obj),
            approvals_section(request.user, obj),
        ]

    def head(self, request: HttpRequest, obj: Player) -> Head:
        badges = [show_status(obj.status), *([badge(_("test player"), "info")] if obj.is_test else [])]
        return Head(obj.nickname or obj.uid, badges, [why(obj), *lifting_words(obj)], id=obj.uid)


def player_column(label: str, source: columns.Source = "player") -> columns.Column:
    """A column of links to players."""

    def show(row: Any) -> SafeString:
        player = columns.read(row, source)
        return player_link(player) if player else SafeString(NOTHING)

    return columns.Column(label, show)


def player_link(player: Player) -> SafeString:
    """A link to a player's page."""
    return link(clipped(player.uid), "players_player_change", player.pk)
