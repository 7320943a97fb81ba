"""The wire beside the game, in words."""

from dataclasses import replace

import pytest

from demo.game.pages import exchange
from demo.game.wire import Exchange

DONE = Exchange(1, 0.0, "Buy", True, "POST", "/withdraw", "{}", 200, '{"balance": 1.00}', 5, "Reserves.")


@pytest.mark.parametrize(
    ("told", "asker", "status"),
    [
        (DONE, "Game", ">200</span>"),
        (replace(DONE, answer='{"errorCode": 104}'), "Game", ">200 refused</span>"),
        (replace(DONE, path="/pay/webhooks", status=401), "Somebody", ">401 refused</span>"),
        (replace(DONE, is_ours=False, status=0), "Platform", ">no answer</span>"),
    ],
)
def test_exchange__names_who_asked_and_says_when_it_was_refused(
    told: Exchange, asker: str, status: str
) -> None:
    shown = exchange(told)
    assert f'">{asker} <span' in shown
    assert status in shown
