"""Amounts of money: whole numbers of minor units inside, decimals of major units at the edges (contract 1, Amounts)."""

from decimal import Decimal
from typing import Any

from players.errors import invalid

MOST_MINOR_UNITS = 10**17 - 1
# The most decimals that any currency has.
MOST_DECIMALS = 4


def to_minor(amount: Any, decimals: int) -> int:
    """A JSON number of major units as minor units of a currency with `decimals`. Raises 101 where it is no such amount."""
    if not isinstance(amount, Decimal):
        raise invalid("amount.amount must be a JSON number.")
    # The exponent is bounded before anything is computed: 1e999999999 is legal JSON.
    if not amount.is_finite() or amount <= 0 or amount.adjusted() > 17 or amount.adjusted() < -decimals:
        raise invalid("amount.amount must be greater than zero, in whole minor units, and at most 10^17 - 1 of them.")
    sign, digits, exponent = amount.as_tuple()
    shift = int(exponent) + decimals
    written = int("".join(map(str, digits)))
    minor, rest = (written * 10**shift, 0) if shift >= 0 else divmod(written, 10**-shift)
    if rest or minor > MOST_MINOR_UNITS:
        raise invalid("amount.amount must be greater than zero, in whole minor units, and at most 10^17 - 1 of them.")
    return minor


def to_major(minor: int, decimals: int) -> Decimal:
    """Minor units as a Decimal of major units with exactly the currency's decimals."""
    return Decimal((minor < 0, tuple(map(int, str(abs(minor)))), -decimals))


def money(minor: int, code: str, decimals: int) -> dict[str, Any]:
    """An amount as answers show it."""
    return {"amount": to_major(minor, decimals), "currencyCode": code}
