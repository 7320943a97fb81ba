"""Checkpoint files in their storage.

Names that sort and are never used twice, and files whose row was lost.
"""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.core.exceptions import SuspiciousOperation
from django.core.files import File
from django.core.files.storage import Storage, storages

from wallet.models import Checkpoint
from wallet.proof.file import CheckpointFile
from wallet.proof.header import START, Header, Unusable, decoded_key

logger = logging.getLogger(__name__)

# Names for one number: the first, and others where something else has taken it.
MOST_NAMES = 100


def storage() -> Storage:
    return storages["checkpoints"]


def names(number: int) -> Iterator[str]:
    """The names that a checkpoint's file can have, in the order in which they are tried."""
    yield f"checkpoint-{number:09}.jsonl.gz"
    for other in range(2, MOST_NAMES + 1):
        yield f"checkpoint-{number:09}-{other}.jsonl.gz"


def fetched(name: str) -> IO[bytes]:
    """A copy of a stored file, so that nothing waits for the storage while it is read. Raises `Unusable`."""
    copy = TemporaryFile()  # noqa: SIM115 (the caller closes it)
    try:
        with storage().open(name, "rb") as file:
            shutil.copyfileobj(file, copy, 1 << 20)
    except (OSError, SuspiciousOperation, ValueError) as problem:
        copy.close()
        raise Unusable(f"the file {name} cannot be read: {problem}") from None
    copy.seek(0)
    return copy


def save(number: int, content: IO[bytes]) -> str:
    """Stores a checkpoint's file under a name of its own, which is returned."""
    free = next((name for name in names(number) if not storage().exists(name)), None)
    if free is None:
        raise OSError(f"the storage has {MOST_NAMES} files of checkpoint {number} already")
    name = storage().save(free, File(content))
    keep_on_disk(name)
    return name


def keep_on_disk(name: str) -> None:
    """Waits until a file and its name are on the disk, where the storage is a directory.

    Its row, which comes next, will be.
    """
    try:
        path = Path(storage().path(name))
    except NotImplementedError:
        return
    for place in (path, path.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def adopt_files(trusted: list[bytes]) -> list[int]:
    """Writes the rows of our own checkpoints that lie in the storage and have none. Returns their numbers.

    One of them was being made when its process was killed. More were in the database, and somebody removed
    them there.
    """
    adopted = []
    while row := adopt_next(trusted):
        logger.warning("checkpoint %s had a file (%s) and no row: it is adopted", row.number, row.file)
        adopted.append(row.number)
    return adopted


def adopt_next(trusted: list[bytes]) -> Checkpoint | None:
    """Adopts the file that follows the newest row, where there is one."""
    newest = Checkpoint.objects.order_by("-number").first()
    number, previous = (newest.number + 1, bytes(newest.hash)) if newest else (1, START)
    for name in names(number):
        if not storage().exists(name):
            return None
        header = own_header(name, trusted)
        if header and (header.number, header.previous) == (number, previous.hex()):
            return add_row(header, name)
        logger.warning(
            "the file %s is no whole checkpoint of ours that follows number %s: it is left alone",
            name,
            number - 1,
        )
    return None


def own_header(name: str, trusted: list[bytes]) -> Header | None:
    """The header of a stored file, where it is whole and signed by us."""
    try:
        with fetched(name) as source:
            file = CheckpointFile(source)
            for _ in file.leaves():
                pass
    except Unusable as problem:
        logger.warning("%s: %s", name, problem)
        return None
    return file.header if decoded_key(file.header.public_key) in trusted else None


def add_row(header: Header, name: str) -> Checkpoint:
    """Writes the row of a checkpoint whose file is stored.

    Raises `IntegrityError` where its number has one.
    """
    row = Checkpoint(number=header.number, file=name, **signed_values(header))
    row.save(force_insert=True)
    return row


def correct_row(header: Header) -> None:
    """Makes a checkpoint's row say again what was signed."""
    Checkpoint.objects.filter(number=header.number).update(**signed_values(header))


def signed_values(header: Header) -> dict[str, Any]:
    """What the database's row has to say of a checkpoint."""
    return {
        "made_at": header.moment(),
        "wallets": header.wallets,
        "entries": header.entries,
        "root": bytes.fromhex(header.root),
        "previous": bytes.fromhex(header.previous),
        "hash": header.hash(),
        "key_id": header.key_id,
        "note": header.note,
    }
