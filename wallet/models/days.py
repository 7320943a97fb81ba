"""Indexes of what is random begin with the day of their row: what is written today lies together, however
much there is from before.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import DateField, Func, Q
from django.db.models.lookups import In


class Day(Func):
    """The day (UTC) of a time, as an index has it."""

    template = "((%(expressions)s) AT TIME ZONE 'UTC')::date"
    arity = 1
    output_field = DateField()


def all_days() -> list[date]:
    """Those of all transactions, one by one: an index that begins with the day finds by them what follows.

    They are asked for before, and no part of the question: a database that is divided by player could not
    answer it then.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(transaction_days())")
        return [day for (day,) in cursor.fetchall()]


def is_of(days: Collection[date], path: str = "") -> Q:
    """The transactions of these days; `path` leads from what is asked for to them."""
    return Q(In(Day(f"{path}opened_at"), days))


def of_mm_id(text: str, path: str = "") -> Q:
    """The transactions to which games gave this id."""
    return is_of(all_days(), path) & Q(**{f"{path}mm_transaction_id": text})


def named_from(text: str, most: int) -> list[UUID]:
    """At most so many transactions, of the newest days, whose id at the game begins with a text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transactions_beginning(%s, %s)", [text, most])
        return [id for (id,) in cursor.fetchall()]
