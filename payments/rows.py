"""Reads and writes rows of models by prepared statements: on a callback's way, Django's own would take most of the time."""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import connection
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


def execute(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Runs a statement in the present atomic block and returns its rows, if it has any."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters, prepare=True)
        return cursor.fetchall() if cursor.description else []


def fetch(model: type[Row], condition: str, *parameters: Any) -> list[Row]:
    """The rows for which `condition` holds (what follows WHERE; a constant of ours), as instances."""
    names, selection = columns(model)
    return [model.from_db("default", names, row) for row in execute(f"{selection} WHERE {condition}", parameters)]


def insert(row: Model) -> None:
    """Writes a new row; its values must be complete."""
    statement, fields = insertion(type(row))
    execute(statement, [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields])


def update(row: Model, *names: str) -> None:
    """Writes these fields of a row that is there."""
    statement, fields = change(type(row), names)
    execute(statement, [*(field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields), row.pk])


@cache
def columns(model: type[Model]) -> tuple[list[str], str]:
    fields = model._meta.concrete_fields
    listed = ", ".join(f'"{field.column}"' for field in fields)
    return [field.attname for field in fields], f'SELECT {listed} FROM "{model._meta.db_table}"'


@cache
def insertion(model: type[Model]) -> tuple[str, Sequence[Any]]:
    fields = model._meta.concrete_fields
    listed, places = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({listed}) VALUES ({places})', fields


@cache
def change(model: type[Model], names: tuple[str, ...]) -> tuple[str, Sequence[Any]]:
    fields = [model._meta.get_field(name) for name in names]
    places = ", ".join(f'"{field.column}" = %s' for field in fields)  # type: ignore[union-attr]
    return f'UPDATE "{model._meta.db_table}" SET {places} WHERE id = %s', fields
