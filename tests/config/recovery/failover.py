"""`make failover`: the primary dies under load, again and again, and its standby takes over each time.

Web server, worker and beat are started once, with both addresses in DATABASE_URL, and find the primary by
themselves. Prints how long nobody was answered, and how many of the calls that were answered are lost: none
may be if the standby is synchronous, and otherwise none that is older than the lag that the primary told, nor
any that the web server does not name afterwards.
"""

import math
import random
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from dataclasses import dataclass

import psycopg
from django.db import connection

from lib.followers import nearest_follower
from tests import conftest  # noqa: F401 (first: the settings of tests)
from tests.faults.platform_processes import Platform, eventually, running_platform
from tests.faults.traffic import OPENINGS, Player, Told, played, playing_on, type_of
from tests.support.recovery import copying
from tests.support.server_pair import ServerPair, running_pair

PLAYERS, FUNDS = 4, 1_000_000_00
# The platform's processes may start beside the tests of others.
START_SECONDS = 240.0
# What a rollback leaves of an opening that is not there has no amount.
FOUND = """
    SELECT type, mm_transaction_id, settled_at IS NOT NULL, amount IS NOT NULL
    FROM wallet_transaction
"""
NOT_FOUND = 106
SYNCHRONOUS = "synchronous"
# How late all reaches the standby, in seconds.
MODES = {SYNCHRONOUS: 0.0, "asynchronous": 0.0, "asynchronous-0.2s": 0.2, "asynchronous-1s": 1.0}
# Between a look at the lag and the death, on a machine with others on it.
MARGIN_SECONDS = 0.5
# As `config.heartbeat` looks for them.
NAMED_SECONDS = 60.0
NAMED = "the database that took over does not know an answer: "


@dataclass(frozen=True)
class Outcome:
    """One failover: how many calls had been answered since the one before, and how many of them are lost,
    `lag` seconds being what the primary told before.

    `lost_seconds` is from the first answer that is lost to the death of the primary, `promoted` from there
    until its standby took writes, and `silent` until every game had been answered again.
    """

    answered: int
    lag: float
    lost: list[Told]
    lost_seconds: float
    promoted: float
    silent: float

    def __str__(self) -> str:
        counts = f"{self.answered:8} {self.lag:7.3f} {len(self.lost):6}"
        return f"   {counts} {self.lost_seconds:8.3f} {self.promoted:12.3f} {self.silent:10.3f}"


class LosingPlayer(Player):
    """A game whose platform may have forgotten what it was told."""

    def insist(self, endpoint: str, mm: str, amount: str | None) -> None:
        try:
            super().insist(endpoint, mm, amount)
        except AssertionError:
            if endpoint in OPENINGS or self.call(endpoint, mm, amount).error != NOT_FOUND:
                raise


def fail_over(
    pair: ServerPair,
    players: list[Player],
    read: Counter[Player],
    dice: random.Random,
) -> Outcome:
    """After some time of play. `read` counts the answers of each game that were looked for before. Raises if
    any game is never answered again.
    """
    time.sleep(dice.uniform(0.5, 2.0) + (2 * pair.line.seconds if pair.line else 0))
    # The one that was there before the last failover is no more.
    connection.close()
    lag = nearest_follower()
    assert lag is not None
    assert lag.number == 1
    died = time.time()
    pair.fail_over()
    promoted = time.time()
    eventually(
        lambda: all(last(player) > promoted for player in players),
        "each game is answered again",
        instead=lambda: problems(players),
    )
    again = max(min(told.at for told in player.book if told.at > promoted) for player in players)
    found = answers(players, read)
    with pair.owner(pair.primary) as owner:
        lost = missing(owner, found)
    first = min((told.at for told in lost), default=died)
    return Outcome(
        len(found), lag.lag.total_seconds(), lost, max(died - first, 0.0), promoted - died, again - died
    )


def unnamed(said: str, lost: list[Told]) -> list[Told]:
    """What is lost and not named by the web server's log."""
    return [one for one in lost if f"{NAMED}{one.endpoint} {one.mm} of game " not in said]


def problems(players: list[Player]) -> list[object]:
    """Why games play no more, and what they were answered."""
    return [(player.problem, dict(player.statuses)) for player in players]


