"""Indexes of what is random begin with the day of their row: what is written today lies together, however
much there is from before.
"""

from django.db.models import BooleanField, DateField, Func, Q


class Day(Func):
    """The day (UTC) of a time, as an index has it."""

    template = "((%(expressions)s) AT TIME ZONE 'UTC')::date"
    arity = 1
    output_field = DateField()


class IsOnSomeDay(Func):
    """True for every transaction: it names the days one by one, by which such an index finds what follows."""

    template = "((%(expressions)s) AT TIME ZONE 'UTC')::date = ANY (transaction_days())"
    arity = 1
    output_field = BooleanField()


def of_mm_id(text: str, path: str = "") -> Q:
    """The transactions to which games gave this id; `path` leads from what is asked for to them."""
    return Q(IsOnSomeDay(f"{path}opened_at"), **{f"{path}mm_transaction_id": text})
