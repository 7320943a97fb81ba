"""Settles what is due, or says what would happen to each."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lib.clock import now, timestamp
from wallet.job_runs import recorded
from wallet.models import Transaction
from wallet.outages import present_pause
from wallet.settlement.due import due_at, forecast
from wallet.settlement.sweep import settle_due


class Command(BaseCommand):
    help = (
        "Settles due transactions as the worker does (contract 2.4). With --dry-run it changes "
        "nothing, and says what would happen to each and why."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Change nothing, ask no game; only tell.")
        parser.add_argument(
            "--all", action="store_true", help="With --dry-run: also what is pending and not due yet."
        )
        parser.add_argument(
            "--limit", type=int, default=1000, help="With --dry-run: how many lines at most (default 1000)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] < 1:
            raise CommandError("--limit must be at least 1.")
        if options["dry_run"]:
            self.tell(show_all=options["all"], limit=options["limit"])
        else:
            self.settle()

    def settle(self) -> None:
        """Runs sweeps until one has nothing left to do."""
        is_finished = False
        while not is_finished:
            with recorded("settle_due") as run:
                is_finished = settle_due(run)
            self.stdout.write(
                f"{run.looked_at} looked at, {run.done} settled, {run.failed} failed. {run.note}".rstrip()
            )

    def tell(self, *, show_all: bool, limit: int) -> None:
        """A line for each transaction: since when it is due, what it is, and what happens to it."""
        at = now()
        pause = present_pause(at)
        if pause:
            self.stdout.write(
                f"Nothing is due {f'until {timestamp(pause.until)}' if pause.until else 'at present'}: "
                f"{pause.reason}."
            )
        rows = (
            Transaction.objects.filter(state=Transaction.State.PENDING, settled_at=None).order_by(
                "due_at", "pk"
            )
            if show_all
            else due_at(at)
        )
        count = 0
        for row in rows.select_related("game", "wallet")[:limit].iterator(chunk_size=500):
            count += 1
            due = timestamp(row.due_at) if row.due_at else "never"
            game = row.game.slug if row.game else "no game"
            self.stdout.write(
                f"{due}  {row.pk}  {game}  {row.type} {row.mm_transaction_id}: {forecast(row, at)}"
            )
        more = max(rows.count() - count, 0) if count == limit else 0
        self.stdout.write(
            f"{count} {'pending' if show_all else 'due'}{f', and {more} more (--limit)' if more else ''}. "
            "Nothing was changed."
        )
