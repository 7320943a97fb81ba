"""Whether a restored database is what was backed up, and its ledger whole: before anybody is let in."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

import psycopg
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from config.recovery.manifest import HEADS, Manifest
from lib.collations import changed_collations
from wallet.audit.ledger import audit_ledger
from wallet.audit.report import Report
from wallet.audit.rows import snapshot
from wallet.checkpoints.database import compare_leaves, comparing
from wallet.checkpoints.keys import trusted_keys
from wallet.checkpoints.stored import fetched, names, storage
from wallet.models import Checkpoint
from wallet.proof.file import DECODER, lines
from wallet.proof.findings import SLACK, Findings
from wallet.proof.header import Unusable
from wallet.proof.tree import Leaf
from wallet.proof.verification import conclusion, verify_file

# Of the names that a checkpoint's file can have: more are taken only if others write there.
LIKELY_NAMES = 3


@dataclass
class Verification:
    """`findings` keep the database closed; `said` is what was found to be right, and what is to be known."""

    report: Report = field(default_factory=Report)
    findings: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def verify_database(manifest: Manifest, backup: Path) -> Verification:
    """Reads the database that Django is connected to, and writes nothing."""
    found = Verification()
    if differing := differing_migrations():
        # The rest would read tables that are not there.
        found.findings.append(differing)
        return found
    found.said += map(str, changed_collations())
    verify_ledger(found)
    verify_heads(found, manifest, backup)
    verify_checkpoint(found, manifest, backup)
    return found


def differing_migrations() -> str:
    """Which migrations only the database or only this version has; empty if they are the same."""
    loader = MigrationLoader(connection)
    lacking = loader.graph.nodes.keys() - loader.applied_migrations.keys()
    applied = {key for key in loader.applied_migrations if key[0] in loader.migrated_apps}
    different = sorted(".".join(key) for key in lacking | (applied - loader.disk_migrations.keys()))
    if not different:
        return ""
    return (
        f"The database is of another version of the platform: {len(different)} migrations differ, "
        f"{different[0]} for one. Restore with that version, and upgrade afterwards."
    )


def verify_ledger(found: Verification) -> None:
    found.report = report = audit_ledger()
    found.said.append(f"The ledger: {report.wallets} wallets with {report.entries} entries were replayed.")
    if report.problem_count:
        first = "; ".join(report.problems[:3])
        found.findings.append(f"The audit of the ledger found {report.problem_count} differences: {first}.")


def verify_heads(found: Verification, manifest: Manifest, backup: Path) -> None:
    """Every wallet must have the line that was its last one when the backup was made."""
    findings = Findings()
    with (backup / HEADS).open("rb") as source, snapshot() as raw:
        compare_heads(raw, manifest, source, findings)
    if findings.count:
        found.findings.append(f"It is not what was backed up: {findings.summary()}.")
    else:
        heads = manifest.heads
        found.said.append(f"The backup: {heads.wallets} wallets with {heads.entries} entries are there.")


def compare_heads(
    raw: "psycopg.Connection", manifest: Manifest, source: IO[bytes], findings: Findings
) -> None:
    try:
        compare_leaves(raw, manifest.began_at - SLACK, read_heads(source), findings)
    except Unusable as problem:
        findings.add(str(problem))


def read_heads(source: IO[bytes]) -> Iterator[Leaf]:
    for line in lines(source, HEADS):
        wallet_id, seq, head = DECODER.decode(line)
        yield Leaf(wallet_id, seq, bytes.fromhex(head))


def verify_checkpoint(found: Verification, manifest: Manifest, backup: Path) -> None:
    """The newest checkpoint that the database knows must fit, or the one that lies beside the backup."""
    newest = Checkpoint.objects.order_by("-number").first()
    if newest is None:
        found.said.append("There was no checkpoint yet: nothing signed was compared.")
        return
    try:
        with opened(newest, manifest, backup) as source, snapshot() as raw:
            verdict = verify_file(source, comparing(raw), trusted=trusted_keys())
    except Unusable as problem:
        found.findings.append(f"Checkpoint {newest.number} cannot be read: {problem}.")
        return
    text = conclusion(verdict, recomputed=False)
    (found.findings if verdict.findings.count else found.said).append(text)
    found.said += [f"Warning: {warning}." for warning in verdict.findings.warnings]
    if later := later_checkpoints(newest.number):
        found.said.append(
            f"{later} later checkpoints are stored: they know what is lost now, and the next one is made "
            "only by make_checkpoint --accept (docs/checkpoints.md)."
        )


def opened(newest: Checkpoint, manifest: Manifest, backup: Path) -> IO[bytes]:
    """The file of a checkpoint; the copy beside the backup if the storage has lost it. Raises `Unusable`."""
    with suppress(Unusable):
        return fetched(newest.file)
    copied = manifest.checkpoint
    if copied and copied.file and (backup / copied.file).is_file():
        return (backup / copied.file).open("rb")
    raise Unusable(f"{newest.file} is neither stored nor beside the backup")


def later_checkpoints(number: int) -> int:
    """How many checkpoints the storage has that the database does not know."""
    count = 0
    with suppress(OSError):
        while stored_name(number + count + 1):
            count += 1
    return count


def stored_name(number: int) -> str:
    """The name of a stored checkpoint; empty if there is none."""
    return next((name for name in islice(names(number), LIKELY_NAMES) if storage().exists(name)), "")
