"""The games that can really be played here, and their launch."""

from urllib.parse import urlsplit

from django.conf import settings

from demo.lobby.players import ACTOR, CURRENCY
from players.models import Game, Player
from wallet.launch_urls import launch_url
from wallet.operations import launch_game


def origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def played_here() -> list[Game]:
    """The games whose entry is at the demonstration's own game."""
    if not settings.DEMO_GAME_URL:
        return []
    here = origin_of(settings.DEMO_GAME_URL)
    games = Game.objects.filter(is_active=True, launch_url__startswith=f"{here}/")
    return list(games.order_by("created_at"))


def currency_of(player: Player) -> str:
    """What a player plays with: the currency of the first wallet."""
    first = player.wallets.order_by("opened_at").first()
    return first.currency_id if first else CURRENCY


def launch(player: Player, slug: str) -> str:
    """Where the player goes. Raises `PlayerRefused` (unknown_player, unknown_game, player_barred)."""
    currency = currency_of(player)
    launched = launch_game(player.uid, slug, currency, language=None, ttl_seconds=None, actor=ACTOR)
    return launch_url(launched, currency)
