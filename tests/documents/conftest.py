"""What the documents about payments need: a game that sells, and providers that nobody remembers."""

import pytest

from payments.nudges import NUDGER
from payments.providers.registry import PROVIDERS
from tests.support.callers import Callers
from tests.support.shop import ShopSetup, make_shop_setup


@pytest.fixture
def shop_setup(callers: Callers, monkeypatch: pytest.MonkeyPatch) -> ShopSetup:
    PROVIDERS.forget()
    monkeypatch.setattr(NUDGER, "paused_until", float("inf"))
    return make_shop_setup(callers)
