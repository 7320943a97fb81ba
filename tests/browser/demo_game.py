"""The demonstration's game as a process of its own, beside a platform that sells."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.launcher.processes import start, stop
from config.launcher.supervisor import CLIENT, ROOT
from payments.demo import demo_products, demo_shop
from payments.management.commands.seed_demo import own_secrets
from players.demo import demo_game
from players.operations import create_credential
from tests.browser.demo_shop import Shop
from tests.faults.platform_processes import ENDINGS, eventually
from tests.support.callers import unique
from tests.support.web_server import free_port
from wallet.models import Transaction


@dataclass(frozen=True)
class Guest:
    """A player who was launched into the game; the money is read from the platform, not from the game."""

    shop: Shop
    uid: str
    address: str

    def money(self) -> tuple[str, str]:
        """What the wallet holds: spendable and reserved."""
        told = self.shop.front.post("/entry/balance", {"uid": self.uid, "currencyCode": "XAG"}).body
        return str(told["balance"]["amount"]), str(told["reserved"]["amount"])

    def transactions(self) -> list[tuple[str, str]]:
        """The game's transactions of this player, as the ledger has them: type and state."""
        found = Transaction.objects.filter(player__uid=self.uid, game__isnull=False).order_by("opened_seq")
        return [(one.type, one.state) for one in found]


@dataclass(frozen=True)
class PlayedGame:
    """Where the game answers."""

    shop: Shop
    url: str

    def guest(self) -> Guest:
        """A new player with an empty wallet and a session."""
        uid = unique("p")
        assert (
            self.shop.front.put(f"/entry/players/{uid}", {"nickname": "Nova", "language": "en"}).status == 200
        )
        told = {"uid": uid, "game": self.shop.slug, "currencyCode": "XAG"}
        answer = self.shop.front.post("/entry/launch", told)
        return Guest(self.shop, uid, str(answer.body["launchUrl"]))


@contextmanager
def played_game(shop: Shop, directory: Path) -> Iterator[PlayedGame]:
    """Starts the game at the shop's platform, which knows where it is; it ends with the block."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    credentials = directory / "demo.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "DEMO_GAME_URL", url)
        credentials.write_text(json.dumps(seeded(shop)))
    words = ["-m", "demo.game", "--platform", shop.url, "--credentials", str(credentials)]
    words += ["--data", str(directory / "game"), "--port", str(port)]
    with (directory / "log").open("wb") as log:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CLIENT)}
        child = start(
            "game",
            [sys.executable, *words],
            environment=environment,
            endings=ENDINGS,
            log=log,
            directory=ROOT,
        )
    try:
        eventually(lambda: is_well(port), "the game answers", 20, (directory / "log").read_text)
        yield PlayedGame(shop, url)
    finally:
        stop(child)
    said = (directory / "log").read_text()
    assert said == "", said


def seeded(shop: Shop) -> dict[str, Any]:
    """What `seed_demo` writes for the game."""
    game = demo_game(shop.slug)
    game_login = login("game", game)
    told = {"slug": shop.slug, **game_login, **own_secrets(game, {})}
    demo_shop(game, shop.url)
    return {"games": [told], "platform": login("platform", None), "products": demo_products()}


def login(kind: str, game: Any) -> dict[str, str]:
    credential, password = create_credential(
        kind=kind, game=game, username=unique("c"), allowed_networks=[], note=""
    )
    return {"username": credential.username, "password": password}


def is_well(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
