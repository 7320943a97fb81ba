"""Deliveries: the platform tells the game that an order is paid (contract 4.3)."""

import hashlib
import hmac
import time
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from quantum_wallet.genuine import NotGenuine, Untimely, header
from quantum_wallet.messages import Malformed, read
from quantum_wallet.money import check_number
from quantum_wallet.wire import member, text

TOLERANCE_SECONDS = 300
# In the order in which they are signed.
SIGNED = ("cpOrderId", "serverId", "uid", "productPrice", "productId", "ts")
# While secrets are being changed there is one for each; a message with hundreds is an attack.
MOST_SIGNATURES = 10
LONGEST_TIME = 12
PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What to hand out. All attempts to tell of it have the same `id`: remember it, and hand out once."""

    id: str
    uid: str
    server_id: str
    cp_order_id: str
    product_id: str
    product_price: Decimal
    ext_params: str


def verify_delivery(
    headers: Mapping[str, str],
    raw: bytes,
    secrets: Sequence[str],
    *,
    clock: Callable[[], float] = time.time,
) -> Delivery:
    """A genuine delivery: both signatures are by our secrets, and it is at most five minutes old.

    `raw` is the body as it came. Raises NotGenuine (answer 401), Malformed (400).
    """
    check_time(header(headers, "webhook-timestamp"), clock())
    if not any(has_webhook_signature(headers, raw, secret) for secret in secrets):
        raise NotGenuine("webhook-signature is by none of our secrets")
    body = read(raw)
    if not any(has_sign(body, secret) for secret in secrets):
        raise NotGenuine("sign is by none of our secrets")
    return Delivery(
        header(headers, "webhook-id"),
        member(body, "uid", text),
        member(body, "serverId", text),
        member(body, "cpOrderId", text),
        member(body, "productId", text),
        price(member(body, "productPrice", text)),
        text(body.get("extParams") or ""),
    )


def check_time(given: str, now: float) -> None:
    """Raises Untimely for what was not signed lately, NotGenuine for what is no time."""
    if not (given.isascii() and given.isdecimal() and len(given) <= LONGEST_TIME):
        raise NotGenuine("webhook-timestamp is missing, or no time")
    if abs(int(given) - now) > TOLERANCE_SECONDS:
        raise Untimely("webhook-timestamp is more than five minutes from now")


def has_webhook_signature(headers: Mapping[str, str], raw: bytes, secret: str) -> bool:
    """Standard Webhooks: whether one of the signatures is by this secret, over id, time and raw body."""
    head = f"{header(headers, 'webhook-id')}.{header(headers, 'webhook-timestamp')}."
    digest = hmac.digest(b64decode(secret.removeprefix(PREFIX)), head.encode() + raw, "sha256")
    given = header(headers, "webhook-signature").split(" ")[:MOST_SIGNATURES]
    return any([is_signature(each, digest) for each in given])  # noqa: C419 (all of them, in constant time)


def is_signature(given: str, digest: bytes) -> bool:
    """Whether `v1,…` holds this digest."""
    version, _, encoded = given.partition(",")
    try:
        found = b64decode(encoded.encode(), validate=True)
    except ValueError:
        return False
    return version == "v1" and hmac.compare_digest(found, digest)


def has_sign(body: Mapping[str, Any], secret: str) -> bool:
    """order-notify: whether `sign` is the MD5 over six fields, as they stand there, and the secret."""
    signed = "".join(member(body, name, text) for name in SIGNED) + secret
    wanted = hashlib.md5(signed.encode(), usedforsecurity=False).hexdigest().upper()
    return hmac.compare_digest(member(body, "sign", text).encode(), wanted.encode())


def price(given: str) -> Decimal:
    """A price that stands there as a text. Raises Malformed."""
    try:
        return check_number(Decimal(given))
    except (InvalidOperation, ValueError):
        raise Malformed("productPrice: not a number") from None
