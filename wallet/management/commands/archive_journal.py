"""Takes closed months of the journal out of the database, into files."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from wallet.archive.export import NoRoom
from wallet.archive.operations import Refused, archive, drop
from wallet.archive.parts import Part, asked, is_owner, of_row, parts_before
from wallet.archive.readiness import problems_of
from wallet.models import ArchivedPart
from wallet.proof.header import Unusable

SIZE = "SELECT pg_size_pretty(pg_total_relation_size(%s::regclass))"
NOT_THE_OWNER = "Only the owner of the tables may: DATABASE_URL=$DATABASE_OWNER_URL manage.py {}"


class Command(BaseCommand):
    help = (
        "Exports the months of the journal before one into ARCHIVE_DIRECTORY, reads the files back, and "
        "takes the months out of the database. Says what it would do; does it with --yes. After a kill, run "
        "it again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--before", type=month, metavar="YYYY-MM", required=True, help="The first month that stays."
        )
        parser.add_argument("--yes", action="store_true", help="Do it.")
        parser.add_argument(
            "--drop",
            action="store_true",
            help="Also drop the tables of what is archived, otherwise kept beside the journal. Only that "
            "makes room.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_owner():
            raise CommandError(NOT_THE_OWNER.format("archive_journal"))
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        parts = parts_before(options["before"])
        try:
            if options["yes"]:
                self.do(parts, drops=options["drop"])
            else:
                self.tell_plan(parts, drops=options["drop"])
        except (Refused, NoRoom, Unusable) as problem:
            raise CommandError(str(problem), returncode=1) from problem

    def do(self, parts: list[Part], *, drops: bool) -> None:
        for part in parts:
            row = archive(part, self.tell)
            self.stdout.write(f"{part.label}: archived, {row.entries} entries of {row.wallets} wallets.")
        if drops:
            for row in ArchivedPart.objects.filter(dropped_at=None):
                drop(row)
                self.stdout.write(f"{of_row(row).label}: its table is dropped.")
        if not parts:
            self.stdout.write("There is nothing to archive.")

    def tell_plan(self, parts: list[Part], *, drops: bool) -> None:
        """What would be done, and what speaks against it."""
        for part in parts:
            self.stdout.write(f"{part.label}: {asked(SIZE, part.name)} into {part.directory}")
            for problem in problems_of(part):
                self.stdout.write(f"  but: {problem}")
        kept = ArchivedPart.objects.filter(dropped_at=None)
        for row in kept if drops else ():
            self.stdout.write(f"{of_row(row).label}: {asked(SIZE, row.part)} would be dropped")
        is_any = parts or drops
        self.stdout.write("Nothing was done; --yes does it." if is_any else "There is nothing to archive.")

    def tell(self, words: str) -> None:
        self.stderr.write(words)


def month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 (a month, not a moment)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no month: YYYY-MM") from None
