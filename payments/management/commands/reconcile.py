"""Compares a file with the ledger, here and now."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from lib.backoffice.conditions import read_moment
from payments.models import Difference, ReconciliationFile, ReconciliationSource
from payments.reconciliation.files import PART_SIZE, NotTaken, add_part, begin_file, end_file
from payments.reconciliation.run import reconcile_due
from wallet.job_runs import alone, recorded

State = ReconciliationFile.State


class Command(BaseCommand):
    help = (
        "Compares a file of a game or a provider with the ledger, and says how many differences there are of "
        "each kind. Exits with 1 if it could not be compared, and with 0 whether or not anything differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV or JSON lines, also as gzip.")
        parser.add_argument("--source", required=True, help="The name of its source, as the admin has it.")
        parser.add_argument("--from", dest="since", help="The time that the file covers, ISO 8601 (UTC).")
        parser.add_argument("--until", help="The end of that time, which does not belong to it.")
        parser.add_argument(
            "--later", action="store_true", help="Leave the comparison to the workers, and only hand it over."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = ReconciliationSource.objects.filter(name=options["source"]).first()
        if source is None:
            known = ", ".join(ReconciliationSource.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"There is no source {options['source']}. Known: {known or 'none'}.")
        try:
            file = taken(source, options)
        except OSError as problem:
            raise CommandError(f"{options['file']} cannot be read: {problem.strerror}.") from problem
        except NotTaken as problem:
            raise CommandError(str(problem)) from problem
        if not options["later"]:
            self.compare(file)
        self.tell(file)

    def compare(self, file: ReconciliationFile) -> None:
        """Runs until it is done, unless a worker does it already."""
        while file.state in ReconciliationFile.WORKED_ON:
            with alone("reconcile") as is_ours:
                if not is_ours:
                    self.stdout.write("A worker compares files at this moment, and goes on with this one.")
                    return
                with recorded("reconcile") as run:
                    reconcile_due(run)
            file.refresh_from_db()
            if run.failed:
                raise CommandError("The comparison was interrupted; the log says why. A worker tries again.")

    def tell(self, file: ReconciliationFile) -> None:
        file.refresh_from_db()
        if file.state == State.FAILED:
            raise CommandError(file.problem)
        self.stdout.write(f"{file.name}: {file.get_state_display()}.")
        if file.state != State.DONE:
            return
        self.stdout.write(
            f"{file.rows} rows, {file.matched} known here, {file.matched_by_amount} of these by amount and "
            f"time; "
            f"{file.found} differences, {file.decided_before} of them decided before."
        )
        kinds = Difference.objects.filter(file=file).values_list("kind").annotate(number=Count("pk"))
        for kind, number in kinds.order_by("kind"):
            self.stdout.write(f"  {kind:<14}{number:>9}")


def taken(source: ReconciliationSource, options: dict[str, Any]) -> ReconciliationFile:
    """The file, part by part, as a browser would send it. Raises `NotTaken` and `OSError`."""
    place: Path = options["file"]
    times = [moment_of(options[name]) for name in ("since", "until")]
    file = begin_file(
        source,
        name=place.name,
        size=place.stat().st_size,
        actor="command",
        covers_from=times[0],
        covers_until=times[1],
    )
    with place.open("rb") as content:
        for number, part in enumerate(iter(lambda: content.read(PART_SIZE), b""), 1):
            add_part(file, number, part)
    return end_file(file)


def moment_of(text: str | None) -> Any:
    moment = read_moment(text) if text else None
    if text and moment is None:
        raise CommandError(f"{text} is no time, such as 2026-11-30T00:00Z.")
    return moment
