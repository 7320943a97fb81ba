"""JSON with exact numbers, and what of a message may be shown."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quantum_wallet.money import Money

Body = Mapping[str, Any]
MASK = "…"
# Whoever knows these may act.
SECRET = re.compile(r'"(token|password|secret)"\s*:\s*"((?:[^"\\]|\\.)*)"')
# What opens a page stands at the end of its address.
PAGE = re.compile(r'(/checkout/)[^/?"\\]+')
SHORTEST_SECRET = 6


class Malformed(ValueError):
    """A message that does not have the form that it should have."""


def write(body: Body) -> bytes:
    """A JSON object; amounts become plain numbers, digit by digit. Raises TypeError for a float."""
    return encoded(body).encode()


def encoded(value: object) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case Money():
            return encoded({"amount": value.amount, "currencyCode": value.currency})
        case float():
            raise TypeError("a number on the wire is a Decimal or an int, never a float")
        case Mapping():
            return (
                "{" + ", ".join(f"{json.dumps(name)}: {encoded(each)}" for name, each in value.items()) + "}"
            )
        case list() | tuple():
            return "[" + ", ".join(encoded(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def read(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`, with Decimals for fractions. Raises Malformed."""
    try:
        body = json.loads(raw, parse_float=Decimal, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON") from None
    if not isinstance(body, dict):
        raise Malformed("the body is no JSON object")
    return body


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def redacted(*texts: str) -> list[str]:
    """The texts of one exchange without their secrets: tokens, passwords, and keys of pages."""
    secrets = {value for text in texts for _, value in SECRET.findall(text) if len(value) >= SHORTEST_SECRET}
    return [mask(text, secrets) for text in texts]


def mask(text: str, secrets: set[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return PAGE.sub(rf"\1{MASK}", SECRET.sub(rf'"\1": "{MASK}"', text))
