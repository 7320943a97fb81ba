"""Fills a migrated database with a game, players who have money, and an operator:
`python -m benchmarks.seed`.

Prints what a benchmark needs to know of it, as JSON. The money comes through the ledger, as an adjustment.
"""

import json
import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import django
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.contrib.auth.models import Group  # noqa: E402 (models need the setup)

from benchmarks.traffic import CURRENCY, TOKENS  # noqa: E402
from lib.clock import now  # noqa: E402
from lib.ids import new_id  # noqa: E402
from lib.security.tokens import token_hash  # noqa: E402
from players.models import Game, GameSession, Operator, Player  # noqa: E402
from players.operations import create_credential  # noqa: E402
from wallet.models import Currency  # noqa: E402

# In minor units: 10 000 000.00 for each player.
FUNDS = 1_000_000_000


@transaction.atomic
def seed() -> dict[str, Any]:
    """Makes it all, or nothing."""
    Currency.objects.create(code=CURRENCY, name="Silver coins", decimals=2)
    game = Game.objects.create(slug="bench", name="Bench", launch_url="https://bench.example/play")
    credential, password = create_credential(
        kind="game", game=game, username="bench", allowed_networks=[], note="benchmark"
    )
    players = Player.objects.bulk_create(
        [
            Player(id=new_id(), uid=f"bench-{number}", nickname=f"Player {number}")
            for number in range(len(TOKENS))
        ]
    )
    began = now()
    GameSession.objects.bulk_create(
        [
            GameSession(
                id=new_id(),
                token_hash=token_hash(UUID(token.decode())),
                player=player,
                game=game,
                currency_code=CURRENCY,
                created_at=began,
                expires_at=began + timedelta(days=1),
            )
            for token, player in zip(TOKENS, players, strict=True)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(ledger_open_wallet(p_player => id, p_currency => %s, p_actor => 'bench')) FROM "
            "players_player",
            [CURRENCY],
        )
        operator = Operator.objects.create_user("bench", is_staff=True)
        cursor.execute(
            "INSERT INTO wallet_adjustment (id, operator_id, player_id, currency_id, type, amount, actor, "
            "reason, at)"
            " SELECT gen_random_uuid(), %s, id, %s, 'credit', %s, 'operator:bench', 'Benchmark funds', now()"
            " FROM players_player",
            [operator.pk, CURRENCY, FUNDS],
        )
        cursor.execute(
            "SELECT count(*) FILTER (WHERE (a).outcome = 'adjusted') FROM (SELECT "
            "ledger_adjust(p_id => id, p_player => player_id, p_currency => currency_id, p_type => type, "
            "p_amount => amount, p_into_debt => false, p_source => 'operator', p_actor => actor, "
            "p_reason => reason) AS a FROM wallet_adjustment) done"
        )
        funded = cursor.fetchone()
    if funded != (len(TOKENS),):
        raise SystemExit(f"Only {funded} players of {len(TOKENS)} got their money.")
    return {
        "username": credential.username,
        "password": password,
        "game_id": str(game.pk),
        "credential_id": str(credential.pk),
        "player_id": str(players[0].pk),
        "operator_session": operator_session(operator),
    }


def operator_session(operator: Operator) -> str:
    """The session cookie of an operator who is logged in, and sees all lists."""
    operator.groups.set(Group.objects.filter(name="viewer"))
    browser = Client()
    browser.force_login(operator)
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    print(json.dumps(seed()))
