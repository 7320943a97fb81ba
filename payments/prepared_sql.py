"""Reads and writes rows of models by prepared statements.

On a callback's way, Django's own would take most of the time.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import connection
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


def send(statement: str, parameters: Sequence[Any]) -> "psycopg.Cursor[Any]":
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection).execute(statement, parameters, prepare=True)


def execute(statement: str, parameters: Sequence[Any]) -> None:
    """Runs a statement whose rows nobody asks for, in the present atomic block."""
    send(statement, parameters)


@contextmanager
def together() -> Iterator[None]:
    """What is written within goes to the database in one go.

    It fails, if it does, at the end of it. Django's own queries must wait till then.
    """
    connection.ensure_connection()
    with connection.connection.pipeline():
        yield


class Question:
    """Rows of a model for which `condition` holds (what follows WHERE; a constant of ours).

    They are asked for when it is made, and read later.
    """

    def __init__(self, model: type[Row], condition: str, *parameters: Any) -> None:
        self.model: type[Model] = model
        self.names, selection = columns(model)
        self.cursor = send(f"{selection} WHERE {condition}", parameters)

    def rows(self) -> list[Any]:
        """The rows, as instances."""
        return [self.model.from_db("default", self.names, row) for row in self.cursor.fetchall()]


def fetch(model: type[Row], condition: str, *parameters: Any) -> list[Row]:
    """The rows for which `condition` holds, at once."""
    return Question(model, condition, *parameters).rows()


def insert(row: Model) -> None:
    """Writes a new row; its values must be complete."""
    statement, fields = insertion(type(row))
    execute(statement, [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields])


def update(row: Model, *names: str) -> None:
    """Writes these fields of a row that is there."""
    statement, fields = change(type(row), names)
    execute(
        statement,
        [*(field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields), row.pk],
    )


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
