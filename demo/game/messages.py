"""JSON with exact amounts, and what of a message may be shown."""

import re
from decimal import Decimal
from typing import Any

import msgspec

DECODER = msgspec.json.Decoder(float_hook=Decimal)
ENCODER = msgspec.json.Encoder(decimal_format="number")
# Whoever knows these may act: they are never shown.
HIDDEN = frozenset({"token", "password"})
# What opens a page stands at the end of its address.
PAGE_KEY = re.compile(r"(/checkout/)[^/?\"]+")
MASK = "…"
LONGEST_SHOWN = 4_000
# Of what is no JSON object.
LONGEST_FOREIGN = 200


def write(body: dict[str, Any]) -> bytes:
    """A JSON object; Decimals become numbers, digit by digit."""
    return ENCODER.encode(body)


def read(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`, with Decimals for fractions; empty if it is none."""
    try:
        body = DECODER.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def shown(raw: bytes) -> str:
    """A body as people read it, without what is secret in it."""
    body = read(raw)
    if not body:
        return raw.decode(errors="replace")[:LONGEST_FOREIGN]
    text = msgspec.json.format(write(masked(body)), indent=0).decode()
    return PAGE_KEY.sub(rf"\1{MASK}", text)[:LONGEST_SHOWN]


def masked(body: dict[str, Any]) -> dict[str, Any]:
    return {name: MASK if name in HIDDEN else value for name, value in body.items()}
