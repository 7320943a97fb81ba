"""Verifies a checkpoint's file against the database, or without any database against an exported journal."""

from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from wallet.audit.rows import snapshot
from wallet.checkpoints import database
from wallet.checkpoints.keys import trusted_keys
from wallet.checkpoints.stored import fetched
from wallet.proof import exported
from wallet.proof.header import Unusable, decoded_key
from wallet.proof.verification import Verdict, conclusion, verify_file


class Command(BaseCommand):
    help = (
        "Says whether the ledger still is as a checkpoint states. Exit status 1 on any difference, "
        "naming the first wallets."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", help="The checkpoint: a file, or the name of one in the checkpoints' storage."
        )
        parser.add_argument(
            "--public-key",
            metavar="B64",
            default="",
            help="The key that must have signed it; otherwise those of CHECKPOINT_KEY count.",
        )
        parser.add_argument(
            "--previous", metavar="FILE", help="The checkpoint before, which this one must follow."
        )
        parser.add_argument(
            "--export",
            type=Path,
            metavar="JOURNAL",
            help="A file by export_journal: compare with it, and use no database.",
        )

        parser.add_argument(
            "--audit-trail",
            type=Path,
            metavar="ACTS",
            help="A file by export_audit_trail: with --export, compare operators' acts with it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("file", "public_key", "previous", "export", "audit_trail")
        try:
            verdict = self.verify(**{name: options[name] for name in names})
        except (OSError, Unusable) as problem:
            raise CommandError(str(problem), returncode=1) from problem
        for line in [
            *(f"Warning: {warning}." for warning in verdict.findings.warnings),
            *verdict.findings.first,
        ]:
            self.stderr.write(line)
        text = conclusion(verdict, recomputed=options["export"] is not None)
        if verdict.findings.count:
            raise CommandError(text, returncode=1)
        self.stdout.write(text)

    def verify(
        self,
        *,
        file: str,
        public_key: str,
        previous: str | None,
        export: Path | None,
        audit_trail: Path | None,
    ) -> Verdict:
        trusted = [decoded_key(public_key)] if public_key else trusted_keys()
        with ExitStack() as stack:
            source = stack.enter_context(opened(file))
            before = stack.enter_context(opened(previous)) if previous else None
            journal = stack.enter_context(export.open("rb")) if export else None
            acts = stack.enter_context(audit_trail.open("rb")) if audit_trail else None
            compare = (
                exported.comparing(journal, acts)
                if journal
                else database.comparing(stack.enter_context(snapshot()))
            )
            verdict = verify_file(source, compare, trusted=trusted, previous=before, progress=self.tell)
        if trusted and not public_key:
            verdict.findings.warnings.append(
                "no --public-key was given: the key is that of this machine's CHECKPOINT_KEY"
            )
        return verdict

    def tell(self, count: int) -> None:
        """Shows how far it is."""
        self.stderr.write(f"{count} wallets")


def opened(name: str) -> IO[bytes]:
    """A file, or the file of that name in the checkpoints' storage. Raises `Unusable`."""
    path = Path(name)
    return path.open("rb") if path.exists() else fetched(name)
