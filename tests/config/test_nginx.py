"""The shipped nginx before the shipped web server: clients that hold on harm nobody behind it either."""

import collections
import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.attack.clients import (
    BIG,
    DRIPS,
    SHAPES,
    Connect,
    dripping,
    half_a_body,
    half_a_head,
    held,
    never_closing,
    open_after,
    place_of,
    silent,
)
from tests.config.test_web_worker import SLOWEST_SECONDS, slowest_call
from tests.support.callers import PlayerSession
from tests.support.nginx import installed, nginx_before
from tests.support.web_server import served

pytestmark = pytest.mark.skipif(
    installed() is None and os.environ.get("CI") != "true", reason="nginx is not installed (.ci/nginx)"
)


@pytest.fixture(scope="module")
def nginx(callers: object, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("nginx")
    with (
        served(home / "log", DATABASE_URL=database_url, TRUSTED_PROXIES="127.0.0.1") as server,
        nginx_before(server, home) as url,
    ):
        yield url


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_nginx__clients_that_hold_on_do_not_slow_a_wallet_call(
    shape: Callable[[Connect], None], nginx: str, player_session: PlayerSession
) -> None:
    with held(nginx, shape, SHAPES[shape]):
        assert slowest_call(player_session, nginx) < SLOWEST_SECONDS


@pytest.mark.parametrize("drip", DRIPS)
def test_nginx__clients_that_drip_do_not_slow_a_wallet_call(
    drip: str, nginx: str, player_session: PlayerSession
) -> None:
    with dripping(nginx, DRIPS[drip]):
        assert slowest_call(player_session, nginx) < SLOWEST_SECONDS


def test_nginx__big_bodies_of_strangers_lose_nobody_elses_call(nginx: str) -> None:
    """Connections to the platform are shared: what is left of a body must not meet the next call."""
    counts: dict[bool, collections.Counter[object]] = {
        True: collections.Counter(),
        False: collections.Counter(),
    }
    end = time.monotonic() + 2

    def call(*, is_big: bool) -> None:
        while time.monotonic() < end:
            connection = http.client.HTTPConnection(*place_of(nginx), timeout=30)
            try:
                if is_big:
                    connection.request("POST", "/pay/webhooks", BIG)
                else:
                    connection.request("GET", "/healthz")
                counts[is_big][connection.getresponse().status] += 1
            except (OSError, http.client.HTTPException) as problem:
                counts[is_big][repr(problem)] += 1
            connection.close()

    threads = [threading.Thread(target=call, kwargs={"is_big": number < 2}) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(counts[False]) == {200}
    assert len(counts[True]) == 1
    assert not counts[True].keys() & {200, 429, 502}


@pytest.mark.long
def test_nginx__clients_that_hold_on_are_let_go(nginx: str) -> None:
    with (
        held(nginx, silent, 5) as mute,
        held(nginx, half_a_head, 5) as heads,
        held(nginx, half_a_body, 5) as bodies,
        held(nginx, never_closing, 5) as closers,
    ):
        assert open_after(mute + heads + bodies + closers, 30) == 0
