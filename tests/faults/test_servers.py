"""The database and the web server die under load.

No answer is lost, and everything goes on without a hand.
"""

import os
import random
import signal
import time

from tests.conftest import Clock
from tests.faults.platform_processes import SEED, Platform, children_of, eventually, kill_group, rounds
from tests.faults.traffic import Player, assert_all_kept, is_ready, played, playing_on, sit_down
from tests.faults.unfinished import assert_settled_without_a_hand, lay_table
from tests.support.callers import Caller
from tests.support.game_query_server import FakeGame
from wallet.settlement.inquiries import LEASE

DURABLE = True
FUNDS = 100_00
PLAYERS = 8
# So many that calls wait for each other, and go to the ledger together.
MANY_PLAYERS = 32
METRICS = {"METRICS_TOKEN": "a token that only this test has, long enough"}


def play_some(players: list[Player], calls: int = 60) -> None:
    """Until so many more calls are answered: the players are in full swing."""
    so_far = played(players)
    eventually(
        lambda: played(players) >= so_far + calls or any(player.problem for player in players),
        "the games get answers",
    )


def test_postgres__immediate_restart_under_load_loses_no_answer(
    platform: Platform, game: FakeGame, clock: Clock
) -> None:
    dice, table = random.Random(SEED), lay_table(platform.callers, game)
    web, url = platform.serve(WEB_WORKERS="2")
    processes = [web, platform.start("beat"), platform.start("worker")]
    eventually(lambda: is_ready(url), "the web server is ready")
    left = table.leave_open(40)
    with playing_on(sit_down(platform, url, PLAYERS, FUNDS), SEED) as players:
        for _ in range(rounds(2, 20)):
            play_some(players)
            left += table.leave_open(40)
            time.sleep(dice.uniform(0, 0.5))
            platform.restart_postgres()
        play_some(players)
    assert sum(player.statuses[503] + player.statuses[0] for player in players) > 0
    # What was leased by sweeps that lost their connection is free again when their leases are over.
    clock.go_ahead(LEASE)
    assert_settled_without_a_hand(platform, left, game)
    assert_all_kept(players, FUNDS)
    assert is_ready(url)
    assert not any(process.ended for process in processes)


def test_web_server__killed_under_load_loses_no_answer(platform: Platform) -> None:
    dice = random.Random(SEED)
    web, url = platform.serve(WEB_WORKERS="2")
    eventually(lambda: is_ready(url), "the web server is ready")
    with playing_on(sit_down(platform, url, PLAYERS, FUNDS), SEED) as players:
        for number in range(rounds(4, 60)):
            play_some(players)
            time.sleep(dice.uniform(0, 0.2))
            if number % 4 == 2:
                kill_group(web)
                web, _ = platform.serve(int(url.rpartition(":")[2]), WEB_WORKERS="2")
            else:
                os.kill(dice.choice(children_of(web)), signal.SIGKILL)
        play_some(players)
    assert sum(player.statuses[0] for player in players) > 0
    assert_all_kept(players, FUNDS)
    assert is_ready(url)
    platform.assert_whole()


def statements(url: str) -> tuple[float, float]:
    """How many statements went to the ledger, and how many calls they carried."""
    answer = Caller(f"Bearer {METRICS['METRICS_TOKEN']}", url=url).send("GET", "/metrics")
    told = dict(line.rsplit(" ", 1) for line in answer.raw.decode().splitlines() if line[:1] != "#")
    return float(told["wallet_statement_calls_count"]), float(told["wallet_statement_calls_sum"])


def test_worker__killed_in_the_middle_of_batches_loses_no_answer(platform: Platform) -> None:
    dice = random.Random(SEED)
    web, url = platform.serve(WEB_WORKERS="1", **METRICS)
    eventually(lambda: is_ready(url), "the web server is ready")
    with playing_on(sit_down(platform, url, MANY_PLAYERS, FUNDS), SEED) as players:
        for _ in range(rounds(3, 200)):
            play_some(players, 2 * MANY_PLAYERS)
            time.sleep(dice.uniform(0, 0.02))
            os.kill(children_of(web)[0], signal.SIGKILL)
        play_some(players, 2 * MANY_PLAYERS)
        sent, carried = statements(url)
    # What a kill meets is a batch: a call is seldom alone.
    assert carried / sent > 2
    assert sum(player.statuses[0] for player in players) > 0
    assert_all_kept(players, FUNDS)
    platform.assert_whole()
