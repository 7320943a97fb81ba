"""Bugs in how requests are read."""

import json
from decimal import Decimal
from typing import Any

from lib.http.errors import invalid
from tests.clients.kit.planted.fault import Arguments, Call, Fault


def first_of_duplicates(original: Call, asked: Arguments) -> Any:
    """Of duplicate keys the first counts."""
    return json.loads(
        asked["text"],
        parse_float=Decimal,
        parse_int=Decimal,
        object_pairs_hook=lambda pairs: dict(pairs[::-1]),
    )


def round_amount(original: Call, asked: Arguments) -> Any:
    """What is no whole number of minor units is rounded."""
    given = asked["amount"]
    return original(
        amount=round(given, 2) if hasattr(given, "quantize") else given, decimals=asked["decimals"]
    )


def refuse_long_texts(original: Call, asked: Arguments) -> Any:
    if isinstance(asked["value"], str) and len(asked["value"]) > 255:
        raise invalid("txDescription must have at most 255 characters.")
    return original(**asked)


REQUEST_FAULTS = (
    Fault(
        "first-duplicate-counts",
        "1 Reading a request",
        ("attack.duplicate-keys",),
        {"decode": first_of_duplicates},
    ),
    Fault("fractions-are-rounded", "1 Amounts", ("money.below-minor-units",), {"to_minor": round_amount}),
    Fault(
        "long-texts-are-refused", "1 Reading a request", ("happy.odd-texts",), {"clean": refuse_long_texts}
    ),
)
