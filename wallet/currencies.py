"""The decimals of currencies, remembered in the process: they can never change (a trigger holds that)."""

from lib.backoffice.formatting import NOTHING
from lib.database import read_off_loop
from wallet.models import Currency
from wallet.money import Money, to_major

_decimals: dict[str, int] = {}


def decimals_of(code: str) -> int | None:
    """The number of decimals of a currency, or None where there is no such currency."""
    known = _decimals.get(code)
    if known is None:
        known = read_off_loop(read_decimals, code) if code.isascii() and code.isalnum() else None
        if known is not None:
            _decimals[code] = known
    return known


def read_decimals(code: str) -> int | None:
    return Currency.objects.filter(code=code).values_list("decimals", flat=True).first()


def show(minor: int, code: str) -> Money:
    """Minor units of a known currency as answers show them."""
    decimals = decimals_of(code)
    if decimals is None:
        raise LookupError(f"currency {code} is not known")
    return Money(to_major(minor, decimals), code)


def show_amount(minor: int | None, code: str) -> str:
    """Minor units of a known currency in major units, with its code: 1,234.50 XAG."""
    decimals = decimals_of(code)
    if minor is None or decimals is None:
        return NOTHING
    return f"{to_major(minor, decimals):,} {code}"


def forget() -> None:
    """Empties the memory; only tests make currencies anew."""
    _decimals.clear()
