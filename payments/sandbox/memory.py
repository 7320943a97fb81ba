"""What the sandbox remembers: in the cache, for a week.

It is only a demonstration, and may forget everything at any moment.
"""

from enum import StrEnum
from typing import Any, TypedDict

from django.core.cache import cache

from lib.clock import now

WEEK = 7 * 24 * 3600
# A callback of which nothing is heard for so long is not waited for: it may come late on purpose.
PATIENCE_SECONDS = 30
# How much of everything is kept.
MOST = 20


class Payment(TypedDict):
    """A payment that was made at the sandbox. Amounts in minor units."""

    reference: str
    amount: int
    returned: int
    # The dispute that is open, and its amount.
    dispute: str
    disputed: int
    # What starting it gave, and the body of the callback that tells of it.
    start: str
    told: str


class Line(TypedDict):
    """Something that was told, and what the other side answered."""

    at: str
    what: str
    answer: str


class RefundMood(StrEnum):
    """How the sandbox answers when it is asked for a refund."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    LATE = "late"
    LOST = "lost"
    NOT_FOUND = "not_found"


class DeliveryMood(StrEnum):
    """How the demo game answers to deliveries."""

    OK = "200"
    BROKEN = "500"
    GONE = "410"
    HANG = "hang"


def name(*words: str | int) -> str:
    return ":".join(("sandbox", *map(str, words)))


def get(default: Any, *words: str) -> Any:
    found = cache.get(name(*words))
    return default if found is None else found


def put(value: Any, *words: str) -> None:
    cache.set(name(*words), value, WEEK)


def add(value: Any, *words: str) -> None:
    """Puts something at the top of a list.

    Several workers may do so at once: each has a number of its own.
    """
    cache.add(name(*words, "last"), 0, WEEK)
    number = cache.incr(name(*words, "last"))
    cache.set(name(*words, number), value, WEEK)
    # Nobody sees it any more, and whoever floods us fills no memory.
    cache.delete(name(*words, number - MOST))


def newest(*words: str) -> list[Any]:
    """What was added to a list, newest first, as far as it is kept."""
    last = get(0, *words, "last")
    names = [name(*words, number) for number in range(last, max(0, last - MOST), -1)]
    found = cache.get_many(names)
    return [found[one] for one in names if found.get(one) is not None]


def payments_of(slug: str, order: str) -> dict[str, Payment]:
    """The payments of an order (our order id) by their references, oldest first."""
    found: dict[str, Payment] = get({}, "payments", slug, order)
    return found


def keep_payment(slug: str, order: str, payment: Payment) -> None:
    """Adds a payment, or changes the one with its reference."""
    put(payments_of(slug, order) | {payment["reference"]: payment}, "payments", slug, order)


def lines_of(slug: str, order: str) -> list[Line]:
    """What was told about an order, newest first."""
    return newest("lines", slug, order)


def expect_line(slug: str, order: str) -> None:
    """A callback is under way, and its line comes soon."""
    cache.set(name("expected", slug, order), True, PATIENCE_SECONDS)


def is_line_expected(slug: str, order: str) -> bool:
    """Whether a callback is under way."""
    return bool(get(False, "expected", slug, order))


def add_line(slug: str, order: str, what: str, answer: str) -> None:
    """Writes down that something was told. Times are in UTC."""
    cache.delete(name("expected", slug, order))
    add(Line(at=f"{now():%H:%M:%S}", what=what, answer=answer), "lines", slug, order)
