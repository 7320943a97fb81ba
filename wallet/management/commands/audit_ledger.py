"""Replays the whole ledger and says whether it is whole."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from wallet.audit.ledger import Report, audit_ledger
from wallet.audit.whole import audit_whole
from wallet.currencies import decimals_of
from wallet.management.reading import PRIMARY, add_primary
from wallet.money import to_major

# How often a line of progress is written, in seconds, where the output is no terminal.
PAUSE = 5.0


class Command(BaseCommand):
    help = (
        "Replays every wallet from its entries and compares balances, states, stored answers, sums and "
        "chains. Exit status 1 on any difference."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--quiet", action="store_true", help="No progress, no table of accounts; only the verdict."
        )
        add_primary(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = self.told = time.monotonic()
        report, was_standby = self.audited(options)
        if not options["quiet"]:
            self.stdout.write("")
            self.show_accounts(report)
        if was_standby:
            self.stdout.write("A standby was read; with --primary the primary is.")
        for problem in report.problems:
            self.stderr.write(problem)
        seconds = time.monotonic() - self.began
        summary = f"{report.wallets} wallets, {report.entries} entries in {seconds:.1f} s"
        if report.problem_count:
            raise CommandError(
                f"{summary}: {report.problem_count} differences, the first: {report.problems[0]}",
                returncode=1,
            )
        self.stdout.write(f"{summary}: no difference")

    def audited(self, options: dict[str, Any]) -> tuple[Report, bool]:
        """What was found, and whether at a standby."""

        def progress(report: Report) -> None:
            if not options["quiet"]:
                self.tell(report)

        return (audit_ledger(progress), False) if options[PRIMARY] else audit_whole(progress)

    def tell(self, report: Report) -> None:
        """Shows how far the audit is."""
        now = time.monotonic()
        terminal = self.stdout.isatty()
        if now - self.told >= (0.2 if terminal else PAUSE):
            self.told = now
            rate = report.entries / (now - self.began)
            self.stdout.write(
                f"{report.entries} entries, {rate:.0f} per second, {report.problem_count} differences",
                ending="\r" if terminal else "\n",
            )
            sys.stdout.flush()

    def show_accounts(self, report: Report) -> None:
        """What stands on each account, from the journal: what the platform owes is positive."""
        for (currency, account), minor in sorted(report.accounts.items()):
            self.stdout.write(f"{currency:5} {account:18} {to_major(minor, decimals_of(currency) or 0):>24}")
