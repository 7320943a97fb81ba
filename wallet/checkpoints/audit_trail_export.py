"""Exports the chain of operators' acts, so that others can verify it without the database."""

from collections.abc import Callable

import msgspec

from lib.clock import now
from players.audit_trail.chain import read_links
from wallet.audit.rows import snapshot
from wallet.proof.audit_trail import ActLine, End, Start
from wallet.proof.header import shown

ENCODER = msgspec.json.Encoder()


def export_audit_trail(write: Callable[[bytes], object]) -> int:
    """Writes all links with their acts as JSON lines, of one moment. Returns how many.

    A link whose act is gone is left out: whoever verifies finds that.
    """
    count = 0
    with snapshot() as raw:
        write(line(Start(1, shown(now()))))
        for link in read_links(raw):
            if link.act is not None:
                write(line(ActLine(link.seq, link.hash.hex(), link.act)))
                count += 1
        write(line(End(count)))
    return count


def line(content: object) -> bytes:
    return ENCODER.encode(content) + b"\n"
