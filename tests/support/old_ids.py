"""Ids of rows that were made long ago."""

from datetime import datetime
from uuid import UUID

from lib.ids import id_at, new_id


def old_id(moment: datetime) -> UUID:
    """An id that was made at that moment."""
    return UUID(int=id_at(moment).int | new_id().int & (1 << 80) - 1)
