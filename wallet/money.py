"""Amounts of money: whole minor units inside, decimals of major units at the edges (contract 1, Amounts)."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

# What a wallet holds, or owes, stays below this, in minor units: `wallet_bound()` in the ledger's SQL.
BOUND = 10**18
# At most 10^17 - 1 minor units: that many digits.
LONGEST = 17
# The most decimals that any currency has.
MOST_DECIMALS = 4
SENSELESS = "must be greater than zero, in whole minor units, and at most 10^17 - 1 of them."


class Money(msgspec.Struct):
    """An amount in major units, exact, with the currency's own number of decimals."""

    amount: Annotated[Decimal, Meta(extra_json_schema={"type": "number"})]
    currencyCode: str  # noqa: N815 (the partner's name)


class InvalidAmount(ValueError):
    """What was given is no amount of that currency; the text says what it must be."""


def to_minor(amount: Any, decimals: int) -> int:
    """Major units, a Decimal, as minor units of a currency with `decimals`. Raises `InvalidAmount`."""
    if not isinstance(amount, Decimal):
        raise InvalidAmount("must be a number.")
    # The exponent is bounded before anything is computed: 1e999999999 is legal JSON.
    if not amount.is_finite() or amount <= 0 or amount.adjusted() > 17:
        raise InvalidAmount(SENSELESS)
    _, digits, exponent = amount.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    shift = int(exponent) + len(digits) - len(significant) + decimals
    if shift < 0 or len(significant) + shift > LONGEST:
        raise InvalidAmount(SENSELESS)
    return int(significant) * int(10**shift)


def to_major(minor: int, decimals: int) -> Decimal:
    """Minor units as a Decimal of major units with exactly the currency's decimals."""
    return Decimal((minor < 0, tuple(map(int, str(abs(minor)))), -decimals))
