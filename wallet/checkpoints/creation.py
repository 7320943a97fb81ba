"""Makes a checkpoint, after the newest one has been verified.

What was rewritten since must not be signed as if it were true.
"""

import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import IntegrityError

from lib.backoffice.languages import stored
from lib.clock import now
from lib.texts import storable
from players.audit_trail.chain import link_events
from wallet.alerts import clear_alert, raise_alert
from wallet.audit.rows import snapshot
from wallet.checkpoints.database import audit_trail_head, comparing, currencies, read_leaves
from wallet.checkpoints.keys import signing_key, trusted_keys
from wallet.checkpoints.stored import add_row, adopt_files, correct_row, fetched, save, storage
from wallet.job_runs import Run
from wallet.models import Alert, Checkpoint
from wallet.proof.file import LeafWriter, join_file
from wallet.proof.findings import Findings
from wallet.proof.header import (
    NOTE_LENGTH,
    START,
    Header,
    Unusable,
    decoded_key,
    key_id,
    public_bytes,
    shown,
    sign,
)
from wallet.proof.tree import Tree
from wallet.proof.verification import Progress, Verdict, counted, verify_file

Told = Callable[[str, int], None]


@dataclass(slots=True)
class Draft:
    """What the ledger is at one moment; its leaves are in a file already."""

    made_at: str
    currencies: dict[str, int]
    audit_links: int
    audit_head: str
    tree: Tree = field(default_factory=Tree)


def make_checkpoint(
    run: Run, *, accept: str = "", progress: Told = lambda what, count: None
) -> Checkpoint | None:
    """Verifies the newest checkpoint and makes the next. Must run alone (`wallet.job_runs.alone`).

    Where the ledger is not as the newest one states, an alert is raised and None returned. With a reason to
    `accept` that, the next one is made all the same, and says so in its signed note. Raises
    `ImproperlyConfigured` without a key.
    """
    key, accept = signing_key(), clean(accept)
    # So that no act from before it is linked after it.
    link_events()
    adopted = adopt_files(trusted_keys())
    newest = Checkpoint.objects.order_by("-number").first()
    with TemporaryFile() as leaves:
        # One snapshot for both: what is signed is just what was compared.
        with snapshot() as raw:
            verdict = verify_stored(newest, adopted, raw, lambda count: progress("verified", count))
            draft = (
                collect(raw, leaves, lambda count: progress("read", count))
                if accept or not verdict.findings.count
                else None
            )
        if newest is not None:
            tell(run, newest, verdict.findings)
        if draft is None:
            return None
        made = publish(state(newest, verdict, draft, key, accept), key, leaves)
    if newest is not None and verdict.findings.count:
        settle_difference(newest, verdict, f"Accepted with {made}: {accept}")
    words = stored("{what}: {wallets} wallets, {entries} entries")
    run.done, run.note = 1, words.format(what=made, wallets=made.wallets, entries=made.entries)
    return made


def clean(reason: str) -> str:
    """A reason that can be stored and signed."""
    return storable(reason).strip()


def verify_stored(
    newest: Checkpoint | None, adopted: list[int], raw: psycopg.Connection[Any], progress: Progress
) -> Verdict:
    """Compares the newest checkpoint's file with the database."""
    if newest is None:
        return Verdict()
    try:
        with fetched(newest.file) as source:
            verdict = verify_file(source, comparing(raw), trusted=trusted_keys(), progress=progress)
    except Unusable as problem:
        verdict = Verdict()
        verdict.findings.add(str(problem))
    if verdict.header and verdict.header.number != newest.number:
        verdict.findings.add(f"the file {newest.file} is of checkpoint {verdict.header.number}")
    if len(adopted) > 1:
        verdict.findings.add(
            f"the rows of checkpoints {adopted[0]} to {adopted[-1]} were removed from the database, and "
            "are made anew from their files"
        )
    return verdict


def collect(raw: psycopg.Connection[Any], leaves: IO[bytes], progress: Progress) -> Draft:
    """Writes all leaves into a file, in one pass."""
    draft = Draft(shown(now()), currencies(), *audit_trail_head(raw))
    writer = LeafWriter(leaves, draft.tree)
    for leaf in counted(read_leaves(raw), progress):
        writer.add(leaf)
    writer.finish()
    return draft


def tell(run: Run, newest: Checkpoint, findings: Findings) -> None:
    """Writes down what came of verifying the newest checkpoint, and raises the alert about a difference."""
    at = now()
    Checkpoint.objects.filter(number=newest.number).update(verified_at=at, differences=findings.count)
    run.looked_at, run.failed = newest.wallets, findings.count
    if findings.count:
        # With the day in it, it is a new one to whoever has resolved yesterday's: until it is accepted, no
        # checkpoint is made.
        text = (
            f"{findings.summary()}. Found again on {at:%Y-%m-%d}; no checkpoint is made until it is accepted."
        )
        run.note = f"{newest}: {findings.number()}, no new checkpoint"
        raise_alert(Alert.Kind.CHECKPOINT_DIFFERENCE, str(newest), text)


def state(
    newest: Checkpoint | None, verdict: Verdict, draft: Draft, key: Ed25519PrivateKey, accept: str
) -> Header:
    """The next checkpoint's header."""
    return Header(
        kind="quantum-wallet checkpoint",
        format=2,
        number=newest.number + 1 if newest else 1,
        made_at=draft.made_at,
        wallets=draft.tree.size,
        entries=draft.tree.entries,
        currencies=draft.currencies,
        root=draft.tree.root().hex(),
        previous=previous_hash(newest, verdict).hex(),
        note=f"{verdict.findings.number()} accepted: {accept}"[:NOTE_LENGTH]
        if verdict.findings.count
        else "",
        key_id=key_id(public_bytes(key)),
        public_key=base64.b64encode(public_bytes(key)).decode(),
        audit_links=draft.audit_links,
        audit_head=draft.audit_head,
    )


def previous_hash(newest: Checkpoint | None, verdict: Verdict) -> bytes:
    """The hash that the next checkpoint names.

    Of what was signed, where that can be read, rather than what the database says.
    """
    if newest is None:
        return START
    header = own_header_of(newest, verdict)
    return header.hash() if header else bytes(newest.hash)


def own_header_of(newest: Checkpoint, verdict: Verdict) -> Header | None:
    """What we signed as the newest checkpoint, if its file is still that."""
    header = verdict.header
    return (
        header
        if header and header.number == newest.number and decoded_key(header.public_key) in trusted_keys()
        else None
    )


def settle_difference(newest: Checkpoint, verdict: Verdict, reason: str) -> None:
    """What was accepted is over: its alert, and a row that was not what was signed."""
    header = own_header_of(newest, verdict)
    if header:
        correct_row(header)
    clear_alert(Alert.Kind.CHECKPOINT_DIFFERENCE, str(newest), reason=reason[:NOTE_LENGTH])


def publish(header: Header, key: Ed25519PrivateKey, leaves: IO[bytes]) -> Checkpoint:
    """Stores the file, then writes the row. Without its row, the next run finds the file and adopts it."""
    with TemporaryFile() as content:
        join_file(content, sign(header, key), leaves)
        name = save(header.number, content)
    try:
        return add_row(header, name)
    except IntegrityError:
        # Somebody else has made this number meanwhile, and published it: there must not be two.
        with suppress(OSError):
            storage().delete(name)
        raise
