"""Sessions: read only, found by their token, and ended."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, slugs, until, word
from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.formatting import badge, clipped, clock, link, moment, short_id
from lib.backoffice.heads import HeadColumns
from lib.backoffice.pages import read_uuid
from lib.backoffice.pagination import BigTableAdmin
from lib.clock import WalletNow
from players.admin.search import SessionSearchAdmin
from players.models import Game, GameSession, Player
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


def meaning(session: Any) -> str:
    """What is possible with a session read by `with_state`, in a sentence."""
    if session.state == "live":
        return f"The game can withdraw with its token until {moment(session.expires_at)}."
    ended = session.ended_at or session.expires_at
    return (
        f"Withdrawals with its token are refused since {moment(ended)}. "
        "Transactions that were pending can still be settled with it."
    )


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


class EndSession(PageAction[GameSession]):
    """No new withdrawal with the session's token."""

    title, permission = "End session", "players.end_session"

    def page(self, row: GameSession) -> Page:
        says = [
            f"{row.player.uid} in {row.game.slug}: new withdrawals with this token are refused at once.",
            "Pending transactions can still be settled with it. The player can launch the game again.",
        ]
        return Page("End this session?", says, "End session", danger=True)

    def do(self, act: Act[GameSession]) -> str:
        return "The session is ended." if close_session(act.row) else "The session had ended already."


class SessionAdmin(SessionSearchAdmin, BigTableAdmin):
    """One launch of a game. Neither its token nor the token's hash is ever shown.

    The wallet's admin adds the session's transactions to this page and registers it.
    """

    list_display = ("short", "player_uid", "game_slug", "currency", "shown_state", "started", "ends")
    conditions = (
        since(),
        until(),
        choice("game", "Game", "game_id", slugs(Game)),
        word("currency", "Currency", "currency_code"),
    )
    search_help_text = "Session token, session id or exact uid"
    empty_text = "A session is created when the web front launches a game (POST /entry/launch)."
    head_columns = HeadColumns(["shown_state"], ["meaning"], ["player_uid", "game_slug", "currency"])
    fields: ClassVar[tuple[str, ...]] = ("full_id", "language", "began", "expires", "ended", "is_kept")
    actions_detail = ("end",)
    end = EndSession()

    short = columns.short_id("session")
    full_id = columns.mono("id", "pk")
    player_uid = columns.link("player", "players_player_change", "player_id", "player.uid", look=clipped)
    game_slug = columns.text("game", "game.slug")
    shown_state = columns.text("state", show_state)
    meaning = columns.text("meaning", meaning)
    currency = columns.text("currency", "currency_code")
    started = columns.clock("started (UTC)", "created_at")
    ends = columns.text("ended or expires (UTC)", lambda row: clock(row.ended_at or row.expires_at))
    began = columns.moment("started", "created_at")
    expires = columns.moment("expires", "expires_at")
    ended = columns.moment("ended", "ended_at")
    is_kept = columns.flag("named by a transaction", "is_kept")

    def title_of(self, row: GameSession) -> str:
        return f"Session of {row.player.uid} in {row.game.slug}"

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

    def pointless_actions(self, id: UUID) -> set[str]:
        live = GameSession.objects.filter(pk=id, ended_at=None, expires_at__gt=WalletNow())
        return set() if live.exists() else {"end"}
