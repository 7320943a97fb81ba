"""Compares a checkpoint with exported acts: their chain is computed anew, up to the hash that was signed."""

from collections.abc import Iterator
from typing import IO, Any, Literal

import msgspec

from players.audit_trail.act_hash import START, link_hash
from wallet.proof.file import lines
from wallet.proof.findings import SLACK, Findings
from wallet.proof.header import Header, Sha256, Unusable

MICROSECOND = 1_000_000


class Start(msgspec.Struct, frozen=True, rename="camel", tag_field="line", tag="auditTrail"):
    """The first line; the member `line` says of each which it is."""

    format: Literal[1]
    exported_at: str


class ActLine(msgspec.Struct, frozen=True, rename="camel", tag_field="line", tag="act"):
    """A link of the chain with its act, which has the members of `players.audit_trail.act_hash.COLUMNS`."""

    seq: int
    hash: Sha256
    act: dict[str, Any]


class End(msgspec.Struct, frozen=True, rename="camel", tag_field="line", tag="end"):
    """The last line, so that a file that was cut off is noticed."""

    acts: int


DECODER: msgspec.json.Decoder[Start | ActLine | End] = msgspec.json.Decoder(Start | ActLine | End)


def read_acts(source: IO[bytes]) -> Iterator[ActLine]:
    """The acts of an export, which is read once. Raises `Unusable` where it is none, or not whole."""
    count, is_whole = 0, False
    for number, text in enumerate(lines(source, "the audit trail"), 1):
        line = decoded(text, number)
        if is_whole or isinstance(line, Start) != (number == 1):
            raise Unusable(f"the audit trail's line {number} is out of order")
        if isinstance(line, ActLine):
            count += 1
            yield line
        elif isinstance(line, End):
            is_whole = line.acts == count
    if not is_whole:
        raise Unusable("the audit trail does not end as it should: it was cut off, or changed")


def decoded(text: bytes, number: int) -> Start | ActLine | End:
    try:
        return DECODER.decode(text)
    except msgspec.DecodeError as problem:
        raise Unusable(f"the audit trail's line {number} is none of an export: {problem}") from None


def compare_with_acts(acts: Iterator[ActLine], header: Header, findings: Findings) -> None:
    """Follows the chain. What the checkpoint does not know is younger than it."""
    if header.audit_links is None:
        findings.warnings.append("the checkpoint is of format 1, which states nothing of the audit trail")
    known = header.audit_links or 0
    latest = int((header.moment() - SLACK).timestamp() * MICROSECOND)
    seq, head = 0, START
    for line in acts:
        problem = follow(line, seq, head)
        seq, head = line.seq, bytes.fromhex(line.hash)
        if not problem and seq == known and line.hash != header.audit_head:
            problem = "has another hash than the checkpoint knows: it, or one before it, was changed"
        if not problem and known < seq and line.act["at"] <= latest and header.audit_links is not None:
            problem = "is dated before the checkpoint, which does not know it"
        if problem:
            findings.add(f"act {seq} of the audit trail {problem}")
    if seq < known:
        findings.add(f"the audit trail ends with act {seq}, the checkpoint knows {known}")


def follow(line: ActLine, seq: int, head: bytes) -> str:
    """What is wrong with the link after `seq` in itself, or nothing."""
    if line.seq != seq + 1:
        return f"follows act {seq}: what stood between them is gone"
    try:
        fits = link_hash(head, line.seq, line.act).hex() == line.hash
    except ValueError as problem:
        return str(problem)
    return "" if fits else "does not fit its hash and the act before"
