"""The client passes every scenario of the kit's scripted wallet, in threads and in an event loop."""

from collections.abc import Callable, Iterator

import pytest

from clients.kit.wallet.scenarios import SCENARIOS, Scenario
from tests.support.client_game import Backend, Play, backend
from tests.support.scripted_wallet import SECRET, ScriptedWallet, scripted_wallet

Ways = dict[str, Callable[[Play], None]]
WAYS: Ways = {"threads": Play.run, "event loop": Play.run_in_loop}


@pytest.fixture(scope="module")
def game() -> Iterator[Backend]:
    with backend() as game:
        yield game


@pytest.fixture(scope="module")
def wallet(game: Backend) -> Iterator[ScriptedWallet]:
    urls = {"query_url": f"{game.url}/state", "delivery_url": f"{game.url}/deliveries"}
    with scripted_wallet(**urls, delivery_secret=SECRET) as wallet:
        yield wallet


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])
def test_client__is_right_in_every_scenario(
    wallet: ScriptedWallet, game: Backend, scenario: Scenario, way: str
) -> None:
    game.delivered.clear()
    WAYS[way](Play(wallet, wallet.choose(scenario.name), game))
    if scenario.calls_game:
        assert wallet.call_game().status == 200
    verdict = wallet.verdict()
    assert (verdict["status"], verdict["problems"]) == ("passed", []), verdict["wire"]
    is_delivered = any(name == "delivery" for name in scenario.calls_game)
    assert list(game.delivered.values()) == (["gold"] if is_delivered else [])
