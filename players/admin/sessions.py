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
from lib.backoffice.languages import _
from lib.backoffice.pages import read_uuid
from lib.backoffice.pagination import BigTableAdmin
from lib.clock import WalletNow
from players.admin.search import SessionSearchAdmin
from players.models import Game, GameSession, Player
from players.operations import close_session

STATES = {"live": _("live"), "ended": _("ended"), "expired": _("expired")}
STATE_COLOURS = {"live": "success", "expired": "warning"}
SESSION_HEADERS = (_("Session"), _("Game"), _("Currency"), _("State"), _("Started (UTC)"), _("Expires (UTC)"))


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
    return badge(STATES[session.state], STATE_COLOURS.get(session.state, ""))


def meaning(session: Any) -> str:
    """What is possible with a session read by `with_state`, in a sentence."""
    if session.state == "live":
        return _("The game can withdraw with its token until {moment}.").format(
            moment=moment(session.expires_at)
        )
    ended = session.ended_at or session.expires_at
    return _(
        "Withdrawals with its token are refused since {moment}. "
        "Transactions that were pending can still be settled with it."
    ).format(moment=moment(ended))


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

    title, permission = _("End session"), "players.end_session"

    def page(self, row: GameSession) -> Page:
        says = [
            _("{uid} in {game}: new withdrawals with this token are refused at once.").format(
                uid=row.player.uid, game=row.game.slug
            ),
            _("Pending transactions can still be settled with it. The player can launch the game again."),
        ]
        return Page(_("End this session?"), says, _("End session"), danger=True)

    def do(self, act: Act[GameSession]) -> str:
        return _("The session is ended.") if close_session(act.row) else _("The session had ended already.")


class SessionAdmin(SessionSearchAdmin, BigTableAdmin):
    """One launch of a game. Neither its token nor the token's hash is ever shown.

    The wallet's admin adds the session's transactions to this page and registers it.
    """

    list_display = ("short", "player_uid", "game_slug", "currency", "shown_state", "started", "ends")
    conditions = (
        since(),
        until(),
        choice("game", _("Game"), "game_id", slugs(Game)),
        word("currency", _("Currency"), "currency_code"),
    )
    search_help_text = _("Session token, session id or exact uid")
    empty_text = _("A session is created when the web front launches a game (POST /entry/launch).")
    head_columns = HeadColumns(["shown_state"], ["meaning"], ["player_uid", "game_slug", "currency"])
    fields: ClassVar[tuple[str, ...]] = ("full_id", "language", "began", "expires", "ended", "is_kept")
    actions_detail = ("end",)
    end = EndSession()

    short = columns.short_id(_("session"))
    full_id = columns.mono(_("id"), "pk")
    player_uid = columns.link(_("player"), "players_player_change", "player_id", "player.uid", look=clipped)
    game_slug = columns.text(_("game"), "game.slug")
    shown_state = columns.text(_("state"), show_state)
    meaning = columns.text(_("meaning"), meaning)
    currency = columns.text(_("currency"), "currency_code")
    started = columns.clock(_("started (UTC)"), "created_at")
    ends = columns.text(_("ended or expires (UTC)"), lambda row: clock(row.ended_at or row.expires_at))
    began = columns.moment(_("started"), "created_at")
    expires = columns.moment(_("expires"), "expires_at")
    ended = columns.moment(_("ended"), "ended_at")
    is_kept = columns.flag(_("named by a transaction"), "is_kept")

    def title_of(self, row: GameSession) -> str:
        return _("Session of {uid} in {game}").format(uid=row.player.uid, game=row.game.slug)

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
