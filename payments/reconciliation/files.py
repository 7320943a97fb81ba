"""A file arrives in parts, is kept in the database for a time, and is read from there by any worker."""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from lib.backoffice.languages import _, format_lazy, stored
from lib.clock import now
from lib.texts import storable
from payments.models import ReconciliationFile, ReconciliationPart, ReconciliationSource

State = ReconciliationFile.State
# Bytes of a part: the web server reads no longer body.
PART_SIZE = 128 * 1024
# Of one source at once.
MOST_ARRIVING = 20
ARRIVED = ("digest", "arrived_at", "compared_since", "ended_at", "state", "problem")
BEGUN_AGAIN = (
    *("state", "problem", "ended_at", "compared_since", "cursor", "lines_read", "bytes_read", "rows"),
    *("matched", "matched_by_amount", "at_edges", "found", "decided_before", "first_at", "last_at"),
)
SAME_AS = stored("The same file was uploaded before, on {at}: {name}.")


class NotTaken(Exception):
    """Why a file or a part of it is not taken; the text is for operators and partners."""


def begin_file(
    source: ReconciliationSource,
    *,
    name: str,
    size: int,
    actor: str,
    covers_from: datetime | None = None,
    covers_until: datetime | None = None,
) -> ReconciliationFile:
    """A file is about to arrive. Raises `NotTaken`."""
    most = settings.RECONCILIATION_MEGABYTES
    if not 0 < size <= most * 1_000_000:
        raise NotTaken(format_lazy(_("A file has from 1 byte to {most} megabytes."), most=f"{most:,}"))
    if covers_from and covers_until and covers_until <= covers_from:
        raise NotTaken(_("The end must be later than the beginning."))
    if ReconciliationFile.objects.filter(source=source, state=State.ARRIVING).count() >= MOST_ARRIVING:
        raise NotTaken(_("Too many files of this source have begun to arrive and were never finished."))
    return ReconciliationFile.objects.create(
        source=source,
        name=storable(name, 120) or "file",
        size=size,
        uploaded_by=actor[:80],
        began_at=now(),
        covers_from=covers_from,
        covers_until=covers_until,
    )


@transaction.atomic
def add_part(file: ReconciliationFile, number: int, data: bytes) -> int:
    """Takes the next part; the same again is taken once. Returns how many bytes are here.

    Raises `NotTaken`.
    """
    locked = ReconciliationFile.objects.select_for_update(of=("self",), no_key=True).get(pk=file.pk)
    last = locked.parts.aggregate(last=Max("number"))["last"] or 0
    if number == last and locked.parts.filter(number=number, data=data).exists():
        return locked.arrived
    if locked.state != State.ARRIVING or number != last + 1:
        raise NotTaken(format_lazy(_("The next part has the number {number}."), number=last + 1))
    if not 0 < len(data) <= PART_SIZE or locked.arrived + len(data) > locked.size:
        raise NotTaken(_("The part is empty, too long, or more than the file has."))
    ReconciliationPart.objects.create(file=locked, number=number, data=data)
    locked.arrived += len(data)
    locked.save(update_fields=["arrived"])
    return locked.arrived


@transaction.atomic
def end_file(file: ReconciliationFile, *, digest: str = "") -> ReconciliationFile:
    """All parts have arrived: it is compared next, if its columns are known. The same again is done once.

    `digest` is the SHA-256 that the sender knows, if it does. Raises `NotTaken`.
    """
    locked = ReconciliationFile.objects.select_for_update(of=("self",), no_key=True).get(pk=file.pk)
    if locked.state != State.ARRIVING:
        return locked
    if locked.arrived != locked.size:
        words = _("{arrived} of {size} bytes have arrived.")
        raise NotTaken(format_lazy(words, arrived=f"{locked.arrived:,}", size=f"{locked.size:,}"))
    locked.digest = digest_of(locked)
    if digest and digest.lower() != locked.digest:
        raise NotTaken(_("The bytes that arrived are not those that were sent: their SHA-256 differs."))
    locked.arrived_at = now()
    earlier = same_as(locked)
    if earlier:
        locked.state, locked.ended_at = State.FAILED, locked.arrived_at
        locked.problem = SAME_AS.format(at=f"{earlier.began_at:%Y-%m-%d %H:%M} UTC", name=earlier.name)
        locked.parts.all().delete()
    else:
        locked.state = State.READING if locked.source.columns else State.WAITING
        locked.compared_since = locked.arrived_at
    locked.save(update_fields=ARRIVED)
    return locked


def same_as(file: ReconciliationFile) -> ReconciliationFile | None:
    """An earlier file of the same source that has the same bytes."""
    others = ReconciliationFile.objects.filter(source=file.source_id, digest=file.digest)
    return others.exclude(pk=file.pk).exclude(state=State.FAILED).order_by("-pk").first()


def digest_of(file: ReconciliationFile) -> str:
    digest = hashlib.sha256()
    for part in parts_of(file):
        digest.update(part)
    return digest.hexdigest()


def parts_of(file: ReconciliationFile) -> Iterator[bytes]:
    """The file's bytes, one part in memory at a time."""
    number = 0
    while part := ReconciliationPart.objects.filter(file=file, number=number + 1).first():
        number = part.number
        yield bytes(part.data)


@transaction.atomic
def compare_again(file: ReconciliationFile) -> None:
    """From its first row on, as the ledger is now. Raises `NotTaken`."""
    locked = ReconciliationFile.objects.select_for_update(of=("self",), no_key=True).get(pk=file.pk)
    if locked.state not in (State.DONE, State.FAILED, State.WAITING):
        raise NotTaken(_("It is being compared already."))
    if not locked.parts.exists():
        raise NotTaken(_("Its bytes are not kept any more: upload it again."))
    if not locked.source.columns:
        raise NotTaken(_("Choose the columns of its source first."))
    locked.state, locked.problem, locked.ended_at, locked.cursor = State.READING, "", None, None
    locked.lines_read = locked.bytes_read = locked.rows = locked.matched = locked.matched_by_amount = 0
    locked.at_edges = locked.found = locked.decided_before = 0
    locked.first_at = locked.last_at = None
    locked.compared_since = now()
    locked.save(update_fields=BEGUN_AGAIN)
