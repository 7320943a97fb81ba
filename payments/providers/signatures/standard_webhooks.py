"""The scheme Standard Webhooks 1.0 (contract 4.2).

HMAC-SHA256 over id, time and raw body, in three headers.
"""

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from payments.providers.signatures.refused import Refused

PREFIX = "whsec_"
# Stands in public documents.
PUBLISHED_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
# How far the time of a message may lie from ours, in seconds.
TOLERANCE = 300
# The specification's bounds of a secret, in bytes.
LEAST_BYTES, MOST_BYTES = 24, 64
# A full stop divides what is signed, so an id must have none.
ID = re.compile(r"[!-\-/-~]{1,255}")
SECONDS = re.compile(r"[0-9]{1,12}")
# Signatures looked at in one header; a sender has one for each secret that is being changed.
MOST_SIGNATURES = 10


@dataclass(frozen=True, slots=True)
class Envelope:
    """The three headers; `at` in seconds since 1970."""

    id: str
    at: int
    signatures: tuple[bytes, ...]


def key_of(secret: str) -> bytes:
    """The bytes of a secret.

    Raises `ValueError` where it has not the form whsec_ + base64, of 24 to 64 bytes.
    """
    if not secret.startswith(PREFIX):
        raise ValueError("A Standard Webhooks secret begins with whsec_.")
    try:
        key = b64decode(secret[len(PREFIX) :], validate=True)
    except binascii.Error as problem:
        raise ValueError("What follows whsec_ must be base64.") from problem
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"A Standard Webhooks secret has {LEAST_BYTES} to {MOST_BYTES} bytes.")
    return key


def sign(id: str, at: int, body: bytes, secret: str) -> str:
    """The signature of a message, as the header has it."""
    return f"v1,{b64encode(digest(id, at, body, key_of(secret))).decode()}"


def digest(id: str, at: int, body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, f"{id}.{at}.".encode() + body, "sha256")


def read(headers: Mapping[str, str]) -> Envelope:
    """The three headers, by their names in small letters.

    Raises `Refused` where one is missing or malformed.
    """
    id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not ID.fullmatch(id):
        raise Refused("webhook-id is missing or malformed.")
    # No leading zero: what is signed are the characters, and they are rebuilt from the number.
    if not SECONDS.fullmatch(at) or str(int(at)) != at:
        raise Refused("webhook-timestamp is missing or no whole number of seconds.")
    given = headers.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]
    signatures = tuple(signature for text in given if (signature := decode(text)))
    if not signatures:
        raise Refused("webhook-signature is missing, or has no signature of version 1.")
    return Envelope(id, int(at), signatures)


def decode(text: str) -> bytes:
    """One signature of the header, or nothing where it is of another version or malformed."""
    version, _, encoded = text.partition(",")
    if version != "v1":
        return b""
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def verify(envelope: Envelope, body: bytes, secrets: list[str], now: int) -> None:
    """Raises `Refused` unless one of the live secrets signed exactly this body.

    It was sent at most five minutes from `now` (seconds since 1970).
    """
    # Every secret with every signature, without stopping at the first that fits.
    fits = [
        hmac.compare_digest(digest(envelope.id, envelope.at, body, key_of(secret)), given)
        for secret in secrets
        for given in envelope.signatures
    ]
    if not any(fits):
        raise Refused("The signature is not of a live secret.")
    if abs(envelope.at - now) > TOLERANCE:
        raise Refused("The message is too old, or from the future.")
