"""Genuine callbacks of each scheme, and what may become of one that was changed.

Written apart from the code that is tested.
"""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl, urlencode

from payments.models import Order
from payments.providers.adapters import adapter_for
from payments.providers.protocol import Event, ProviderConfig, RawCallback

# What may come of a callback: no genuine one (401);
# genuine, but not what the order says (404, 422); it counts (200).
REFUSED, CONTRADICTS, ACTS = "refused", "contradicts", "acts"
Allowed = frozenset[str]
NO, YES, EITHER = frozenset({REFUSED}), frozenset({ACTS}), frozenset({ACTS, REFUSED})
TOLERANCE = 300
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
SIGNED = ("cpOrderId", "serverId", "uid", "productPrice", "productId", "ts")
NAMES = (*SIGNED, "extParams", "sign")


@dataclass(frozen=True)
class Call:
    """A callback as it arrives: header names in small letters; `late` seconds after it was signed."""

    headers: dict[str, str]
    body: bytes
    late: int = 0


@dataclass(frozen=True)
class Genuine:
    """A callback that the provider did sign at the second `at`."""

    call: Call
    at: int
    event: Event


@dataclass(frozen=True)
class Scheme:
    """How a scheme is signed, and what may become of a changed callback."""

    sign: Callable[[Call, str, int], Call]
    judge: Callable[[list[Genuine], Call, int], Allowed]


@dataclass
class Subject:
    """A provider, an order that was started with it, and the genuine callbacks about that."""

    name: str
    terms: ProviderConfig
    secret: str = field(repr=False)
    order: Order
    scheme: Scheme
    genuine: list[Genuine] = field(default_factory=list)

    def add(self, call: Call, at: int) -> None:
        """Signs a callback at the second `at`, and remembers it."""
        signed = self.scheme.sign(call, self.secret, at)
        self.genuine.append(Genuine(signed, at, self.verify(signed, at)))

    def verify(self, call: Call, at: int) -> Event:
        """What the code that is tested makes of it."""
        return adapter_for(self.terms.scheme).verify(
            self.terms, RawCallback(call.headers, call.body, "127.0.0.1", at + call.late)
        )


# --- Standard Webhooks ---------------------------------------------------------------------------------


def sign_webhook(call: Call, secret: str, at: int) -> Call:
    """Signs whatever id and time stand there."""
    headers = {"webhook-timestamp": str(at)} | call.headers
    text = (
        f"{headers.get('webhook-id', '')}.{headers['webhook-timestamp']}.".encode(errors="replace")
        + call.body
    )
    mac = hmac.new(b64decode(secret.removeprefix("whsec_")), text, "sha256")
    return replace(call, headers=headers | {"webhook-signature": "v1," + base64_of(mac.digest())})


def judge_webhook(genuine: list[Genuine], call: Call, at: int) -> Allowed:
    """Id, time and body are signed, character for character.

    The spelling of the signature is not, and nothing else is.
    """
    for one in genuine:
        if content_of(one.call) == content_of(call):
            if abs(at + call.late - int(one.call.headers["webhook-timestamp"])) > TOLERANCE:
                return NO
            right, given = one.call.headers["webhook-signature"], call.headers.get("webhook-signature", "")
            if right in given.split(" ")[:10]:
                return YES
            return (
                EITHER
                if lenient(right) in [lenient(word) for word in given.replace(" ", ",").split(",")]
                else NO
            )
    return NO


def content_of(call: Call) -> tuple[str | None, str | None, bytes]:
    return call.headers.get("webhook-id"), call.headers.get("webhook-timestamp"), call.body


def base64_of(data: bytes) -> str:
    return b64encode(data).decode()


def lenient(text: str) -> bytes:
    """The bytes of a signature, however it is spelt."""
    try:
        return b64decode(text.removeprefix("v1,").encode("ascii", "ignore") + b"==")
    except ValueError:
        return b""


# --- order-notify --------------------------------------------------------------------------------------


def sign_notification(call: Call, secret: str, at: int) -> Call:
    """Signs the six fields as they stand there; what cannot be read stays as it is."""
    fields = read_fields(call)
    if fields is None:
        return call
    text = "".join(fields.get(name, "") for name in SIGNED) + secret
    fields["sign"] = hashlib.md5(text.encode(errors="surrogatepass")).hexdigest().upper()
    is_form = call.headers.get("content-type", "").startswith(FORM)
    body = urlencode(fields, errors="replace") if is_form else json.dumps(fields)
    return replace(call, body=body.encode())


def read_fields(call: Call) -> dict[str, str] | None:
    """The eight fields, numbers as they are written.

    None where one stands there twice or is neither text nor number.
    """
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    pairs: Any
    try:
        if kind == FORM:
            pairs = parse_qsl(call.body.decode(), keep_blank_values=True, max_num_fields=1000)
        elif kind == JSON:
            pairs = json.loads(call.body.decode(), parse_float=str, parse_int=str, object_pairs_hook=tuple)
        else:
            return None
    except (ValueError, RecursionError):
        return None
    found: dict[str, str] = {}
    for name, value in pairs if isinstance(pairs, (list, tuple)) else []:
        if name not in NAMES:
            continue
        if name in found or not isinstance(value, str | None):
            return None
        found[name] = value or ""
    return found


def judge_notification(genuine: list[Genuine], call: Call, at: int) -> Allowed:
    """The six fields are signed as they run together.

    So the same signature with other fields is possible: it has to contradict the order.
    """
    fields = read_fields(call)
    if fields is None:
        return NO
    for one in genuine:
        right = read_fields(one.call) or {}
        if run_together(fields) != run_together(right) or fields.get("sign") != right["sign"]:
            continue
        if not all(name in fields for name in SIGNED):
            return NO
        if [said(fields, name) for name in NAMES] != [said(right, name) for name in NAMES]:
            return frozenset({CONTRADICTS, REFUSED})
        if int(right["ts"]) > (at + call.late + TOLERANCE) * 1000:
            return NO
        return YES if call.body == one.call.body else EITHER
    return NO


def run_together(fields: dict[str, str]) -> str:
    return "".join(fields.get(name, "") for name in SIGNED)


def said(fields: dict[str, str], name: str) -> object:
    """A field by value."""
    text = fields.get(name, "")
    if name not in ("productPrice", "serverId"):
        return text
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


# --- Stripe --------------------------------------------------------------------------------------------


def sign_stripe(call: Call, secret: str, at: int) -> Call:
    mac = hmac.new(secret.encode(), f"{at}.".encode() + call.body, "sha256").hexdigest()
    return replace(call, headers=call.headers | {"stripe-signature": f"t={at},v1={mac}"})


def judge_stripe(genuine: list[Genuine], call: Call, at: int) -> Allowed:
    """Time and body are signed; the header may name more."""
    given = call.headers.get("stripe-signature", "")
    for one in genuine:
        if call.body == one.call.body:
            right = one.call.headers["stripe-signature"]
            if abs(call.late + at - one.at) > TOLERANCE:
                return NO
            if given == right:
                return YES
            words = [word.strip() for word in given.split(",")]
            return EITHER if all(word in words for word in right.split(",")) else NO
    return NO


WEBHOOK = Scheme(sign_webhook, judge_webhook)
NOTIFICATION = Scheme(sign_notification, judge_notification)
STRIPE = Scheme(sign_stripe, judge_stripe)
