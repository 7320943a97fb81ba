"""The scheme order-notify: eight fields, and an MD5 over six of them and a secret (contract 4.2).

It is weak: MD5, fields that run together, and `extParams` unsigned. So a right signature proves only that
somebody knew the secret; every field is compared with the order besides.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import parse_qsl

from lib.backoffice.languages import stored
from payments.providers.signatures.refused import Refused

# In the order in which they are signed, before the secret.
SIGNED = ("cpOrderId", "serverId", "uid", "productPrice", "productId", "ts")
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# Stands in public documents.
PUBLISHED_SECRET = "MKiLHWZvGPTq2258"  # noqa: S105
LONGEST_FIELD = 1024


class Literal(str):
    """A number of a JSON text, in the very characters that stand there."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """The eight fields as they literally stand in the request."""

    uid: str
    serverId: str  # noqa: N815 (the partner's names)
    cpOrderId: str  # noqa: N815
    productId: str  # noqa: N815
    productPrice: str  # noqa: N815
    extParams: str  # noqa: N815
    ts: str
    sign: str


NAMES = tuple(field.name for field in fields(Notification))


def sign(notification: Notification, secret: str) -> str:
    """The signature that these fields have with a secret: 32 capital hexadecimal digits."""
    text = signed_text(notification) + secret
    return hashlib.md5(text.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest().upper()


def signed_text(notification: Notification) -> str:
    """The fields as they are signed, run together: other fields can have the same."""
    return "".join(getattr(notification, name) for name in SIGNED)


def is_genuine(notification: Notification, secrets: list[str]) -> bool:
    """Whether one of the live secrets signed it. Takes the same time whichever it is."""
    given = notification.sign.encode(errors="surrogatepass")
    # All of them, without stopping at the first that fits.
    fits = [hmac.compare_digest(sign(notification, secret).encode(), given) for secret in secrets]
    return any(fits)


def read(body: bytes, content_type: str) -> Notification:
    """The fields of a request.

    Raises `Refused` where it is neither JSON nor a form, or a field is missing,
    doubled, or no text or number.
    """
    kind = content_type.partition(";")[0].strip(" \t").lower()
    pairs = read_json(body) if kind == JSON else read_form(body) if kind == FORM else None
    if pairs is None:
        raise Refused(
            stored("The content type must be application/json or application/x-www-form-urlencoded.")
        )
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in NAMES:
            if name in found:
                raise Refused(stored("{name} stands there twice.").format(name=name))
            found[name] = literal(name, value)
    missing = [name for name in NAMES if name not in found and name != "extParams"]
    if missing:
        raise Refused(stored("{names} is missing.").format(names=", ".join(missing)))
    return Notification(**{"extParams": "", **found})


def read_json(body: bytes) -> list[tuple[str, Any]]:
    """The members of a JSON object, doubled ones too; numbers in their own characters."""
    try:
        read_pairs = json.loads(
            body.decode(),
            parse_float=Literal,
            parse_int=Literal,
            parse_constant=refuse_constant,
            object_pairs_hook=Pairs,
        )
    except (ValueError, RecursionError) as problem:
        raise Refused(stored("The body is not JSON in UTF-8.")) from problem
    if not isinstance(read_pairs, Pairs):
        raise Refused(stored("The body must be a JSON object."))
    return read_pairs


class Pairs(list[tuple[str, Any]]):
    """The members of an object, in their order."""


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def read_form(body: bytes) -> list[tuple[str, Any]]:
    """The fields of a form, doubled ones too."""
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as problem:
        raise Refused(stored("The body is no form in UTF-8.")) from problem


def literal(name: str, value: Any) -> str:
    """A field's value, where it is a text or a number."""
    if name == "extParams" and value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(stored("{name} must be a text or a number.").format(name=name))
    if len(value) > LONGEST_FIELD:
        words = stored("{name} is longer than {most} characters.")
        raise Refused(words.format(name=name, most=LONGEST_FIELD))
    return str(value)
