"""Fills an empty platform with a demonstration, once, and tells how to use it."""

import json
import os
import textwrap
import uuid
from argparse import ArgumentParser
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from lib.clock import now
from lib.ids import new_id
from lib.security.tokens import token_hash
from payments.demo import PROVIDERS, demo_delivery_secret, demo_products, demo_provider, demo_shop
from players.demo import (
    ADMIN,
    APPROVER,
    GAMES,
    QUERY_USERNAME,
    demo_credential,
    demo_game,
    demo_operator,
    demo_query_password,
    is_played,
)
from players.models import Game, GameSession, Operator, Player
from players.operations import put_player
from players.outcomes import InMaintenance, PlayerRefused
from wallet.models import Currency, Transaction
from wallet.operations import adjust_wallet, launch_game

CURRENCIES = {"XAG": ("Silver coins", 2), "EUR": ("Euro", 2), "JPY": ("Yen", 0), "BHD": ("Bahraini dinar", 3)}
PLAYERS = [
    ("demo-anna", "Anna", "AT", "de", "XAG"),
    ("demo-ben", "Ben", "GB", "en", "XAG"),
    ("demo-chloe", "Chloé", "FR", "fr", "EUR"),
]
# 10 000.00 of either currency, in minor units.
FUNDS = 1_000_000
REASON = "Demo funds"


class Command(BaseCommand):
    help = (
        "Makes demo games, credentials, products, providers, players with money and two operators, "
        "where they are not there yet, and writes var/demo.json."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="Where the web server listens.")
        parser.add_argument(
            "--file",
            default=str(settings.BASE_DIR / "var" / "demo.json"),
            help="Where the credentials are written (mode 600).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "This makes credentials with known passwords. "
                "Set DEMO=1 where that is meant, and never where real money is."
            )
        path = Path(options["file"])
        kept = json.loads(path.read_text()) if path.exists() else {}
        with transaction.atomic():
            demo = self.seed(options["url"].rstrip("/"), kept)
        write_private(path, json.dumps(demo, indent=2) + "\n")
        self.stdout.write(self.guide(demo, path))

    def seed(self, url: str, kept: dict[str, Any]) -> dict[str, Any]:
        """Makes what is missing; returns what `var/demo.json` holds."""
        for code, (name, decimals) in CURRENCIES.items():
            Currency.objects.get_or_create(code=code, defaults={"name": name, "decimals": decimals})
        kept_tokens = {player["uid"]: player["token"] for player in kept.get("players", [])}
        kept_games = {game["slug"]: game for game in kept.get("games", [])}
        kept_secrets = {provider["slug"]: provider["secret"] for provider in kept.get("providers", [])}
        games = [
            {
                "slug": slug,
                **demo_credential(slug, kind="game", game=demo_game(slug), kept=kept_games.get(slug)),
            }
            for slug in GAMES
        ]
        for told in games:
            game = demo_game(told["slug"])
            if is_played(game.slug):
                told |= own_secrets(game, kept_games.get(game.slug, {}))
            demo_shop(game, url)
        return {
            "url": url,
            "admin": demo_operator(ADMIN, kept.get("admin")),
            "approver": demo_operator(APPROVER, kept.get("approver")),
            "platform": demo_credential("lobby", kind="platform", game=None, kept=kept.get("platform")),
            "games": games,
            "players": [self.player(*player, kept=kept_tokens.get(player[0])) for player in PLAYERS],
            "products": demo_products(),
            "providers": [
                demo_provider(slug, scheme, name, currency, url, kept=kept_secrets.get(slug))
                for slug, scheme, name, currency in PROVIDERS
            ],
        }

    def player(
        self, uid: str, nickname: str, country: str, language: str, currency: str, *, kept: str | None
    ) -> dict[str, str]:
        """A demo player with money and a session in the first game.

        The session is the `kept` one, where that has half a day left, or where none can be started: an
        operator may have barred the player, or stopped everything.
        """
        attributes = {"nickname": nickname, "country": country, "language": language}
        if not Player.objects.filter(uid=uid).exists():
            player = put_player(uid, attributes=attributes, status=None, actor="seed")
            Player.objects.filter(pk=player.pk).update(is_test=True)
        player = Player.objects.get(uid=uid)
        if not Transaction.objects.filter(player=player, reason=REASON).exists():
            adjust_wallet(
                player,
                currency,
                type="credit",
                amount=FUNDS,
                transaction_id=new_id(),
                operator=Operator.objects.get(username=ADMIN),
                reason=REASON,
            )
        sessions = GameSession.objects.filter(
            player=player, ended_at=None, expires_at__gt=now() + timedelta(hours=12)
        )
        if kept is None or not sessions.filter(token_hash=token_hash(uuid.UUID(kept))).exists():
            with suppress(PlayerRefused, InMaintenance):
                kept = str(
                    launch_game(
                        uid, next(iter(GAMES)), currency, language=None, ttl_seconds=None, actor="seed"
                    ).token
                )
        return {"uid": uid, "token": kept or "", "currencyCode": currency}

    def guide(self, demo: dict[str, Any], path: Path) -> str:
        """What a person at the terminal needs to go on."""
        game, player, url = demo["games"][0], demo["players"][0], demo["url"]
        body = json.dumps(
            {
                "token": player["token"],
                "mmTransactionId": f"hello-{uuid.uuid4().hex[:8]}",
                "amount": {"amount": 230.0, "currencyCode": player["currencyCode"]},
            }
        ).replace("230.0,", "230.00,")
        curl = (
            f"curl -u {game['username']}:{game['password']} -H 'Content-Type: application/json' \\\n"
            f"    -d '{body}' \\\n"
            f"    {url}/wallet/withdraw"
        )
        return textwrap.dedent(
            """
            To play     {url}/            choose a player, launch the game, watch the money
            Admin       {url}/admin/      {admin} / {password}
            Approver    {url}/admin/      {approver} / {approver_password}
            API docs    {url}/api/docs/
            Sandbox     {url}/sandbox/    pays the orders that games start
            Credentials {path}

            Withdraw 230.00 of a demo player's money:
              {curl}
            """
        ).format(
            url=url,
            admin=demo["admin"]["username"],
            password=demo["admin"]["password"],
            approver=demo["approver"]["username"],
            approver_password=demo["approver"]["password"],
            path=shown(path),
            curl=curl,
        )


def own_secrets(game: Game, kept: dict[str, Any]) -> dict[str, str]:
    """With what a game that runs beside the platform recognises it, by the names in `var/demo.json`."""
    return {
        "queryUsername": QUERY_USERNAME,
        "queryPassword": demo_query_password(game, kept.get("queryPassword")),
        "deliverySecret": demo_delivery_secret(game, kept.get("deliverySecret")),
    }


def shown(path: Path) -> str:
    """The path as a person in the project's folder would write it."""
    return str(path.relative_to(settings.BASE_DIR)) if path.is_relative_to(settings.BASE_DIR) else str(path)


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
