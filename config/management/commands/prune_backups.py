"""Removes backups, and the write-ahead log before them, that nobody needs; only with --yes."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.recovery.old_backups import Pruning, plan_pruning, prune
from config.recovery.programs import CannotRecover
from lib.clock import in_words


class Command(BaseCommand):
    help = (
        "Keeps the newest backups in a directory, verifies each of them first, and removes the older ones, "
        "with the log that only these needed. Without --yes it only says what it would do."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="Where the backups are, each in its directory.")
        parser.add_argument("--keep", type=int, required=True, help="How many whole backups stay.")
        parser.add_argument("--wal", type=Path, help="Where the log is, whose older segments go as well.")
        parser.add_argument("--yes", action="store_true", help="Do it.")

    def handle(self, *args: Any, **options: Any) -> None:
        wal: Path | None = options["wal"].absolute() if options["wal"] else None
        try:
            plan = plan_pruning(options["directory"].absolute(), options["keep"], wal)
            self.tell(plan)
            if not options["yes"]:
                self.stdout.write("Nothing was changed. Repeat it with --yes.")
                return
            for sentence in prune(plan, wal):
                self.stdout.write(sentence)
        except (CannotRecover, OSError) as problem:
            raise CommandError(str(problem), returncode=1) from None
        self.stdout.write("Done.")

    def tell(self, plan: Pruning) -> None:
        for backup in plan.kept:
            moment = in_words(backup.manifest.ended_at)
            self.stdout.write(f"{backup.directory} stays: whole, leads to any moment from {moment} on.")
        for backup, problem in plan.damaged:
            self.stdout.write(f"{backup.directory} stays, and is not counted: {problem}")
        for directory in (*plan.begun, *(backup.directory for backup in plan.removed)):
            self.stdout.write(f"{directory} is to go.")
        if plan.segments:
            before = plan.first_segment
            self.stdout.write(f"{len(plan.segments)} segments of the log are to go, those before {before}.")
