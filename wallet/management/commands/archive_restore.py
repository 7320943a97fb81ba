"""Brings archived months back into the journal, the last one first."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from wallet.archive.operations import Refused, restore
from wallet.archive.parts import is_owner, of_row
from wallet.models import ArchivedPart
from wallet.proof.header import Unusable


class Command(BaseCommand):
    help = (
        "Brings the last archived month back into the journal, from its table or else from its files, which "
        "stay. With --until, all down to that one. Says what it would do; does it with --yes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--until", metavar="PART", help="The oldest one that comes back: YYYY-MM, or first."
        )
        parser.add_argument("--yes", action="store_true", help="Do it.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_owner():
            raise CommandError(
                "Only the owner of the tables may: DATABASE_URL=$DATABASE_OWNER_URL manage.py archive_restore"
            )
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        for row in self.chosen(options["until"]):
            label = of_row(row).label
            if not options["yes"]:
                self.stdout.write(f"{label}: {row.entries} entries would come back; --yes does it.")
                continue
            try:
                restore(row, self.stderr.write)
            except (Refused, Unusable) as problem:
                raise CommandError(str(problem), returncode=1) from problem
            self.stdout.write(f"{label}: {row.entries} entries are in the journal again.")

    def chosen(self, until: str | None) -> list[ArchivedPart]:
        rows = list(ArchivedPart.objects.order_by("-ended_at"))
        labels = [of_row(row).label for row in rows]
        if until is None:
            return rows[:1]
        if until not in labels:
            raise CommandError(f"{until} is not archived; archived are: {', '.join(labels) or 'none'}.")
        return rows[: labels.index(until) + 1]
