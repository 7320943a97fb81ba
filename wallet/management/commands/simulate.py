"""Plays games against a running platform, and tells whether every answer and every balance was right."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from players.models import Player
from simulation.parties import Unusable, read_parties
from simulation.progress import Progress
from simulation.report import report
from simulation.run import Plan, Simulation
from simulation.tally import Tally

# As a shell says it of a program that Ctrl-C ended.
INTERRUPTED = 130


def whole(most: int) -> Callable[[str], int]:
    """The reader of an option from 1 to `most`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise ArgumentTypeError(f"must be a whole number from 1 to {most:,}, not {text!r}")
        return int(text)

    return read


class Command(BaseCommand):
    help = "A game backend that plays against a running platform over HTTP, and compares every answer and every balance with its own book."

    def add_arguments(self, parser: ArgumentParser) -> None:
        demo = settings.BASE_DIR / "var" / "demo.json"
        parser.add_argument(
            "--players", type=whole(100_000), default=50, help="How many players are made (default: 50)."
        )
        parser.add_argument(
            "--transactions",
            type=whole(10_000_000),
            default=2000,
            help="How many transactions they play together (default: 2000).",
        )
        parser.add_argument(
            "--concurrency",
            type=whole(256),
            default=8,
            help="How many of them play at a time, each over its own connection (default: 8).",
        )
        parser.add_argument(
            "--url", help="Where the server is; without it, what the file of credentials says."
        )
        parser.add_argument(
            "--credentials",
            type=Path,
            default=demo,
            help="The file with the server's credentials (default: var/demo.json).",
        )
        parser.add_argument(
            "--seed",
            type=int,
            default=1,
            help="Another number plays other stories with other amounts (default: 1).",
        )
        parser.add_argument("--no-audit", action="store_true", help="Do not run audit_ledger at the end.")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan(options["players"], options["transactions"], options["concurrency"], options["seed"])
        tally, stream = Tally(), cast("TextIO", self.stdout)
        try:
            parties = read_parties(options["credentials"], options["url"])
            simulation = Simulation(
                parties,
                plan,
                progress=Progress(stream, tally, is_terminal=self.stdout.isatty()),
                tally=tally,
                say=self.tell,
            )
            simulation.check_server()
        except Unusable as problem:
            raise CommandError(str(problem)) from problem
        players = f"{plan.players:,} players (sim-{simulation.world.run}-0, …)"
        self.tell(
            f"Playing against {parties.url}: {plan.transactions:,} transactions of {players}, seed {plan.seed}."
        )
        simulation.run()
        self.tell("\n".join(["", *report(tally, seconds=simulation.seconds)]))
        is_sound = self.audit(simulation, wanted=not options["no_audit"])
        self.conclude(simulation, is_sound=is_sound)

    def audit(self, simulation: Simulation, *, wanted: bool) -> bool:
        """Runs audit_ledger where the database of the settings is the server's: only there are our players. Returns whether all is well."""
        if not wanted or simulation.crew.is_interrupted:
            self.tell(f"{'Audit':<16}{'left out':>12}")
            return True
        try:
            is_ours = Player.objects.filter(uid=simulation.parts[0].player.uid).exists()
        except DatabaseError as problem:
            self.tell(
                f"{'Audit':<16}{'not run':>12}   the database of the settings cannot be read: {str(problem).strip().splitlines()[0]}"
            )
            return True
        if not is_ours:
            self.tell(f"{'Audit':<16}{'not run':>12}   the database of the settings is not the server's")
            return True
        try:
            call_command("audit_ledger", stdout=self.stdout, stderr=self.stderr)
        except (CommandError, SystemExit) as problem:
            self.tell(f"{'Audit':<16}{'FAILED':>12}   {problem}")
            return False
        self.tell(f"{'Audit':<16}{'passed':>12}")
        return True

    def conclude(self, simulation: Simulation, *, is_sound: bool) -> None:
        """The last line, and the exit status: 1 on any difference."""
        tally = simulation.tally
        if tally.wrong or not is_sound:
            raise CommandError("The server and the book differ.", returncode=1)
        if simulation.crew.is_interrupted:
            self.tell(
                f"Stopped before the end; {tally.done:,} of {simulation.plan.transactions:,} transactions were played, and nothing differs."
            )
            sys.exit(INTERRUPTED)
        self.tell("Every answer and every balance is what the book says.")

    def tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
