"""Makes the call log's days and the journal's months ahead, and drops the log's old days."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from wallet.call_log import drop_old_days, prepare_days
from wallet.journal_parts import prepare_months


class Command(BaseCommand):
    help = (
        "Makes the partitions of the next days of the call log and of the next months of the journal, and "
        "drops days of the log that are older than CALL_LOG_DAYS. Run it daily; safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ahead", type=int, default=14, help="How many days ahead.")

    def handle(self, *args: Any, **options: Any) -> None:
        made = prepare_days(options["ahead"])
        prepare_months()
        dropped = drop_old_days(timedelta(days=settings.CALL_LOG_DAYS))
        self.stdout.write(f"Call log: {made} days made, {dropped} dropped.")
