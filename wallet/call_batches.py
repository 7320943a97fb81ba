"""The parameters of a statement that carries many calls (`wallet/sql/many.sql`)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Parameters = Mapping[str, Any]
Call = tuple[int, Parameters]


def many_parameters(openings: Sequence[Call], settlings: Sequence[Call], *, waits: bool) -> dict[str, Any]:
    """What `MANY` (`wallet/ledger_statements.py`) is given: calls with their places, by which the rows of its
    answer are told apart, and whether locks are waited for.

    A call is what `wallet/ledger.py` would give to the statement for one call.
    """
    return {"openings": as_json(openings), "settlings": as_json(settlings), "waits": waits}


def as_json(calls: Sequence[Call]) -> str:
    if not calls:
        return "[]"
    members = [
        {**call, "place": place, "token_hash": "\\x" + call["token_hash"].hex()} for place, call in calls
    ]
    return ENCODER.encode(members).decode()


def as_plain(value: object) -> object:
    """What JSON has no type for, as PostgreSQL reads it from a text; psycopg's numbers are whole numbers."""
    if isinstance(value, int):
        return int(value)
    raise TypeError(f"no call has a {type(value).__name__}")


ENCODER = msgspec.json.Encoder(enc_hook=as_plain)
