"""A game that sells, and the providers that are paid."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from payments.callbacks.rejected import REFUSALS
from payments.nudges import NUDGER
from payments.providers.registry import PROVIDERS
from tests.support.callers import Callers
from tests.support.deliveries import alone
from tests.support.game_order_server import GameServer, selling
from tests.support.shop import ShopSetup, make_shop_setup


@pytest.fixture(scope="session")
def shop_setup(callers: Callers) -> ShopSetup:
    return make_shop_setup(callers)


@pytest.fixture(autouse=True)
def forget_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process remembers of providers is forgotten before each test.

    No worker is there to be nudged.
    """
    PROVIDERS.forget()
    REFUSALS.forget()
    monkeypatch.setattr(NUDGER, "paused_until", float("inf"))


@pytest.fixture
def game() -> Iterator[GameServer]:
    """A game's server on a socket, which may be called, and is soon given up."""
    with selling() as game:
        yield game


@pytest.fixture
def served_shop(callers: Callers, game: GameServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ShopSetup]:
    """A shop whose deliveries that server takes."""
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", 0.4)
    with alone(callers, game) as served_shop:
        yield served_shop
