"""Divides the database over several machines; without --yes it only says what it would do."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.distribution.plan import carry_out, plan_distribution


class Command(BaseCommand):
    help = (
        "Divides the tables of money over the machines of a Citus cluster, by player (docs/scaling.md). "
        "Without --yes it only says what it would do. Run it as the database's owner, while nothing else "
        "uses the database, and again after each migrate."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="Do it.")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = plan_distribution()
        if plan.problems:
            raise CommandError(" ".join(plan.problems), returncode=1)
        self.stdout.write(f"Machines: {', '.join(plan.machines)}.")
        if not options["yes"]:
            for step in plan.steps:
                self.stdout.write(step.words)
            self.stdout.write("Nothing was changed. Repeat it with --yes.")
            return
        for step in carry_out(plan):
            self.stdout.write(step.words)
        self.stdout.write("Done.")
