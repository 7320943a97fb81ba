"""Identifiers: UUIDs of version 7 (RFC 9562), which sort by the time they were made."""

import os
import time
from datetime import datetime
from uuid import UUID


def new_id() -> UUID:
    """A fresh UUIDv7.

    48 bits of Unix milliseconds, 12 of their fraction, so that what one block writes keeps its order, then 62
    random bits.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=(milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | random)


def first_id_of(moment: datetime) -> UUID:
    """The least of all ids that can be made at this moment, or later."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