def last(player: Player) -> float:
    return player.book[-1].at if player.book else 0.0


def answers(players: list[Player], read: Counter[Player]) -> list[Told]:
    """What the games were told since."""
    found = []
    for player in players:
        news = player.book[read[player] :]
        read[player] += len(news)
        found += news
    return found


def missing(owner: "psycopg.Connection[tuple[object, ...]]", told: list[Told]) -> list[Told]:
    """The answers that the database knows nothing of."""
    known = {(type, mm): (settled, opened) for type, mm, settled, opened in owner.execute(FOUND).fetchall()}

    def is_there(one: Told) -> bool:
        settled, opened = known.get((type_of(one.endpoint), one.mm), (False, False))
        return bool(opened if one.endpoint in OPENINGS else settled)

    return [one for one in told if not is_there(one)]


def drill(
    platform: Platform, mode: str, failovers: int, minutes: float, dice: random.Random
) -> list[Outcome]:
    """The failovers of one mode, each printed as it comes; fewer if so many minutes are over."""
    print(f"\nFailover, {mode}\n   answered   lag s   lost   lost s   promoted s   silent s", flush=True)
    outcomes: list[Outcome] = []
    is_synchronous = mode == SYNCHRONOUS
    kind = Player if is_synchronous else LosingPlayer
    with running_pair(platform, is_synchronous=is_synchronous, late_seconds=MODES[mode]) as pair:
        web, url = platform.serve()
        for name in ("worker", "beat"):
            platform.start(name)
        sessions = [platform.callers.player_session(FUNDS, url=url) for _ in range(PLAYERS)]
        with playing_on(sessions, dice.randrange(1000), kind=kind) as players:
            eventually(
                lambda: played(players) > PLAYERS,
                "the games play",
                START_SECONDS,
                instead=lambda: problems(players),
            )
            read: Counter[Player] = Counter()
            until = time.monotonic() + minutes * 60
            while len(outcomes) < failovers and time.monotonic() < until:
                if outcomes:
                    pair.follow()
                outcomes.append(one := fail_over(pair, players, read, dice))
                print(one, flush=True)
                assert not (is_synchronous and one.lost), one
                assert one.lost_seconds <= one.lag + MARGIN_SECONDS, one
        lost = [told for one in outcomes for told in one.lost]
        eventually(
            lambda: not unnamed(platform.said(web), lost), "the web server names what is lost", NAMED_SECONDS
        )
        platform.assert_whole()
        platform.end_all()
    return outcomes


def show(outcomes: list[Outcome]) -> None:
    for name, values in (
        ("lag that the primary told, in seconds", [one.lag for one in outcomes]),
        ("calls lost", [float(len(one.lost)) for one in outcomes]),
        ("seconds lost", [one.lost_seconds for one in outcomes]),
        ("seconds until the standby took writes", [one.promoted for one in outcomes]),
        ("seconds until every game was answered again", [one.silent for one in outcomes]),
    ):
        print(
            f"   {name}: min {min(values):.3f}, median {statistics.median(values):.3f}, max {max(values):.3f}"
        )
    answered, lost = sum(one.answered for one in outcomes), sum(len(one.lost) for one in outcomes)
    print(
        f"   {lost} of {answered} answered calls are lost in {len(outcomes)} failovers; audit green",
        flush=True,
    )


def run(options: Namespace) -> None:
    dice = random.Random(options.seed)
    for mode in options.modes:
        with running_platform(durable=True) as platform, copying(platform.owner_url):
            with platform.owner() as owner:
                owner.execute("GRANT pg_read_all_stats TO wallet_app")
            show(drill(platform, mode, options.failovers, options.minutes, dice))


def arguments() -> Namespace:
    parser = ArgumentParser(prog="make failover", description=__doc__)
    parser.add_argument("--failovers", type=int, default=50, help="in each mode (default: 50)")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of each mode at most")
    parser.add_argument("--modes", nargs="+", choices=list(MODES), default=list(MODES))
    parser.add_argument("--seed", type=int, default=7, help="of the moments (default: 7)")
    return parser.parse_args()


if __name__ == "__main__":
    run(arguments())
