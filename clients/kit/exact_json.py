"""JSON whose numbers keep their digits, both ways."""

import json
from decimal import Decimal
from typing import Any


class Literal(str):
    """A piece of JSON that is sent as it stands, be it right or not."""

    __slots__ = ()


def write(value: object) -> str:
    """JSON in which a Decimal is a number with its own digits, and a Literal stands as it is."""
    if isinstance(value, Literal | Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {write(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(write, value)) + "]"
    return json.dumps(value)


def read(raw: bytes) -> Any:
    """The value in `raw`; numbers are Decimals with the digits that were sent. Raises ValueError."""
    return json.loads(raw.decode(), parse_float=Decimal, parse_int=Decimal)
