"""Exports the journal, so that others can verify checkpoints without the database."""

import gzip
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand

from wallet.checkpoints.export import export_journal
from wallet.management.standby_option import add_primary, reading


class Command(BaseCommand):
    help = (
        "Writes every wallet and its entries as JSON lines, as far as their hashes cover them: for "
        "verify_checkpoint --export. One moment of the ledger."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE",
            help="Where to; compressed where the name ends in .gz. Default: standard output.",
        )
        add_primary(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with written(options["output"]) as target, reading(options):
            wallets, entries = export_journal(target.write, self.tell)
        self.stderr.write(f"Exported {wallets} wallets with {entries} entries.")

    def tell(self, wallets: int, entries: int) -> None:
        """Shows how far it is."""
        self.stderr.write(f"{wallets} wallets, {entries} entries")


@contextmanager
def written(path: Path | None) -> Iterator[IO[bytes]]:
    """Where the export goes: a file is there only when it is whole, and only its owner can read it."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = path.with_name(f"{path.name}.part")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as compressed:
                    yield cast("IO[bytes]", compressed)
            else:
                yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
