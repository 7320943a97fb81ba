"""The lobby at `/`, and what its forms do."""

from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from demo.clock.operations import read_clock
from demo.lobby.addresses import lobby_address
from demo.lobby.games import launch, origin_of, played_here
from demo.lobby.money import money_of, purse_of
from demo.lobby.players import FUNDS, MOST_NICKNAME, BadNickname, demo_players, make_player
from payments.checkout.pages import ORIGIN, SeeOther
from players.models import Player
from players.operations import find_player
from players.outcomes import PlayerOutcome, PlayerRefused
from wallet.currencies import show_amount

# Its script asks for this page again; its forms lead to the game by a redirect.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'{game}"
)
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
# Why a game was not launched.
REFUSALS = {
    PlayerOutcome.UNKNOWN_PLAYER: "There is no such player.",
    PlayerOutcome.UNKNOWN_GAME: "That game is not played here.",
    PlayerOutcome.PLAYER_BARRED: "This player is {about}: no game can be launched.",
}
# What the address may say about the clock, in hours.
MOST_SAID = 10_000


class Choice(NamedTuple):
    """A player that can be chosen, what is in the wallets, and the address that chooses."""

    player: Player
    purse: str
    url: str


@require_safe
def lobby(request: HttpRequest) -> HttpResponse:
    """`/`: the player of the address, or the first one."""
    return shown(request, request.GET.get("player", ""))


@require_POST
def new_player(request: HttpRequest) -> HttpResponse:
    """`/demo/players`: makes a player of that `nickname`, and chooses it."""
    try:
        player = make_player(request.POST.get("nickname", ""))
    except BadNickname as problem:
        return shown(request, request.POST.get("player", ""), problem=str(problem), status=422)
    return SeeOther(lobby_address(player.uid))


@require_POST
def launch_game(request: HttpRequest) -> HttpResponse:
    """`/demo/launch`: sends the player to the game."""
    uid = request.POST.get("player", "")
    try:
        return SeeOther(launch(find_player(uid), request.POST.get("game", "")))
    except PlayerRefused as refused:
        problem = REFUSALS[refused.outcome].format(about=refused.about)
        return shown(request, uid, problem=problem, status=409)


def shown(request: HttpRequest, uid: str, *, problem: str = "", status: int = 200) -> HttpResponse:
    """The page."""
    players = demo_players(uid)
    chosen = next((player for player in players if player.uid == uid), players[0] if players else None)
    context = about(chosen, request) | {
        "choices": [Choice(player, purse_of(player), lobby_address(player.uid)) for player in players],
        "games": played_here(),
        "clock": read_clock(),
        "moved": read_hours(request),
        "problem": problem,
        "most_nickname": MOST_NICKNAME,
        "funds": show_amount(FUNDS, "XAG"),
    }
    answer = HttpResponse(render_to_string("demo/lobby.html", context, request), status=status)
    for name, value in (HEADERS | {"Content-Security-Policy": policy()}).items():
        answer[name] = value
    return answer


def about(chosen: Player | None, request: HttpRequest) -> dict[str, Any]:
    """What is shown of the chosen player."""
    money = money_of(chosen, request.build_absolute_uri("/")) if chosen else None
    return {"chosen": chosen, "money": money}


def read_hours(request: HttpRequest) -> int:
    """By how many hours the clock has just been moved, as the address says."""
    said = request.GET.get("moved", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < len(str(MOST_SAID)) else 0


def policy() -> str:
    """The content security policy of the page."""
    game = origin_of(settings.DEMO_GAME_URL)
    return POLICY.format(game=f" {game}" if ORIGIN.fullmatch(game) else "")
