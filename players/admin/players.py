"""Players: found by uid, nickname or a session's token; blocked and readmitted with a reason."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, search_address
from lib.backoffice.forms import RadioWidget
from lib.backoffice.pages import Section
from lib.backoffice.pagination import BigTableAdmin
from lib.names import MOST_DECOMPOSED, search_key
from players.admin.approved_action import RequestForm, told, who_approves
from players.admin.search import SessionSearchAdmin
from players.admin.sessions import SESSION_HEADERS, session_row, with_state
from players.approvals.kinds import NotExecutable
from players.approvals.operations import ApprovalRefused, request_approval
from players.approvals.players import LIFTING, LiftingPayload
from players.audit_trail.record import Origin
from players.models import MOST_NICKNAME, Approval, GameSession, Player
from players.operations import LIFTED_BY_TWO, needs_two_to_lift, set_player_status
from players.outcomes import PlayerRefused

Status = Player.Status
STATUS_COLOURS = {"active": "success", "blocked": "danger", "self_excluded": "warning"}
# More is nobody's name.
MOST_SEARCHED = MOST_NICKNAME * MOST_DECOMPOSED
LATEST_SESSIONS = 10
LATEST_EVENTS = 20


class StatusForm(RequestForm):
    """The status a player is to have."""

    status = forms.ChoiceField(choices=Player.Status.choices, widget=RadioWidget)
    field_order = ("status", "reason")


class ChangeStatus(PageAction[Player]):
    """Blocks a player, or readmits them; a self-exclusion or closing is lifted if a second person agrees."""

    title, permission = "Change status", LIFTING.permission
    refusals = (ApprovalRefused, NotExecutable, PlayerRefused)

    def form_for(self, row: Player, data: QueryDict | None) -> StatusForm:
        return StatusForm(data, initial={"status": row.status})

    def page(self, row: Player) -> Page:
        by = "an operator" if row.status_set_by == Player.SetBy.OPERATOR else "the web front"
        says = [
            f"Current status of {row.uid}: {row.get_status_display()}, set by {by}.",
            (
                "Only active players can launch games and withdraw. "
                "Others can still receive money, and their pending transactions can be settled."
            ),
            "The web front can make a status set here stricter; it cannot lift it.",
        ]
        if row.status in LIFTED_BY_TWO:
            says += [f"Lifting it takes two people, and is only requested here. {who_approves(LIFTING)}"]
        return Page(f"Change the status of {row.uid}", says, "Change status")

    def do(self, act: Act[Player]) -> str:
        wanted = act.given["status"]
        if needs_two_to_lift(act.row.status, wanted):
            return told(
                self.requested(act, LiftingPayload(act.row.pk, Status(act.row.status), Status(wanted)))
            )
        player = set_player_status(act.row.pk, status=wanted, actor=act.actor, reason=act.reason)
        return f"{act.row.uid} is now {player.get_status_display()}."

    def requested(self, act: Act[Player], payload: LiftingPayload) -> Approval:
        return request_approval(
            LIFTING,
            payload,
            id=act.given["approval_id"],
            origin=Origin.of(act.request),
            reason=act.reason,
            digest=None,
        )


class PlayerAdmin(SessionSearchAdmin, BigTableAdmin):
    """A player comes from the web front. Here the status is set, and test players are marked. Never deleted.

    The wallet's admin adds the player's money to this page and registers it.
    """

    list_display = ("uid_link", "nickname_shown", "country", "shown_status", "is_test", "made")
    search_help_text = "Exact uid, whole nickname in any case, or a session token"
    empty_text = "A player is created when the web front first names them (PUT /entry/players/…)."
    fields = (
        "uid_shown",
        "nickname_shown",
        "country",
        "language",
        "shown_status",
        "status_set_by",
        "is_test",
        "made_at",
        "changed_at",
    )
    change_permission = "players.mark_test_player"
    shows_person = True
    actions_detail = ("change_status",)
    change_status = ChangeStatus()

    uid_link = columns.clipped("uid", "uid")
    uid_shown = columns.mono("uid", "uid")
    nickname_shown = columns.name("nickname", "nickname")
    shown_status = columns.text("status", lambda row: show_status(row.status))
    made = columns.clock("first seen (UTC)", "created_at")
    made_at = columns.moment("first seen", "created_at")
    changed_at = columns.moment("last changed", "updated_at")

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
        return [self.latest_sessions(obj), self.status_history(obj)]

    def latest_sessions(self, player: Player) -> Section:
        latest = (
            with_state(GameSession.objects.filter(player=player))
            .select_related("game")
            .order_by("-created_at")[:LATEST_SESSIONS]
        )
        more = ("All sessions", search_address("players_gamesession", player.uid))
        empty = "No session yet: the web front has never launched a game for this player."
        return Section(
            GameSession, "Latest sessions", SESSION_HEADERS, [session_row(row) for row in latest], empty, more
        )

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
            Player,
            "Status history",
            ("When (UTC)", "Before", "After", "By", "Reason"),
            rows,
            "The status has never been set.",
        )


def show_status(status: str) -> SafeString:
    """A player's status as a badge; before the first one there was none."""
    names = dict(Player.Status.choices)
    return badge(str(names.get(status, "new")), STATUS_COLOURS.get(status, ""))


def player_column(label: str, source: columns.Source = "player") -> columns.Column:
    """A column of links to players."""

    def show(row: Any) -> SafeString:
        player = columns.read(row, source)
        return player_link(player) if player else SafeString(NOTHING)

    return columns.Column(label, show)


def player_link(player: Player) -> SafeString:
    """A link to a player's page."""
    return link(clipped(player.uid), "players_player_change", player.pk)
