"""Restores a backup to a moment; without --yes it only says what it would do."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.recovery.programs import CannotRecover
from config.recovery.restore import NotVerified, Plan, Restored, carry_out, plan_restore
from lib.clock import in_words


def moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError("a moment is, for example, 2027-01-31T14:05:00Z: with its time zone")
    return found


class Command(BaseCommand):
    help = (
        "Restores a backup into a data directory, to a moment, closed to everybody; verifies the ledger, and "
        "opens what is right. Without --yes it only says what it would do."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path, help="A directory that `backup` has made.")
        parser.add_argument("--to", type=Path, required=True, help="The data directory to be filled.")
        parser.add_argument("--wal", type=Path, help="The write-ahead log: of `receive_wal`, or an archive.")
        parser.add_argument("--until", type=moment, help="The moment; otherwise the end of the log.")
        parser.add_argument(
            "--replace", action="store_true", help="Move aside the data of this server that are there."
        )
        parser.add_argument("--yes", action="store_true", help="Do it.")

    def handle(self, *args: Any, **options: Any) -> None:
        log: Path | None = options["wal"]
        try:
            plan = plan_restore(
                options["backup"].absolute(),
                destination=options["to"].absolute(),
                log=log.absolute() if log else None,
                until=options["until"],
                replace=options["replace"],
            )
            self.preview(plan)
            if plan.problems:
                raise CommandError(f"It cannot be restored so: {' '.join(plan.problems)}", returncode=1)
            if not options["yes"]:
                self.stdout.write("Nothing was changed. Repeat it with --yes to restore.")
                return
            self.tell(plan, carry_out(plan, self.stderr.write))
        except CannotRecover as problem:
            raise CommandError(str(problem), returncode=1) from None
        except NotVerified as problem:
            for line in problem.verification.said:
                self.stdout.write(line)
            raise CommandError(self.closed(options["to"], problem), returncode=1) from None

    def preview(self, plan: Plan) -> None:
        """What would be done."""
        manifest = plan.manifest
        newest = in_words(plan.newest.at) if plan.newest else "its own end: there is no log after it"
        self.stdout.write(
            f"Backup: {plan.backup}, of {in_words(manifest.ended_at)}, is whole. PostgreSQL "
            f"{manifest.postgresql_version}, platform {manifest.platform_version}, {manifest.heads.wallets} "
            f"wallets with {manifest.heads.entries} entries."
        )
        self.stdout.write(f"It leads to any moment from {in_words(manifest.ended_at)} to {newest}.")
        self.stdout.write(f"Moment: {in_words(plan.moment)}.")
        overwritten = f"what is there moves to {plan.moved_to}" if plan.moved_to else "nothing is overwritten"
        self.stdout.write(f"Data directory: {plan.destination}; {overwritten}.")
        for note in plan.notes:
            self.stdout.write(note)

    def tell(self, plan: Plan, restored: Restored) -> None:
        for line in restored.verification.said:
            self.stdout.write(line)
        last = in_words(restored.last_commit) if restored.last_commit else "none after the backup"
        took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in restored.seconds.items())
        self.stdout.write(f"Restored to {in_words(plan.moment)}; the last commit is {last}. It took: {took}.")
        self.stdout.write(
            f"It is verified. Start PostgreSQL on {plan.destination}, and make a backup at once."
        )

    def closed(self, destination: Path, problem: NotVerified) -> str:
        return (
            f"{problem} {destination} stays closed: a server on it only reads, which the platform refuses. "
            "Take another backup or moment, or find out with it what is wrong."
        )
