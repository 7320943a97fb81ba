"""Shows how fast due transactions are settled, in how much memory, and what the wallet API feels of it:
`make bench-settle`.
"""

import argparse
import os
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.aims import judge
from benchmarks.command import measuring, say, step
from benchmarks.databases import CannotMeasure, checkpoint, connect, database, require_durable
from benchmarks.load import Load, Result
from benchmarks.measured import CONNECTIONS
from benchmarks.servers import ENDINGS, VAR, Address, platform, seed_platform, shipped_server
from benchmarks.traffic import CURRENCY, PLAYERS, TOKEN_PREFIX, Login, withdrawals
from config.launcher.processes import Child, start, stop
from config.launcher.supervisor import ROOT

DUE = 100_000
MOST_SECONDS = 60.0
MOST_SLOWER = 2.0
# Withdrawals of 0.01 that are due as soon as they are opened; the game has no query URL, so they expire.
OPENING = """
    SELECT count(*) FILTER (WHERE (a).outcome = 'opened') FROM (
        SELECT ledger_open(
            p_type => 'withdrawal', p_game => %(game)s,
            p_token_hash => sha256(%(prefix)s || int4send(n %% %(players)s)),
            p_mm => %(round)s::text || '-' || n, p_amount => 1, p_currency => %(currency)s,
            p_description => '',
            p_pending => interval '0', p_actor => 'game bench', p_credential => %(credential)s,
            p_endpoint => 'withdraw',
            p_address => '127.0.0.1', p_elapsed_us => 0) AS a
        FROM generate_series(%(first)s::integer, %(last)s::integer) n
    ) opened
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--due", type=int, default=DUE, help=f"how many are due each time (default: {DUE})")
    parser.add_argument(
        "--seconds", type=float, default=10, help="how long a round of withdrawals lasts (default: 10)"
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="how many rounds of withdrawals, each without a sweep and beside one (default: 3)",
    )
    options = parser.parse_args()
    return measuring(lambda: settle(options), VAR / "bench-settle.json")


def settle(options: argparse.Namespace) -> dict[str, Any]:
    """Alone first, then beside withdrawals; returns the figures."""
    with ExitStack() as stack:
        with step("Making a database for 10 000 players"):
            name = stack.enter_context(database("bench_settle"))
            server = require_durable(name)
            seeded = seed_platform(name)
        open_due(name, seeded, "alone", options.due)
        seconds, memory = sweep_alone(name)
        say(
            f"  alone       {options.due} settled in {seconds:.1f} s, "
            f"{options.due / seconds:.0f} per second; memory {memory[0]:.0f} to {memory[-1]:.0f} MiB"
        )
        # More than the rounds beside it can use up, so that the sweep is at work all the time.
        open_due(name, seeded, "beside", 3 * options.due)
        with shipped_server("settle", name) as where:
            quiet, beside, beside_seconds, beside_settled = side_by_side(
                name, where, Login(seeded["username"], seeded["password"]), options
            )
    p99 = [statistics.median(result.latency_ms(0.99) for result in results) for results in (quiet, beside)]
    rates = [statistics.median(result.rate for result in results) for results in (quiet, beside)]
    figures = {
        "due": options.due,
        "settled_seconds": seconds,
        "settled_per_second": options.due / seconds,
        "memory_mib_first": memory[0],
        "memory_mib_last": memory[-1],
        "memory_mib_most": max(memory),
        "withdraw_p99_ms": p99[0],
        "withdraw_p99_ms_beside_sweep": p99[1],
        "beside_to_alone_p99": p99[1] / p99[0],
        "withdraw_rps": rates[0],
        "withdraw_rps_beside_sweep": rates[1],
        "settled_per_second_beside_withdrawals": beside_settled / beside_seconds,
        "errors": sum(result.errors for result in quiet + beside),
        "cores": os.cpu_count(),
        "server": server,
    }
    report(figures)
    return figures


def open_due(name: str, seeded: dict[str, str], label: str, count: int) -> None:
    """Opens `count` withdrawals that are due at once, through the ledger."""
    with step(f"Opening {count} withdrawals that are due"), connect(name, owner=True) as connection:
        for first in range(0, count, 10_000):
            last = min(first + 10_000, count) - 1
            values = {
                "game": seeded["game_id"],
                "credential": seeded["credential_id"],
                "prefix": TOKEN_PREFIX,
                "players": PLAYERS,
            }
            row = connection.execute(
                OPENING, {**values, "round": label, "currency": CURRENCY, "first": first, "last": last}
            ).fetchone()
            if row != (last - first + 1,):
                raise CannotMeasure(f"Only {row} of {last - first + 1} withdrawals were opened.")
        connection.execute("VACUUM (ANALYZE)")
    checkpoint()


def start_sweep(name: str) -> Child:
    return start(
        "sweep",
        [sys.executable, "manage.py", "settle_due"],
        environment=platform(name),
        endings=ENDINGS,
        directory=ROOT,
    )


def sweep_alone(name: str) -> tuple[float, list[float]]:
    """How long the sweep works until nothing is due, by its own record, and the process's memory in MiB,
    sampled from its second second on.
    """
    began = time.monotonic()
    sweep = start_sweep(name)
    memory: list[float] = []
    try:
        while not sweep.ended:
            time.sleep(0.5)
            if time.monotonic() - began > 2 and (resident := resident_mib(sweep.process.pid)):
                memory.append(resident)
    finally:
        stop(sweep)
    left = count_due(name)
    if sweep.process.returncode != 0 or left:
        raise CannotMeasure(f"The sweep ended with {sweep.process.returncode} and left {left}.")
    return recorded_seconds(name), memory or [0.0]


def recorded_seconds(name: str) -> float:
    """How long all sweeps so far have worked, without the start of their processes."""
    with connect(name) as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM sum(ended_at - began_at)) FROM wallet_jobrun WHERE task = 'settle_due'"
        ).fetchone()
    return float(row[0]) if row else 0.0


def resident_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def count_due(name: str) -> int:
    with connect(name) as connection:
        row = connection.execute(
            "SELECT count(*) FROM wallet_transaction WHERE state = 'pending' AND due_at <= wallet_now()"
        ).fetchone()
    return int(row[0]) if row else 0


def side_by_side(
    name: str, where: Address, login: Login, options: argparse.Namespace
) -> tuple[list[Result], list[Result], float, int]:
    """Rounds of withdrawals without a sweep and beside one, in turns;
    how long the sweep ran and what it settled.
    """
    quiet: list[Result] = []
    beside: list[Result] = []
    Load(where, CONNECTIONS, lambda: withdrawals(login)).run(2)
    swept_seconds, swept = 0.0, 0
    for _ in range(options.rounds):
        quiet.append(round_of("without", where, login, options.seconds))
        due, began = count_due(name), time.monotonic()
        sweep = start_sweep(name)
        try:
            beside.append(round_of("beside", where, login, options.seconds))
            if sweep.ended:
                raise CannotMeasure(
                    "The sweep was done before the withdrawals were: give --due a larger number."
                )
        finally:
            stop(sweep)
        swept_seconds += time.monotonic() - began
        swept += due - count_due(name)
    return quiet, beside, swept_seconds, swept


def round_of(label: str, where: Address, login: Login, seconds: float) -> Result:
    result = Load(where, CONNECTIONS, lambda: withdrawals(login)).run(seconds, warm_up=1.5)
    say(
        f"  {label:<11}{result.rate:9.0f} withdrawals/s   p50 {result.latency_ms(0.5):6.1f} ms   p99 "
        f"{result.latency_ms(0.99):6.1f} ms   {result.errors} errors"
    )
    return result


def report(figures: dict[str, Any]) -> None:
    say(
        f"\n{figures['due']} due settled in      {figures['settled_seconds']:8.1f} s     aim "
        f"{judge(figures['settled_seconds'], MOST_SECONDS, at_most=True)}"
    )
    say(
        f"memory, first to last      {figures['memory_mib_first']:8.0f} to "
        f"{figures['memory_mib_last']:.0f} MiB"
    )
    say(
        f"p99 beside it, of without  {figures['beside_to_alone_p99']:8.2f} times aim "
        f"{judge(figures['beside_to_alone_p99'], MOST_SLOWER, at_most=True)}"
    )


if __name__ == "__main__":
    sys.exit(main())
