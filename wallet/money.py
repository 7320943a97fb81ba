"""Amounts of money: whole numbers of minor units inside, decimals of major units at the edges (contract 1, Amounts)."""

from decimal import Decimal
from typing import Any

from lib.http.errors import invalid

# What a wallet holds, or owes, stays below this, in minor units: `wallet_bound()` in the ledger's SQL.
BOUND = 10**18
# At most 10^17 - 1 minor units: that many digits.
LONGEST = 17
SENSELESS = "amount.amount must be greater than zero, in whole minor units, and at most 10^17 - 1 of them."
# The most decimals that any currency has.
MOST_DECIMALS = 4


def to_minor(amount: Any, decimals: int) -> int:
    """A JSON number of major units as minor units of a currency with `decimals`. Raises 101 where it is no such amount."""
    if not isinstance(amount, Decimal):
        raise invalid("amount.amount must be a JSON number.")
    # The exponent is bounded before anything is computed: 1e999999999 is legal JSON.
    if not amount.is_finite() or amount <= 0 or amount.adjusted() > 17:
        raise invalid(SENSELESS)
    _, digits, exponent = amount.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    shift = int(exponent) + len(digits) - len(significant) + decimals
    if shift < 0 or len(significant) + shift > LONGEST:
        raise invalid(SENSELESS)
    return int(significant) * int(10**shift)


def to_major(minor: int, decimals: int) -> Decimal:
    """Minor units as a Decimal of major units with exactly the currency's decimals."""
    return Decimal((minor < 0, tuple(map(int, str(abs(minor)))), -decimals))
