"""Exports operators' acts, so that others can verify checkpoints' heads of the audit trail."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from players.audit_trail.chain import link_events
from players.audit_trail.record import Origin, record_act
from wallet.checkpoints.audit_trail_export import export_audit_trail
from wallet.management.commands.export_journal import written
from wallet.management.standby_option import add_primary, reading


class Command(BaseCommand):
    help = (
        "Writes operators' acts with their hash chain as JSON lines, for verify_checkpoint --audit-trail. "
        "It holds names of operators, addresses, and what they changed. That it was exported is recorded."
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
        origin, note = Origin.machine("export_audit_trail"), "All acts, with their hash chain."
        record_act(origin, action="export_audit_trail", subject=None, note=note)
        link_events()
        with written(options["output"]) as target, reading(options):
            acts = export_audit_trail(target.write)
        self.stderr.write(f"Exported {acts} acts.")
