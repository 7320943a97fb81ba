"""Copies the whole database server into a directory, or verifies such a copy."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.recovery.base_backup import make_backup, verify_backup
from config.recovery.manifest import Manifest
from config.recovery.programs import CannotRecover
from lib.clock import in_words


class Command(BaseCommand):
    help = (
        "Makes a base backup with pg_basebackup, verified, with a manifest of versions, key ids and chain "
        "heads. It never overwrites anything."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="Where the backup is, or will be: a new directory.")
        parser.add_argument("--verify", action="store_true", help="Only verify the backup that is there.")

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"].absolute()
        try:
            if options["verify"]:
                self.tell(f"{directory} is whole", verify_backup(directory))
            else:
                self.tell(f"{directory} is made and verified", make_backup(directory))
        except CannotRecover as problem:
            raise CommandError(str(problem), returncode=1) from None

    def tell(self, what: str, manifest: Manifest) -> None:
        heads, checkpoint = manifest.heads, manifest.checkpoint
        newest = f"checkpoint {checkpoint.number}" if checkpoint else "no checkpoint"
        self.stdout.write(
            f"{what}: PostgreSQL {manifest.postgresql_version}, platform {manifest.platform_version}, "
            f"{heads.wallets} wallets with {heads.entries} entries, {newest}. "
            f"Restores to any moment from {in_words(manifest.ended_at)} on, with the write-ahead log since."
        )
        keys = ", ".join(manifest.encryption_keys) or "none"
        self.stdout.write(f"Encryption keys that it needs: {keys}. Keep them apart from it.")
