"""Sums up the days of the journal that are over, by account."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from wallet.audit.daily_totals import close_days, reclose_day
from wallet.job_runs import recorded


class Command(BaseCommand):
    help = (
        "Sums up every day (UTC) that is over, for each account. Safe to repeat, and beside the nightly one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anew",
            type=date.fromisoformat,
            metavar="DAY",
            help="Sum up this day (YYYY-MM-DD) again, if an audit found it different.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["anew"]:
            self.reclose(options["anew"])
            return
        with recorded("daily_totals") as run:
            close_days(run)
        self.stdout.write(run.note)

    def reclose(self, day: date) -> None:
        try:
            reclose_day(day)
        except ValueError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{day} is closed anew.")
