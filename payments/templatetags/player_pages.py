"""How amounts and times are written on pages for players, in the language of the page."""

from datetime import datetime

from django import template
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.translation import pgettext

from wallet.currencies import decimals_of
from wallet.money import to_major

register = template.Library()


@register.filter
def amount(minor: int, currency: str) -> str:
    """Minor units with the currency's decimals and its code."""
    decimals = decimals_of(currency)
    if decimals is None:
        raise AssertionError("currencies are never deleted")
    number = number_format(
        to_major(minor, decimals), decimal_pos=decimals, use_l10n=True, force_grouping=True
    )
    return f"{number}\N{NO-BREAK SPACE}{currency}"


@register.filter
def moment(at: datetime) -> str:
    """A moment in UTC, which it says."""
    # Translators: a day and a time, in the letters of Django's date filter.
    return format_date(at, pgettext("date and time", r"j F Y, H:i \U\T\C"))
