"""Fills the textbook's database with players who have money: `python -m benchmarks.textbook.seed`;
prints the game's login.
"""

# The type checker knows the models of the platform alone.
# mypy: disable-error-code="attr-defined"

import json
import secrets
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import django
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

django.setup()

from benchmarks.textbook.models import Game, Player, Session, Wallet, hash_password  # noqa: E402 (models need the setup)
from benchmarks.traffic import CURRENCY, TOKENS  # noqa: E402

BALANCE = Decimal(10_000_000)


@transaction.atomic
def seed() -> dict[str, str]:
    username, password = "bench", secrets.token_urlsafe(32)
    game = Game.objects.create(username=username, password_hash=hash_password(password))
    players = Player.objects.bulk_create(
        [Player(nickname=f"Player {number}") for number in range(len(TOKENS))]
    )
    Wallet.objects.bulk_create(
        [Wallet(player=player, currency=CURRENCY, balance=BALANCE) for player in players]
    )
    tomorrow = timezone.now() + timedelta(days=1)
    Session.objects.bulk_create(
        [
            Session(token=UUID(token.decode()), game=game, player=player, expires_at=tomorrow)
            for token, player in zip(TOKENS, players, strict=True)
        ]
    )
    return {"username": username, "password": password}


if __name__ == "__main__":
    call_command("migrate", run_syncdb=True, verbosity=0)
    print(json.dumps(seed()))
