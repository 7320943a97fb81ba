"""The header Stripe-Signature.

It is read strictly, its signatures are checked by Stripe's own library, its time by the database's clock.
"""

import re
from collections.abc import Sequence

from stripe import SignatureVerificationError, WebhookSignature

from lib.backoffice.languages import stored
from payments.providers.signatures.refused import Refused

# How far the time of a message may lie from ours, in seconds; Stripe signs every try anew.
TOLERANCE = 300
ITEM = re.compile(r"([a-z][a-z0-9]*)=([0-9A-Za-z]{1,128})")
# No leading zero: the library rebuilds what was signed from the number.
SECONDS = re.compile(r"[1-9][0-9]{0,11}")
# One signature for each secret that is being changed, and the test scheme.
MOST_ITEMS = 16


def check(header: str, body: bytes, secrets: Sequence[str], now: int) -> None:
    """Raises `Refused` unless one of the live secrets signed exactly this body.

    It was sent at most five minutes from `now` (seconds since 1970).
    """
    at = signed_at(header)
    # Every secret, without stopping at the first that fits.
    fits = [is_signed(header, body, secret) for secret in secrets]
    if not any(fits):
        raise Refused(stored("The signature is not of a live secret."))
    if abs(at - now) > TOLERANCE:
        raise Refused(stored("The message is too old, or from the future."))


def signed_at(header: str) -> int:
    """The one time that a well-formed header names."""
    items = [ITEM.fullmatch(item) for item in header.split(",", MOST_ITEMS)]
    times = [item[2] for item in items if item and item[1] == "t"]
    if None in items or len(times) != 1 or not SECONDS.fullmatch(times[0]):
        raise Refused(stored("stripe-signature is missing or malformed."))
    return int(times[0])


def is_signed(header: str, body: bytes, secret: str) -> bool:
    """Whether a secret signed the body.

    The library is asked for no tolerance, because it would ask another clock.
    """
    try:
        WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except (SignatureVerificationError, UnicodeDecodeError):
        return False
    return True
