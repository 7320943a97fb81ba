"""How a message of Standard Webhooks 1.0 is signed: HMAC-SHA256 over its id, time and raw body."""

import binascii
import hmac
from base64 import b64decode, b64encode

from lib.backoffice.languages import _, format_lazy

PREFIX = "whsec_"
# The specification's bounds of a secret, in bytes.
LEAST_BYTES, MOST_BYTES = 24, 64


def key_of(secret: str) -> bytes:
    """The bytes of a secret.

    Raises `ValueError` where it has not the form whsec_ + base64, of 24 to 64 bytes.
    """
    if not secret.startswith(PREFIX):
        raise ValueError(_("A Standard Webhooks secret begins with whsec_."))
    try:
        key = b64decode(secret[len(PREFIX) :], validate=True)
    except binascii.Error as problem:
        raise ValueError(_("What follows whsec_ must be base64.")) from problem
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        words = _("A Standard Webhooks secret has {least} to {most} bytes.")
        raise ValueError(format_lazy(words, least=LEAST_BYTES, most=MOST_BYTES))
    return key


def digest(id: str, at: int, body: bytes, key: bytes) -> bytes:
    """What a signature of version 1 holds; `at` in seconds since 1970."""
    return hmac.digest(key, f"{id}.{at}.".encode() + body, "sha256")


def sign(id: str, at: int, body: bytes, secret: str) -> str:
    """The signature of a message, as the header has it."""
    return f"v1,{b64encode(digest(id, at, body, key_of(secret))).decode()}"


def headers(id: str, at: int, body: bytes, secrets: list[str]) -> dict[str, str]:
    """The three headers of a message, signed with each secret."""
    signatures = " ".join(sign(id, at, body, secret) for secret in secrets)
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signatures}
