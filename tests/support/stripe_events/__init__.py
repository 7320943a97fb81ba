"""Events as Stripe sends them, and how they are signed.

In the shapes of the API version that the library pins.
"""

import json
import time
from pathlib import Path
from typing import Any

from stripe import WebhookSignature

from tests.support.callers import unique

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.json"))


def recorded(name: str, **changes: Any) -> dict[str, Any]:
    """An event under an id of its own, with `changes` of the object that it is about."""
    event: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text())
    event["id"] = unique("evt")
    event["data"]["object"] |= changes
    return event


def signed(body: bytes, secret: str, at: int | None = None) -> str:
    """The header Stripe-Signature, by the library's own code."""
    header: str = WebhookSignature.generate_signature_header(
        body.decode(), secret, int(time.time()) if at is None else at
    )
    return header
