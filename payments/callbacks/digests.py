"""Digests of callbacks (contract 4.2, rule 4).

They tell whether two callbacks say the same, and whether the signed part of two is the same.
"""

import hashlib
import json
from typing import Any

from payments.providers.protocol import Event


def content_digest(event: Event, body: bytes) -> bytes:
    """Of an event's content; of one that makes no sense, of its bytes.

    The spelling and the id of its message are left out.

    The names are part of the digest: rows of years ago are compared with it, so none may change.
    """
    said: dict[str, Any] = {
        "message_id": "",
        "type": event.type,
        "order_id": event.order_id,
        "reference": event.reference,
        "amount": event.amount,
        "currency": event.currency,
        "start_reference": event.start_reference,
        "payment_reference": event.payment_reference,
        "total": event.total,
        "claims": echoed_fields(event),
        "problem": event.problem,
        "body": body.hex() if event.problem else "",
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).digest()


def echoed_fields(event: Event) -> dict[str, str] | None:
    """The fields of the order that an order-notify callback repeats."""
    echoed = event.echoed
    if echoed is None:
        return None
    return {
        "uid": echoed.uid,
        "server_id": echoed.server_id,
        "product_code": echoed.product_code,
        "price": echoed.price,
        "ext_params": echoed.ext_params,
    }


def signed_digest(event: Event, body: bytes) -> bytes:
    """Of the signed part of a callback: all of it, unless the scheme signs less (`Event.signed`)."""
    if event.signed is not None:
        return hashlib.sha256(event.signed).digest()
    return hashlib.sha256(event.message_id.encode() + b"\n" + content_digest(event, body)).digest()
