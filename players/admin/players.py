"""Players: found by uid, nickname or a session's token; barred and readmitted with a reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import RadioWidget, ReasonForm, ask, done, page_action
from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, moment, mono, search_address
from lib.backoffice.pages import Section, actor
from lib.backoffice.pagination import BigTableAdmin
from players.admin.search import SearchingAdmin
from players.admin.sessions import SESSION_HEADERS, session_row, with_state
from players.models import GameSession, Player
from players.operations import set_player_status

STATUS_COLOURS = {"active": "success", "blocked": "danger", "self_excluded": "warning"}
LATEST_SESSIONS = 10
LATEST_EVENTS = 20


class StatusForm(ReasonForm):
    """The status a player is to have."""

    status = forms.ChoiceField(choices=Player.Status.choices, widget=RadioWidget)
    field_order = ("status", "reason")


class PlayerAdmin(SearchingAdmin, BigTableAdmin):
    """A player comes from the web front; here the status is set, and who only tests is marked. Never deleted.

    The wallet's admin adds the player's money to this page and registers it.
    """

    list_display = ("uid_link", "nickname_shown", "country", "shown_status", "is_test", "made")
    search_help_text = "Exact uid or nickname, or a session token"
    empty_text = "Players appear when the web front first names them (PUT /entry/players/…)."
    fields = (
        "uid_shown",
        "nickname",
        "country",
        "language",
        "shown_status",
        "status_set_by",
        "is_test",
        "made_at",
        "changed_at",
    )
    actions_detail = ("change_status",)

    @admin.display(description="uid")
    def uid_link(self, obj: Player) -> SafeString:
        return clipped(obj.uid)

    @admin.display(description="uid")
    def uid_shown(self, obj: Player) -> SafeString:
        return mono(obj.uid)

    @admin.display(description="nickname")
    def nickname_shown(self, obj: Player) -> str:
        return obj.nickname or NOTHING

    @admin.display(description="status")
    def shown_status(self, obj: Player) -> SafeString:
        return show_status(obj.status)

    @admin.display(description="first seen (UTC)")
    def made(self, obj: Player) -> SafeString:
        return clock(obj.created_at)

    @admin.display(description="first seen")
    def made_at(self, obj: Player) -> str:
        return moment(obj.created_at)

    @admin.display(description="last changed")
    def changed_at(self, obj: Player) -> str:
        return moment(obj.updated_at)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("players.change_player"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(name for name in self.fields if name != "is_test")

    def save_model(self, request: HttpRequest, obj: Player, form: Any, change: bool) -> None:
        # Nothing but the mark: the status may have changed since this page was read.
        obj.save(update_fields=["is_test", "updated_at"])

    def named(self, queryset: QuerySet[Player], text: str) -> QuerySet[Player]:
        return queryset.filter(Q(uid=text) | Q(nickname=text))

    def of_session(self, queryset: QuerySet[Player], session: GameSession) -> QuerySet[Player]:
        return queryset.filter(pk=session.player_id)

    @page_action(title="Change status", permission="players.change_player")
    def change_status(self, request: HttpRequest, obj: Player) -> HttpResponse:
        form = StatusForm(request.POST or None, initial={"status": obj.status})
        if request.method == "POST" and form.is_valid():
            status, reason = form.cleaned_data["status"], form.cleaned_data["reason"]
            player = set_player_status(obj.pk, status=status, actor=actor(request.user), reason=reason)
            return done(self, request, obj, f"{obj.uid} is now {player.get_status_display()}.", reason=reason)
        says = [
            f"{obj.uid} is {obj.get_status_display()}, set by {'an operator' if obj.status_set_by == Player.SetBy.OPERATOR else 'the web front'}.",
            "Only an active player can launch games and withdraw. Whoever is not can still settle what is open, and receive.",
            "What you set here, the web front can only tighten: it cannot lift it.",
        ]
        return ask(
            self,
            request,
            obj,
            title=f"Change the status of {obj.uid}",
            says=says,
            form=form,
            button="Change status",
        )

    def sections(self, request: HttpRequest, obj: Player) -> list[Section]:
        return [self.latest_sessions(obj), self.status_history(obj)]

    def latest_sessions(self, player: Player) -> Section:
        latest = (
            with_state(GameSession.objects.filter(player=player))
            .select_related("game")
            .order_by("-created_at")[:LATEST_SESSIONS]
        )
        more = ("All sessions", search_address("players_gamesession", player.uid))
        empty = "No session yet: the web front has never launched a game for this player."
        return Section("Latest sessions", SESSION_HEADERS, [session_row(row) for row in latest], empty, more)

    def status_history(self, player: Player) -> Section:
        rows = [
            (
                clock(event.at),
                show_status(event.old_status),
                show_status(event.new_status),
                event.actor,
                event.reason or NOTHING,
            )
            for event in player.events.order_by("-at")[:LATEST_EVENTS]
        ]
        return Section(
            "Status history",
            ("When (UTC)", "Before", "After", "By", "Reason"),
            rows,
            "The status was never set.",
        )


def show_status(status: str) -> SafeString:
    """A player's status as a badge; before the first one there was none."""
    names = dict(Player.Status.choices)
    return badge(str(names.get(status, "new")), STATUS_COLOURS.get(status, ""))


def player_link(player: Player) -> SafeString:
    """A link to a player's page."""
    return link(clipped(player.uid), "players_player_change", player.pk)
