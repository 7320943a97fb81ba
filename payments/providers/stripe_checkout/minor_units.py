"""Stripe's minor units, and ours.

Stripe's are not those of ISO 4217 everywhere; ours are as a currency was set up here.
"""

import re

from lib.backoffice.languages import stored

CODE = re.compile(r"[A-Z]{3}")
ZERO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# Two decimals that have to be noughts: these lost theirs, and Stripe's amounts did not change.
WHOLE_UNITS = frozenset({"ISK", "UGX"})
# Codes that nobody pays in: metals, baskets, units of account.
PAID_X = frozenset({"XAF", "XCD", "XCG", "XOF", "XPF"})
NEVER_PAID = frozenset({"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"})


class Inexpressible(Exception):
    """An amount that the other side's minor units cannot say; the text is for operators."""


def is_payable(currency: str) -> bool:
    """Whether a card can pay in that currency at all; which of those an account takes is Stripe's to say."""
    return (
        CODE.fullmatch(currency) is not None
        and currency not in NEVER_PAID
        and (not currency.startswith("X") or currency in PAID_X)
    )


def stripe_decimals(currency: str) -> int:
    """The decimals of a currency in Stripe's amounts."""
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def to_stripe(minor: int, currency: str, decimals: int) -> int:
    """Our minor units of a currency with `decimals` in Stripe's. Raises `Inexpressible`."""
    amount = rescaled(minor, decimals, stripe_decimals(currency))
    # Of three decimals the networks carry two.
    step = 100 if currency in WHOLE_UNITS else 10 if currency in THREE_DECIMALS else 1
    if amount is None or amount % step:
        raise Inexpressible(
            f"Stripe cannot take {minor} minor units of {currency}: "
            "they are no whole number of what it counts in."
        )
    return amount


def from_stripe(amount: int, currency: str, decimals: int) -> int:
    """Stripe's minor units in ours of a currency with `decimals`. Raises `Inexpressible`."""
    minor = rescaled(amount, stripe_decimals(currency), decimals)
    if minor is None:
        words = stored("Stripe's amount is no whole number of our minor units of {currency}")
        raise Inexpressible(words.format(currency=currency))
    return minor


def rescaled(amount: int, before: int, after: int) -> int | None:
    """An amount with `before` decimals in units with `after`, or None where that is no whole number."""
    if after >= before:
        return amount * int(10 ** (after - before))
    whole, rest = divmod(amount, int(10 ** (before - after)))
    return None if rest else whole
