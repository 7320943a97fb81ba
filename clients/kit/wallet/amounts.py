"""Amounts as the contract has them: JSON numbers of major units, kept in minor ones (contract 1, Amounts)."""

from decimal import Decimal
from typing import Any

from clients.kit import exact_json

# Code and number of decimals: one currency of every possible kind.
DECIMALS = {"XAG": 2, "EUR": 2, "JPY": 0, "MRU": 1, "BHD": 3, "CLF": 4}
MOST_DECIMALS = 4
MOST_DIGITS = 40
LARGEST = 10**17 - 1
# What a wallet's money together stays below.
WALLET_BOUND = 10**18


class InvalidAmount(ValueError):
    """Why a value is no amount."""


def to_minor(value: object, decimals: int) -> int:
    """Minor units. Raises InvalidAmount."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidAmount("must be a number")
    number = Decimal(value)
    # What has so many digits is out of bounds; scaled, it would fill the memory.
    if not (number.is_finite() and -MOST_DIGITS < number.adjusted() < MOST_DIGITS):
        raise InvalidAmount("is out of bounds")
    numerator, denominator = number.as_integer_ratio()
    minor, rest = divmod(numerator * 10**decimals, denominator)
    if rest:
        raise InvalidAmount("must be a whole number of minor units")
    if not 0 < minor <= LARGEST:
        raise InvalidAmount("must be greater than zero, and at most 10^17 - 1 minor units")
    return int(minor)


def show(minor: int, currency: str) -> dict[str, Any]:
    """An amount as answers hold it, with the currency's own number of decimals."""
    return {"amount": Decimal(minor).scaleb(-DECIMALS[currency]), "currencyCode": currency}


def read(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`, numbers as Decimals, without what is null. Raises ValueError."""
    try:
        body = exact_json.read(raw)
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem
    if not isinstance(body, dict):
        raise ValueError("no object")  # noqa: TRY004 (one kind of error for whatever cannot be read)
    return {name: value for name, value in body.items() if value is not None}
