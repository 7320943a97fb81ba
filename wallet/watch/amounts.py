"""Amounts that somebody should hear of, by the settings."""

from collections.abc import Mapping
from decimal import Decimal

from wallet.currencies import decimals_of


def minor_units(amounts: Mapping[str, Decimal], code: str) -> int:
    """The amount of a known currency in minor units, or else the one of all others."""
    return int(amounts.get(code, amounts[""]).scaleb(decimals_of(code) or 0))
