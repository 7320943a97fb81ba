"""Sums up the figures of the admin's first page, of every day that is closed and of today so far."""

from typing import Any

from django.core.management.base import BaseCommand

from lib.clock import now
from wallet.figures import fold_figures, unfinished_days
from wallet.job_runs import recorded


class Command(BaseCommand):
    help = "Sums up what the admin's first page shows. Safe to repeat, and beside the one of every minute."

    def handle(self, *args: Any, **options: Any) -> None:
        with recorded("fold_figures") as run:
            fold_figures(run)
            while unfinished_days(now()):
                fold_figures(run)
        self.stdout.write(run.note)
