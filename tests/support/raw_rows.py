"""Rows of money as a superuser sees and changes them, whatever they mean."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

Owner = psycopg.Connection[Any]
Row = dict[str, Any]


def rows_of(owner: Owner, table: str) -> list[Row]:
    """Every row in an order that a restored table has again, each with its place on the disk."""
    found = owner.execute(
        sql.SQL("SELECT ctid::text AS ctid, t.* FROM {} t ORDER BY t::text").format(sql.Identifier(table))
    )
    names = [column.name for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found]


class Column(NamedTuple):
    name: str
    kind: str
    is_nullable: bool


def columns_of(owner: Owner, table: str) -> list[Column]:
    """From the catalogue: a new column that nobody watches over must be noticed here."""
    found = owner.execute(
        "SELECT column_name, data_type, is_nullable = 'YES' FROM information_schema.columns WHERE "
        "table_name = %s AND table_schema = 'public'",
        [table],
    )
    return [Column(*row) for row in found]


def kind_of(row: Row) -> tuple[Any, ...]:
    """What makes a row another case than another: its words, and what it leaves empty."""
    words = (
        "event",
        "state",
        "type",
        "debit",
        "credit",
        "refusal",
        "source",
        "settled_source",
        "currency_id",
    )
    return tuple(row[word] for word in words if word in row) + tuple(value is None for value in row.values())


def distinct(rows: list[Row]) -> list[Row]:
    """One row of each kind."""
    return list({kind_of(row): row for row in rows}.values())


def update(owner: Owner, table: str, row: Row, values: Row) -> bool:
    """Changes a row, whose place is then another; whether the database let that happen."""
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in values.items()
    )
    change = sql.SQL("UPDATE {} SET {} WHERE ctid = {} RETURNING ctid::text").format(
        sql.Identifier(table), assignments, sql.Literal(row["ctid"])
    )
    try:
        changed = owner.execute(change).fetchone()
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
        return False
    assert changed
    row["ctid"] = changed[0]
    return True


CHANGES: dict[str, Callable[[Any], list[Any]]] = {
    "bigint": lambda number: [number + 1, number - 1, -number, 0],
    "smallint": lambda number: [number + 1],
    "character varying": lambda text: [f"{text[:-1]}x", ""],
    "bytea": lambda data: [bytes([data[0] ^ 1]) + data[1:], data + b"x", b""],
    "timestamp with time zone": lambda moment: [
        moment + timedelta(microseconds=1),
        moment - timedelta(days=1),
    ],
    "uuid": lambda _: [uuid4()],
}
# Instead of nothing.
FRESH = {
    "bigint": 1,
    "character varying": "x",
    "timestamp with time zone": datetime.fromisoformat("2026-01-01T00:00:00Z"),
    "uuid": UUID(int=1),
}


def others(value: Any, column: Column) -> list[Any]:
    """Other values that the column could have instead."""
    if value is None:
        return [FRESH[column.kind]]
    found = CHANGES[column.kind](value) + ([None] if column.is_nullable else [])
    return [other for other in found if other != value]


def delete(owner: Owner, table: str, row: Row) -> None:
    owner.execute(
        sql.SQL("DELETE FROM {} WHERE ctid = {}").format(sql.Identifier(table), sql.Literal(row["ctid"]))
    )


def insert(owner: Owner, table: str, row: Row) -> None:
    names = [name for name in row if name != "ctid"]
    owner.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(sql.Literal(row[name]) for name in names),
        )
    )


def one(rows: list[Row], **values: Any) -> Row:
    (row,) = [row for row in rows if all(row[name] == value for name, value in values.items())]
    return row
