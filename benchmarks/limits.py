"""Measures withdrawals of players with six limits beside those of players with none, in one database and in
turns: `make bench-limits`.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from benchmarks.aims import Aim
from benchmarks.command import in_turns, measuring, say, step
from benchmarks.databases import checkpoint, connect, database, require_durable
from benchmarks.load import Exchange
from benchmarks.measured import Measured, Work
from benchmarks.servers import VAR, seed_platform, shipped_server
from benchmarks.traffic import CURRENCY, PLAYERS, TOKENS, Login, withdrawals

# All that a withdrawal is held to; so high that none is reached.
LIMITS = (
    ("spend", "day", 10**15),
    ("spend", "week", 10**15),
    ("loss", "month", 10**15),
    ("spend", "rolling", 10**15),
    ("single", "", 10**15),
    ("time", "day", 24 * 60),
)
HALF = PLAYERS // 2
SET = """
    SELECT count(ledger_change_limit(
        p_player => session.player_id, p_currency => %s, p_game => NULL, p_kind => %s, p_period => %s,
        p_set_by => 'player', p_act => 'set', p_amount => %s, p_profile => '24h', p_actor => 'bench',
        p_reason => ''))
    FROM players_gamesession session JOIN players_player player ON player.id = session.player_id
    WHERE split_part(player.uid, '-', 2)::integer < %s
"""


def limited(login: Login) -> Iterator[Exchange]:
    return withdrawals(login, TOKENS[:HALF])


def unlimited(login: Login) -> Iterator[Exchange]:
    return withdrawals(login, TOKENS[HALF:])


NONE_16, SIX_16 = Work("no limits, 16", unlimited), Work("six limits, 16", limited)
NONE_64 = Work("no limits, 64", unlimited, connections=64)
SIX_64 = Work("six limits, 64", limited, connections=64)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: 5)")
    parser.add_argument("--seconds", type=int, default=8, help="how long a round lasts (default: 8)")
    options = parser.parse_args()
    return measuring(lambda: bench(options.rounds, options.seconds), VAR / "bench-limits.json")


def bench(rounds: int, seconds: int) -> dict[str, Any]:
    """Sets the limits of half of the players, then measures in turns; returns the figures."""
    measured = Measured()
    with ExitStack() as stack:
        with step(f"Making a database for {PLAYERS} players, half of them with six limits"):
            name = stack.enter_context(database("bench_limits"))
            server = require_durable(name)
            seeded = seed_platform(name)
            limit_half(name)
            checkpoint()
        measured.watch(name)
        where = stack.enter_context(shipped_server("limits", name))
        login = Login(seeded["username"], seeded["password"])
        works = (NONE_16, SIX_16, NONE_64, SIX_64)
        in_turns([partial(measured.run, work, where, login, seconds) for work in works], rounds)
    measured.show()
    figures = {
        "six_to_none_16": measured.rate(SIX_16.name) / measured.rate(NONE_16.name),
        "six_to_none_64": measured.rate(SIX_64.name) / measured.rate(NONE_64.name),
        "p99_six_to_none_16": measured.median(SIX_16.name).p99_ms / measured.median(NONE_16.name).p99_ms,
        "p99_six_to_none_64": measured.median(SIX_64.name).p99_ms / measured.median(NONE_64.name).p99_ms,
    }
    for aim in aims(figures):
        say(str(aim))
    told = {"errors": measured.errors, "cores": os.cpu_count(), "server": server}
    return {"work": measured.figures()} | figures | told


def limit_half(name: str) -> None:
    with connect(name) as connection:
        connection.execute("SET statement_timeout = 0")
        for kind, period, amount in LIMITS:
            connection.execute(SET, [CURRENCY, kind, period, amount, HALF])


def aims(figures: dict[str, Any]) -> list[Aim]:
    return [
        Aim("withdrawals with six limits to none, 16", figures["six_to_none_16"], 0.9),
        Aim("withdrawals with six limits to none, 64", figures["six_to_none_64"], 0.9),
        Aim("p99 with six limits to none, 16", figures["p99_six_to_none_16"], 1.2, at_most=True),
        Aim("p99 with six limits to none, 64", figures["p99_six_to_none_64"], 1.2, at_most=True),
    ]


if __name__ == "__main__":
    sys.exit(main())
