"""Verifies the newest checkpoint against the ledger, and makes the next."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from wallet.checkpoints import make_checkpoint
from wallet.job_runs import alone, recorded

TASK = "make_checkpoint"


class Command(BaseCommand):
    help = (
        "Verifies the newest checkpoint against the ledger, and makes the next. Exit status 1, and no "
        "new one, on any difference. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accept",
            metavar="REASON",
            default="",
            help="Make one in spite of differences; the reason is signed with it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with alone(TASK) as is_ours:
            if not is_ours:
                raise CommandError("Another process makes a checkpoint at this moment.")
            try:
                with recorded(TASK) as run:
                    made = make_checkpoint(run, accept=options["accept"], progress=self.tell)
            except ImproperlyConfigured as problem:
                raise CommandError(str(problem)) from problem
        if made is None:
            raise CommandError(
                f"{run.note}. The alert in the admin names them; docs/checkpoints.md says what to do.",
                returncode=1,
            )
        self.stdout.write(f"{run.note}, in {made.file}.")
        if options["accept"]:
            self.stdout.write(f"Note: {made.note}" if made.note else "There was nothing to accept.")

    def tell(self, what: str, count: int) -> None:
        """Shows how far it is."""
        self.stderr.write(f"{what}: {count} wallets")
