"""Reads single members of an answer; what generated shapes are made of. Each raises Malformed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from quantum_wallet.messages import Malformed
from quantum_wallet.money import Money, check_number

Value = TypeVar("Value")
Reader = Callable[[object], Value]


def member(body: Mapping[str, Any], name: str, read: Reader[Value]) -> Value:
    """A member that must be there."""
    try:
        return read(body[name])
    except KeyError:
        raise Malformed(f"{name} is missing") from None
    except ValueError as problem:
        raise Malformed(f"{name}: {problem}") from None


def possible(body: Mapping[str, Any], name: str, read: Reader[Value]) -> Value | None:
    """A member that may be absent."""
    return member(body, name, read) if name in body else None


def optional(read: Reader[Value]) -> Reader[Value | None]:
    """A reader to which null is None."""
    return lambda given: None if given is None else read(given)


def many(read: Reader[Value]) -> Reader[list[Value]]:
    """A reader of lists."""

    def read_all(given: object) -> list[Value]:
        if not isinstance(given, list):
            raise Malformed("not a list")
        return [read(each) for each in given]

    return read_all


def text(given: object) -> str:
    if not isinstance(given, str):
        raise Malformed("not a text")
    return given


def whole(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise Malformed("not a whole number")
    return given


def truth(given: object) -> bool:
    if not isinstance(given, bool):
        raise Malformed("not true or false")
    return given


def number(given: object) -> Decimal:
    """A JSON number, with the digits that were sent."""
    if isinstance(given, bool) or not isinstance(given, Decimal | int):
        raise Malformed("not a number")
    return check_number(Decimal(given))


def time(given: object) -> datetime:
    return datetime.fromisoformat(text(given))


def members(given: object) -> dict[str, Any]:
    """The members of an object."""
    if not isinstance(given, dict):
        raise Malformed("not an object")
    return given


def money(given: object) -> Money:
    body = members(given)
    return Money(member(body, "amount", number), member(body, "currencyCode", text))
