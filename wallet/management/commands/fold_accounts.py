"""Sums up the days of the journal that are over, by account."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from wallet.audit.daily_totals import fold_accounts, refold_day
from wallet.job_runs import recorded


class Command(BaseCommand):
    help = "Folds every day (UTC) that is over into a sum for each account. Safe to repeat, and beside the nightly one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anew",
            type=date.fromisoformat,
            metavar="DAY",
            help="Fold this day (YYYY-MM-DD) again, where an audit found it different.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["anew"]:
            self.refold(options["anew"])
            return
        with recorded("fold_accounts") as run:
            fold_accounts(run)
        self.stdout.write(run.note)

    def refold(self, day: date) -> None:
        try:
            refold_day(day)
        except ValueError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{day} is folded anew.")
