"""A game that sells, and the providers that are paid."""

import pytest

from payments.book import BOOK
from payments.nudges import NUDGER
from payments.samples import SAMPLES
from tests.payments.market import Market, make_market
from tests.world import House


@pytest.fixture(scope="session")
def market(house: House) -> Market:
    return make_market(house)


@pytest.fixture(autouse=True)
def forget_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process remembers of providers is forgotten before each test; no worker is there to be nudged."""
    BOOK.forget()
    SAMPLES.kept_at.clear()
    monkeypatch.setattr(NUDGER, "paused_until", float("inf"))
