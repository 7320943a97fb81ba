"""What tests of checkpoints share: keys, a place for the files, and a second reading of the format."""

import base64
import gzip
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.test import override_settings

from tests.support.history_forger import Step
from tests.support.own_database import OwnLedger
from wallet.checkpoints import make_checkpoint
from wallet.job_runs import Run
from wallet.models import Alert, Checkpoint
from wallet.proof.file import CheckpointFile
from wallet.proof.header import Header, decoded_key, key_id, public_bytes

# Three keys of 32 bytes, which only tests sign with.
KEY, NEW_KEY, FOREIGN_KEY = (base64.b64encode(bytes([first, *range(31)])).decode() for first in (1, 2, 3))


def private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(decoded_key(key))


def public(key: str) -> str:
    """The public key in base64."""
    return base64.b64encode(public_bytes(private(key))).decode()


@contextmanager
def checkpoints_in(directory: Path) -> Iterator[None]:
    """Checkpoints are signed with `KEY` and stored there."""
    backend = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(directory)},
    }
    with override_settings(CHECKPOINT_KEY=KEY, STORAGES=settings.STORAGES | {"checkpoints": backend}):
        yield


@contextmanager
def no_checkpoints_yet(ledger: OwnLedger, directory: Path) -> Iterator[Path]:
    """An empty directory, and no row; afterwards the rows of money are as they were."""
    ledger.owner.execute("DELETE FROM wallet_checkpoint; DELETE FROM wallet_alert; DELETE FROM wallet_jobrun")
    with checkpoints_in(directory):
        yield directory
    ledger.restore()


def make(accept: str = "") -> Checkpoint:
    """The next checkpoint, which must be made."""
    made = make_checkpoint(Run("make_checkpoint"), accept=accept)
    assert made
    return made


def found(pattern: str) -> None:
    """No checkpoint is made, and an alert says why."""
    number = Checkpoint.objects.order_by("-number").values_list("number", flat=True)[0]
    run = Run("make_checkpoint")
    assert make_checkpoint(run) is None
    alert = Alert.objects.get(kind="checkpoint_difference", resolved_at=None)
    newest = Checkpoint.objects.order_by("-number")[0]
    assert pattern in alert.text, alert.text
    assert (newest.number, alert.subject) == (number, f"checkpoint {number}")
    assert newest.differences == run.failed > 0
    assert newest.verified_at is not None


def lines_of(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def header_of(directory: Path, row: Checkpoint) -> Header:
    with (directory / row.file).open("rb") as file:
        return CheckpointFile(file).header


def longer(steps: list[Step]) -> list[Step]:
    """The second entry says something else; all hashes fit."""
    (first, (e, t), *rest) = steps
    return [first, (e._replace(note="forged"), t), *rest]


def dated_back(minutes: int) -> Callable[[list[Step]], list[Step]]:
    """One more entry, that many minutes older than the last one; all hashes fit."""

    def change(steps: list[Step]) -> list[Step]:
        e, _ = steps[-1]
        return [*steps, (e._replace(event="unfrozen", at=e.at - minutes * 60_000_000), None)]

    return change


def rfc_6962(leaves: list[bytes]) -> bytes:
    """The tree's hash as section 2.1 defines it, by recursion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + rfc_6962(leaves[:split]) + rfc_6962(leaves[split:])).digest()


def example_header(**changes: Any) -> Header:
    values: dict[str, Any] = {
        "kind": "quantum-wallet checkpoint", "format": 1, "number": 2,
        "made_at": "2026-11-21T04:10:00.000001Z", "wallets": 3, "entries": 7,
        "currencies": {"XAG": 2, "JPY": 0}, "root": "ab" * 32, "previous": "cd" * 32, "note": "ä",
        "key_id": key_id(public_bytes(private(KEY))),
        "public_key": public(KEY),
    }  # fmt: skip
    return Header(**values | changes)
