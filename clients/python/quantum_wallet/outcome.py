"""What the platform's answer to one attempt means: done, refused, or unknown. Nothing is sent here."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from quantum_wallet.calls import Call
from quantum_wallet.errors import NotAccepted, WalletError, refusal
from quantum_wallet.messages import Malformed, read
from quantum_wallet.money import Money
from quantum_wallet.wire import member, money, text, whole

Answer = TypeVar("Answer")
OTHER_ERROR = 100
# Not now, or no answer of the platform's at all: whatever was asked may have happened.
AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer as it came; `status` 0 and a reason if there was none."""

    status: int
    body: bytes = b""
    retry_after: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """Nobody knows what became of the attempt. `retry_after`: seconds that the server asks to wait."""

    reason: str
    retry_after: float = 0.0


def judge(call: Call[Answer], id: str, raw: Raw) -> Answer | Again:
    """The answer, or that it is unknown. `id` is the game's own. Raises Refused, NotAccepted."""
    if raw.status == 0:
        return Again(raw.reason)
    if raw.status >= 500 or raw.status in AGAIN:
        return Again(f"HTTP {raw.status}", seconds(raw.retry_after))
    if raw.status != 200:
        raise NotAccepted(call.name, raw.status, description(raw.body))
    try:
        body = read(raw.body)
        problem = refused(call.name, body)
        if problem is None:
            check_id(id, body)
            return call.read(body)
    except Malformed as malformed:
        return Again(f"an answer that cannot be read: {malformed}")
    if problem is OTHER:
        return Again("errorCode 100")
    raise problem


# Stands for errorCode 100, which says nothing of what has happened.
OTHER = WalletError("100")


def refused(name: str, body: Mapping[str, Any]) -> WalletError | None:
    """What the answer refuses, if it does. Raises Malformed."""
    if "errorCode" not in body:
        return None
    code = member(body, "errorCode", whole)
    if code == OTHER_ERROR:
        return OTHER
    return refusal(name, code, text(body.get("errorDescription", "")), balance_of(body))


def balance_of(body: Mapping[str, Any]) -> Money | None:
    """The balance in a refusal; without one it is as true."""
    try:
        return money(body.get("balance"))
    except Malformed:
        return None


def check_id(id: str, body: Mapping[str, Any]) -> None:
    """Raises Malformed for the answer to another call."""
    named = body.get("mmTransactionId", id)
    if id and named != id:
        raise Malformed("it is about another transaction")


def description(raw: bytes) -> str:
    """What an error body says."""
    try:
        return str(read(raw).get("errorDescription", ""))[:300]
    except Malformed:
        return "not an answer of the platform's"


def seconds(retry_after: str) -> float:
    """A `Retry-After`, in seconds from now; 0 for none."""
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0
