"""Adds games to a seeded database, each with a credential, and a session of every player:
`python -m benchmarks.games COUNT`.

Each player plays one of the first COUNT; all play the last, whose net payout has a daily limit. Prints the
credentials as JSON, the limited game's last.
"""

import json
import os
import sys
from datetime import timedelta
from uuid import UUID

import django
from django.db import transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from benchmarks.traffic import CURRENCY, LIMITED_TOKENS, OF_MANY_GAMES, PLAYERS, token_of  # noqa: E402
from lib.clock import now  # noqa: E402
from lib.ids import new_id  # noqa: E402
from lib.security.tokens import token_hash  # noqa: E402
from players.models import Game, GameSession, Player  # noqa: E402 (models need the setup)
from players.operations import create_credential  # noqa: E402
from wallet.models import PayoutLimit  # noqa: E402

# In minor units a day; out of reach.
LIMIT = 10**15


@transaction.atomic
def seed(count: int) -> list[dict[str, str]]:
    """Makes it all, or nothing."""
    games = [game(f"bench-{number}") for number in range(count)]
    limited = game("bench-limited")
    PayoutLimit.objects.create(game=limited, currency_id=CURRENCY, daily_payout=LIMIT, counting_since=now())
    numbered = Player.objects.filter(uid__startswith="bench-")
    players = sorted(numbered, key=lambda player: int(player.uid.partition("-")[2]))
    GameSession.objects.bulk_create(
        [
            *(
                session(token_of(number), players[number % PLAYERS], games[number % PLAYERS % count])
                for number in OF_MANY_GAMES
            ),
            *(session(token, player, limited) for token, player in zip(LIMITED_TOKENS, players, strict=True)),
        ],
        batch_size=2_000,
    )
    return [login(game) for game in (*games, limited)]


def game(slug: str) -> Game:
    return Game.objects.create(slug=slug, name=slug, launch_url="https://bench.example/play")


def login(game: Game) -> dict[str, str]:
    credential, password = create_credential(
        kind="game", game=game, username=game.slug, allowed_networks=[], note="benchmark"
    )
    return {"username": credential.username, "password": password}


def session(token: bytes, player: Player, game: Game) -> GameSession:
    began = now()
    return GameSession(
        id=new_id(),
        token_hash=token_hash(UUID(token.decode())),
        player=player,
        game=game,
        currency_code=CURRENCY,
        created_at=began,
        expires_at=began + timedelta(days=1),
    )


if __name__ == "__main__":
    print(json.dumps(seed(int(sys.argv[1]))))
