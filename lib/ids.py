"""Identifiers: UUIDs of version 7 (RFC 9562), which sort by the time they were made."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID


@dataclass(slots=True)
class Source:
    """Where ids take their time and their random bits from; replaced only to make a history of the past."""

    nanoseconds: Callable[[], int] = time.time_ns
    random: Callable[[int], bytes] = os.urandom


SOURCE = Source()


def new_id() -> UUID:
    """A fresh UUIDv7.

    48 bits of Unix milliseconds, 12 of their fraction, so that what one block writes keeps its order, then 62
    random bits.
    """
    milliseconds, rest = divmod(SOURCE.nanoseconds(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(SOURCE.random(8)) >> 2
    return UUID(int=(milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | random)


def time_of(id: UUID) -> datetime:
    """When an id was made, to the millisecond."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)


def id_at(moment: datetime) -> UUID:
    """The smallest id that can be made at a moment; other clocks than the database's make them, too."""
    milliseconds = max(int(moment.timestamp() * 1000), 0)
    return UUID(int=(milliseconds & (1 << 48) - 1) << 80)
