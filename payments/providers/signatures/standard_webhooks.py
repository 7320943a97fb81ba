"""The scheme Standard Webhooks 1.0 (contract 4.2).

HMAC-SHA256 over id, time and raw body, in three headers.
"""

import binascii
import hmac
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from lib.backoffice.languages import stored
from lib.security.webhook_signatures import PREFIX as PREFIX
from lib.security.webhook_signatures import digest as digest
from lib.security.webhook_signatures import key_of as key_of
from lib.security.webhook_signatures import sign as sign
from payments.providers.signatures.refused import Refused

# Stands in public documents.
PUBLISHED_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
# How far the time of a message may lie from ours, in seconds.
TOLERANCE = 300
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


def read(headers: Mapping[str, str]) -> Envelope:
    """The three headers, by their names in small letters.

    Raises `Refused` where one is missing or malformed.
    """
    id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not ID.fullmatch(id):
        raise Refused(stored("webhook-id is missing or malformed."))
    # No leading zero: what is signed are the characters, and they are rebuilt from the number.
    if not SECONDS.fullmatch(at) or str(int(at)) != at:
        raise Refused(stored("webhook-timestamp is missing or no whole number of seconds."))
    given = headers.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]
    signatures = tuple(signature for text in given if (signature := decode(text)))
    if not signatures:
        raise Refused(stored("webhook-signature is missing, or has no signature of version 1."))
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
        raise Refused(stored("The signature is not of a live secret."))
    if abs(envelope.at - now) > TOLERANCE:
        raise Refused(stored("The message is too old, or from the future."))
