"""The README's examples, run against the kit's scripted wallet."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from quantum_wallet import Credential, Money, NotGenuine, Settings, WalletClient
from tests.clients.python.test_incoming import NOW, SECRET, told
from tests.clients.python.test_package import readme
from tests.support.client_game import GAME
from tests.support.scripted_wallet import scripted_wallet


@pytest.fixture
def example() -> SimpleNamespace:
    names: dict[str, Any] = {}
    exec(readme(), names)
    return SimpleNamespace(**names)


def played(scenario: str, act: Callable[[WalletClient, str], object]) -> tuple[object, list[str]]:
    """What an example returns in a scenario, and what speaks against it."""
    with scripted_wallet() as kit:
        token = kit.choose(scenario)["token"]
        with WalletClient(kit.url, GAME, Settings(), sleep=lambda _: None) as wallet:
            result = act(wallet, token)
        return result, [one for one in kit.verdict()["problems"] if "schedule" not in one]


@pytest.mark.parametrize(
    ("scenario", "balance"),
    [
        ("purchase", "85.00"),
        ("withdrawal-answer-lost", "85.00"),
        ("withdrawal-never-answered", "100.00"),
        ("not-enough-money", "5.00"),
    ],
)
def test_example__buys(example: SimpleNamespace, scenario: str, balance: str) -> None:
    assert played(scenario, example.buy) == (Money.of(balance, "XAG"), [])


def test_example__buys_in_one_call(example: SimpleNamespace) -> None:
    given: list[str] = []
    result = played("purchase", lambda wallet, token: example.buy_in_one_call(wallet, token, given))
    assert result == (Money.of("85.00", "XAG"), [])
    assert given == list(example.STORED)


def test_example__resumes_what_was_open(example: SimpleNamespace) -> None:
    def crash(wallet: WalletClient, token: str) -> None:
        withdrawal = example.Withdrawal(token=token, amount=Money.of("15.00", "XAG"))
        example.save(withdrawal)
        wallet.open(withdrawal)
        example.resume(wallet)

    assert played("change-of-mind", crash) == (None, [])


def test_example__wins(example: SimpleNamespace) -> None:
    assert played("win", example.win) == (Money.of("125.00", "XAG"), [])


def test_example__reads_the_balance_in_a_loop(example: SimpleNamespace) -> None:
    with scripted_wallet(username="my-game", password="its password") as kit:
        token = kit.choose("purchase")["token"]
        assert asyncio.run(example.balance(kit.url, token)) == Money(Decimal("100.00"), "XAG")
        with example.connect(kit.url) as wallet:
            assert wallet.get_balance(token).balance == Money(Decimal("100.00"), "XAG")


def test_example__answers_queries(example: SimpleNamespace) -> None:
    withdrawal = example.Withdrawal(token="t", amount=Money.of(1, "XAG"), id="w-1")
    body = b"""{"mmTransactionId": "w-1", "qwTransactionId": "q", "playerId": "p", "type": "withdrawal",
      "amount": {"amount": 1.00, "currencyCode": "XAG"}}"""
    headers = {"Authorization": Credential("platform", "what the platform calls with").header}
    assert b'"UNKNOWN"' in example.on_final_state_query(headers, body)
    example.save(withdrawal.confirming())
    assert b'"CONFIRMED"' in example.on_final_state_query(headers, body)
    with pytest.raises(NotGenuine):
        example.on_final_state_query({}, body)


def test_example__takes_a_delivery_once(example: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(example.verify_delivery.__kwdefaults__, "clock", lambda: NOW)
    taken = [example.on_delivery(*told(), [SECRET]) for _ in range(2)]
    assert taken == ["gold", None]
