"""Statements over rows of a distributed database, where all of one player's lie on one machine
(docs/scaling.md).
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings


def beside(one: str, other: str) -> str:
    """What a join of two rows of one player says besides, so that each machine can do it alone.

    On a single machine nothing: joined by two columns that say the same, PostgreSQL expects few rows to be
    left.
    """
    return f" AND {one}.player_id = {other}.player_id" if settings.DATABASE_DISTRIBUTED else ""


def change_by(cursor: Any, read: str, columns: str, change: str, parameters: Mapping[str, Any]) -> None:
    """Changes tables of the first machine by what a question finds, which `change` knows as `found`.

    `columns` are its columns with their types. From several machines the rows are fetched first: Citus does
    not read there and change here in one statement with several changes.
    """
    if not settings.DATABASE_DISTRIBUTED:
        cursor.execute(f"WITH found AS MATERIALIZED ({read}), {change}", parameters)
        return
    cursor.execute(
        f"SELECT coalesce(jsonb_agg(to_jsonb(line)), '[]')::text FROM ({read}) line",  # noqa: S608 (our own)
        parameters,
    )
    (rows,) = cursor.fetchone()
    known = f"SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS line ({columns})"  # noqa: S608
    cursor.execute(f"WITH found AS ({known}), {change}", {**parameters, "rows": rows})
