"""A refused request as people may see it: no token, no words of others, nothing that no call has."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

# Members whose values are shown; of an amount, its own two.
SHOWN = frozenset(
    {"mmTransactionId", "type", "cpOrderId", "productId", "productPrice", "currencyCode", "serverId"}
)
AMOUNT = ("amount", "currencyCode")
# Of these only the length is told: secrets, and texts that may say something of a person.
HIDDEN = frozenset({"token", "txDescription", "rollbackReason", "extParams", "returnUrl"})
# Longer values are cut off, and one that is still longer when it is spelled is not shown.
LONGEST, LONGEST_SPELLED = 64, 120


def redacted(body: Mapping[str, Any]) -> str:
    """The request in JSON of at most 2 KiB; `body` as `lib.http.requests.read_object` gives it."""
    token = body.get("token")
    lines = [f'  "{name}": {shown(name, value, token)}' for name, value in body.items() if is_known(name)]
    return "{\n" + ",\n".join(lines) + "\n}" if lines else "{}"


def is_known(name: str) -> bool:
    return name in SHOWN or name in HIDDEN or name == "amount"


def shown(name: str, value: Any, token: object) -> str:
    """A member's value in JSON."""
    if name in HIDDEN:
        return hidden(value)
    if name == "amount" and isinstance(value, dict):
        parts = [f'"{part}": {plain(value[part], token)}' for part in AMOUNT if part in value]
        return "{" + ", ".join(parts) + "}"
    return plain(value, token)


def plain(value: Any, token: object) -> str:
    """A value as it was sent; of lists and objects only that they are some."""
    if isinstance(value, Decimal):
        return str(value)[:LONGEST]
    if isinstance(value, str):
        # Whoever sends the token in the wrong member sends it all the same.
        is_secret = isinstance(token, str) and token and token in value
        return hidden(value) if is_secret else text(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return "[…]" if isinstance(value, list) else "{…}"


def text(value: str) -> str:
    """A text in ASCII, cut off if it is long."""
    spelled = json.dumps(value if len(value) <= LONGEST else f"{value[:LONGEST]}…")
    return spelled if len(spelled) <= LONGEST_SPELLED else hidden(value)


def hidden(value: Any) -> str:
    """How long a text is, or that it is none."""
    return f'"… ({len(value)} characters)"' if isinstance(value, str) else plain(value, None)
