"""Sessions: read only, found by token, and ended."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import ask, done, page_action
from lib.backoffice.formatting import badge, clipped, clock, link, moment, mono, short_id
from lib.backoffice.pages import read_uuid
from lib.backoffice.pagination import BigTableAdmin
from lib.clock import WalletNow
from players.admin.search import SearchingAdmin
from players.models import GameSession, Player
from players.operations import close_session

STATE_COLOURS = {"live": "success", "expired": "warning"}
SESSION_HEADERS = ("Session", "Game", "Currency", "State", "Started (UTC)", "Expires (UTC)")


def with_state(sessions: QuerySet[GameSession]) -> QuerySet[GameSession]:
    """Adds `state`: live, ended or expired, by the database's clock."""
    decided = Case(
        When(ended_at__isnull=False, then=Value("ended")),
        When(expires_at__lte=WalletNow(), then=Value("expired")),
        default=Value("live"),
    )
    return sessions.annotate(state=decided)


def show_state(session: Any) -> SafeString:
    """The state of a session read by `with_state`."""
    return badge(session.state, STATE_COLOURS.get(session.state, ""))


def session_row(session: Any) -> tuple[Any, ...]:
    """A session in a table of another page, by `SESSION_HEADERS`."""
    id = link(short_id(session.pk), "players_gamesession_change", session.pk)
    return (
        id,
        session.game.slug,
        session.currency_code,
        show_state(session),
        clock(session.created_at),
        clock(session.expires_at),
    )


class SessionAdmin(SearchingAdmin, BigTableAdmin):
    """One launch of a game. Neither its token nor the token's hash is ever shown.

    The wallet's admin adds the session's transactions to this page and registers it.
    """

    list_display = ("short", "player_uid", "game_slug", "currency", "shown_state", "started", "ends")
    search_help_text = "Session token, session id or exact uid"
    empty_text = "Sessions appear when the web front launches a game (POST /entry/launch)."
    fields: ClassVar[tuple[str, ...]] = (
        "full_id",
        "player_uid",
        "game_slug",
        "currency",
        "language",
        "shown_state",
        "began",
        "expires",
        "ended",
        "is_kept",
    )
    actions_detail = ("end",)

    @admin.display(description="session")
    def short(self, obj: GameSession) -> SafeString:
        return short_id(obj.pk)

    @admin.display(description="id")
    def full_id(self, obj: GameSession) -> SafeString:
        return mono(obj.pk)

    @admin.display(description="player")
    def player_uid(self, obj: GameSession) -> SafeString:
        return link(clipped(obj.player.uid), "players_player_change", obj.player_id)

    @admin.display(description="game")
    def game_slug(self, obj: GameSession) -> str:
        return obj.game.slug

    @admin.display(description="state")
    def shown_state(self, obj: GameSession) -> SafeString:
        return show_state(obj)

    @admin.display(description="currency")
    def currency(self, obj: GameSession) -> str:
        return obj.currency_code

    @admin.display(description="started (UTC)")
    def started(self, obj: GameSession) -> SafeString:
        return clock(obj.created_at)

    @admin.display(description="ended or expires (UTC)")
    def ends(self, obj: GameSession) -> SafeString:
        return clock(obj.ended_at or obj.expires_at)

    @admin.display(description="started")
    def began(self, obj: GameSession) -> str:
        return moment(obj.created_at)

    @admin.display(description="expires")
    def expires(self, obj: GameSession) -> str:
        return moment(obj.expires_at)

    @admin.display(description="ended")
    def ended(self, obj: GameSession) -> str:
        return moment(obj.ended_at)

    @admin.display(description="named by a transaction", boolean=True)
    def is_kept(self, obj: GameSession) -> bool:
        return obj.is_kept

    def get_queryset(self, request: HttpRequest) -> QuerySet[GameSession]:
        sessions: QuerySet[GameSession] = super().get_queryset(request)
        return with_state(sessions.select_related("player", "game")).defer("token_hash")

    def named(self, queryset: QuerySet[GameSession], text: str) -> QuerySet[GameSession]:
        id, player = read_uuid(text), Player.objects.filter(uid=text).first()
        return (
            queryset.filter(Q(pk=id) | Q(player=player))
            if player
            else queryset.filter(pk=id)
            if id
            else queryset.none()
        )

    def of_session(self, queryset: QuerySet[GameSession], session: GameSession) -> QuerySet[GameSession]:
        return queryset.filter(pk=session.pk)

    def senseless_actions(self, id: UUID) -> set[str]:
        live = GameSession.objects.filter(pk=id, ended_at=None, expires_at__gt=WalletNow())
        return set() if live.exists() else {"end"}

    @page_action(title="End session", permission="players.change_gamesession")
    def end(self, request: HttpRequest, obj: GameSession) -> HttpResponse:
        if request.method == "POST":
            words = "The session is ended." if close_session(obj) else "The session had ended already."
            return done(self, request, obj, words)
        says = [
            f"{obj.player.uid} in {obj.game.slug}: new withdrawals with this session's token are refused at once.",
            "What is open can still be settled with it. The player can launch the game again.",
        ]
        return ask(
            self,
            request,
            obj,
            title="End this session?",
            says=says,
            form=None,
            button="End session",
            danger=True,
        )
