"""Plays games against a running platform, and tells whether every answer and every balance was right."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from simulation.audit import audit
from simulation.parties import Unusable, read_parties
from simulation.progress import Progress
from simulation.report import report
from simulation.run import Plan, Simulation
from simulation.tally import Tally

DEMO = Path(__file__).resolve().parent.parent / "var" / "demo.json"
DIFFERENT = 1
# As a shell says it of a program that Ctrl-C ended.
INTERRUPTED = 130


def main(arguments: list[str], stream: TextIO, errors: TextIO) -> int:
    """One simulation, told on `stream`. Returns the exit status: 1 on any difference."""
    try:
        return play(read_arguments(arguments), stream)
    except Unusable as problem:
        errors.write(f"{problem}\n")
        return DIFFERENT


def read_arguments(arguments: list[str]) -> Namespace:
    """What the command line asks for."""
    parser = ArgumentParser(
        prog="python -m simulation",
        description="A game backend that plays against a running platform over HTTP, and compares every "
        "answer and every balance with its own book.",
    )
    option = parser.add_argument
    option("--players", type=whole(100_000), default=50, help="How many players are made (default: 50).")
    option(
        "--transactions",
        type=whole(10_000_000),
        default=2000,
        help="How many transactions they play together (default: 2000).",
    )
    option(
        "--concurrency",
        type=whole(256),
        default=8,
        help="How many of them play at a time, each over its own connection (default: 8).",
    )
    option("--url", help="Where the server is; without it, what the file of credentials says.")
    option(
        "--credentials",
        type=Path,
        default=DEMO,
        help="The file with the server's credentials (default: var/demo.json).",
    )
    option(
        "--seed",
        type=int,
        default=1,
        help="Another number plays other stories with other amounts (default: 1).",
    )
    option("--no-audit", action="store_true", help="Do not run audit_ledger at the end.")
    return parser.parse_args(arguments)


def whole(most: int) -> Callable[[str], int]:
    """The reader of an option from 1 to `most`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise ArgumentTypeError(f"must be a whole number from 1 to {most:,}, not {text!r}")
        return int(text)

    return read


def play(options: Namespace, stream: TextIO) -> int:
    """Plays, compares and audits as asked for. Returns the exit status. Raises `Unusable`."""

    def tell(text: str) -> None:
        stream.write(f"{text}\n")
        stream.flush()

    plan = Plan(options.players, options.transactions, options.concurrency, options.seed)
    parties, tally = read_parties(options.credentials, options.url), Tally()
    progress = Progress(stream, tally, is_terminal=stream.isatty())
    simulation = Simulation(parties, plan, progress=progress, tally=tally, say=tell)
    simulation.check_server()
    players = f"{plan.players:,} players (sim-{simulation.world.run}-0, …)"
    tell(f"Playing against {parties.url}: {plan.transactions:,} transactions of {players}, seed {plan.seed}.")
    simulation.run()
    tell("\n".join(["", *report(tally, seconds=simulation.seconds)]))
    if options.no_audit or simulation.crew.is_interrupted:
        tell(f"{'Audit':<16}{'left out':>12}")
        is_sound = True
    else:
        is_sound = audit(simulation.parts[0].player.uid, stream, tell)
    return conclude(simulation, tell, is_sound=is_sound)


def conclude(simulation: Simulation, tell: Callable[[str], None], *, is_sound: bool) -> int:
    """The last line, and the exit status."""
    tally, wanted = simulation.tally, simulation.plan.transactions
    if tally.wrong or not is_sound:
        tell("The server and the book differ.")
        return DIFFERENT
    if simulation.crew.is_interrupted:
        played = f"{tally.done:,} of {wanted:,} transactions"
        tell(f"Stopped before the end; {played} were played, and nothing differs.")
        return INTERRUPTED
    tell("Every answer and every balance is what the book says.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout, sys.stderr))
