"""Replays the whole ledger and says whether it is whole."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from wallet.audit.passes import begin, end, progress, result
from wallet.audit.report import Report
from wallet.audit.whole import audit_primary, audit_whole
from wallet.audit.workers import work
from wallet.currencies import decimals_of
from wallet.job_runs import alone
from wallet.management.standby_option import PRIMARY, add_primary
from wallet.models import AuditPass
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
        parser.add_argument(
            "--workers",
            type=int,
            metavar="N",
            help="Shared by so many processes, in parts; after a kill the same command goes on from there. "
            "Without it, all is read in one snapshot, and nothing is written.",
        )
        parser.add_argument(
            "--new",
            action="store_true",
            help="Read what is new since the last audit in parts; lines that were found right are not read "
            "again. The first one reads all.",
        )

        add_primary(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = self.told = time.monotonic()
        self.is_quiet = options["quiet"]
        workers = options["workers"] or 1
        if options["workers"] is not None and options["workers"] < 1:
            raise CommandError("--workers must be at least 1.")
        was_standby = False
        if options["workers"] is not None or options["new"]:
            if settings.DATABASE_DISTRIBUTED:
                raise CommandError("On several machines the audit is not done in parts.")
            report = self.audit_in_parts(workers, full=not options["new"])
        elif options[PRIMARY]:
            report = audit_primary(self.tell)
        else:
            report, was_standby = audit_whole(self.tell)
        self.conclude(report, was_standby)

    def audit_in_parts(self, workers: int, *, full: bool) -> Report:
        """Does what is left of the audit that was interrupted, or a new one."""
        with alone("audit_all") as is_ours:
            if not is_ours:
                raise CommandError("An audit of the whole ledger is under way in another process.")
            audit = begin(full=full)
            if not self.is_quiet:
                self.stdout.write(f"{self.what(audit)}: {self.parts(audit)}")
            work(audit, workers, tick=lambda: self.tell_parts(audit))
            report = result(audit)
            end(audit)
        return report

    def what(self, audit: AuditPass) -> str:
        return (
            f"{'every line' if audit.is_full else 'what is new'}, begun {audit.began_at:%Y-%m-%d %H:%M} UTC"
        )

    def parts(self, audit: AuditPass) -> str:
        done, total = progress(audit)
        return f"{done} of {total} parts are done"

    def conclude(self, report: Report, was_standby: bool) -> None:
        if not self.is_quiet:
            self.stdout.write("")
            self.show_accounts(report)
        if was_standby:
            self.stdout.write("A standby was read; with --primary the primary is.")
        for problem in report.problems:
            self.stderr.write(problem)
        seconds = time.monotonic() - self.began
        read = f" ({report.entries_read} read)" if 0 < report.entries_read < report.entries else ""
        summary = f"{report.wallets} wallets, {report.entries} entries{read} in {seconds:.1f} s"
        if report.problem_count:
            raise CommandError(
                f"{summary}: {report.problem_count} differences, the first: {report.problems[0]}",
                returncode=1,
            )
        self.stdout.write(f"{summary}: no difference")

    def is_time_to_tell(self) -> bool:
        now = time.monotonic()
        if self.is_quiet or now - self.told < (0.2 if self.stdout.isatty() else PAUSE):
            return False
        self.told = now
        return True

    def tell_parts(self, audit: AuditPass) -> None:
        """Shows how many parts are done."""
        if self.is_time_to_tell():
            self.write_over(self.parts(audit))

    def tell(self, report: Report) -> None:
        """Shows how far the audit is."""
        if self.is_time_to_tell():
            rate = report.entries / (self.told - self.began)
            self.write_over(
                f"{report.entries} entries, {rate:.0f} per second, {report.problem_count} differences"
            )

    def write_over(self, words: str) -> None:
        """On a terminal, the next one takes its place."""
        self.stdout.write(words, ending="\r" if self.stdout.isatty() else "\n")
        sys.stdout.flush()

    def show_accounts(self, report: Report) -> None:
        """What stands on each account, from the journal: what the platform owes is positive."""
        for (currency, account), minor in sorted(report.accounts.items()):
            self.stdout.write(f"{currency:5} {account:18} {to_major(minor, decimals_of(currency) or 0):>24}")
