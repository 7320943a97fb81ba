"""What the platform's web front does to players and sessions (contract 3)."""

from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.request import Request

from lib.clock import timestamp
from lib.http.requests import fit, read_object
from lib.http.responses import json_answer
from players.access.api_view import ApiView, who_calls
from players.access.gate import Call
from players.api import errors, openapi
from players.api.requests import (
    EndSessionRequest,
    ExcludeRequest,
    PutPlayerRequest,
    read_attributes,
    read_confirm,
    read_end,
    read_uid,
    read_uuid,
)
from players.api.responses import EmptyAnswer, PlayerAnswer
from players.exclusions import confirm_lifting, exclude_player
from players.models import Player
from players.operations import end_session, find_player, put_player


class PlayersView(ApiView):
    """A call about players; their outcomes are answered as `players.api.errors` says."""

    def refusal(self, problem: Exception) -> Exception:
        return errors.refusal(problem)


def player_answer(player: Player) -> PlayerAnswer:
    """A player as the web front sees it."""
    return PlayerAnswer(
        player.uid,
        player.nickname,
        player.country,
        player.language,
        player.status,
        excludedUntil=timestamp(player.excluded_until) if player.excluded_until else UNSET,
        liftableAt=timestamp(player.liftable_at) if player.liftable_at else UNSET,
    )


@openapi.put_player
class PutPlayer(PlayersView):
    """Creates or updates a player."""

    http_method_names = ["put"]
    shape = PutPlayerRequest

    def put(self, request: Request, uid: str) -> HttpResponse:
        given = fit(read_object(request._request), PutPlayerRequest)  # noqa: SLF001 (as in ApiView)
        player = put_player(
            read_uid(uid),
            attributes=read_attributes(given),
            status=None if given.status is UNSET else given.status,
            actor=who_calls(request).caller.actor,
        )
        return json_answer(player_answer(player))


@openapi.exclude
class Exclude(PlayersView):
    """Keeps a player out, for a while (a time-out) or for good. It can be made longer, never shorter.

    Also brings the player's word that what operators have agreed to lift is lifted.
    """

    shape = ExcludeRequest

    def handle(self, call: Call, given: ExcludeRequest) -> HttpResponse:
        is_confirmed = read_confirm(given)
        until = None if given.until is UNSET else read_end(given.until)
        id, actor = find_player(given.uid).pk, call.caller.actor
        if is_confirmed:
            player = confirm_lifting(id, actor=actor)
        else:
            set_by = Player.SetBy.FRONT
            player, _ = exclude_player(id, until=until, set_by=set_by, actor=actor, reason="")
        return json_answer(player_answer(player))


@openapi.end_session
class EndSession(PlayersView):
    """Ends a session; repeated, the same."""

    shape = EndSessionRequest

    def handle(self, call: Call, given: EndSessionRequest) -> HttpResponse:
        end_session(read_uuid(given.token))
        return json_answer(EmptyAnswer())
