"""Amounts as operators read and write them: in major units, with all of the currency's decimals."""

import re
from collections.abc import Callable
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import Condition, Given, Rows, choice
from lib.backoffice.forms import TextWidget
from lib.backoffice.languages import _
from wallet.currencies import decimals_of, show_amount
from wallet.models import Currency
from wallet.money import InvalidAmount, to_major, to_minor

WRITTEN = re.compile(r"\d{1,18}(\.\d{1,4})?", re.ASCII)
WITH_DECIMALS = _(
    "Enter an amount of {code} greater than zero, with at most {decimals} decimals after a point, and no "
    "other characters."
)
WITHOUT_DECIMALS = _(
    "Enter an amount of {code} greater than zero, without decimals, and no other characters."
)


def bare_cell(minor: int | None, code: str) -> SafeString:
    """An amount in a table whose title names the currency."""
    return digits(show_amount(minor, code).removesuffix(f" {code}"))


def amount_cell(minor: int | None, code: str) -> SafeString:
    """An amount in a table: digits of one width below each other, never broken over two lines."""
    return digits(show_amount(minor, code))


def digits(text: str) -> SafeString:
    return format_html('<span class="wallet-id wallet-amount">{}</span>', text)


def amount_conditions(field: str, currency: str) -> tuple[Condition, ...]:
    """Conditions of a list: the currency, at `currency`, and amounts of it, at `field`."""
    return (
        choice("currency", _("Currency (for amounts)"), currency, currencies),
        Condition("amount_from", _("Amount from"), amounts(f"{field}__gte")),
        Condition("amount_to", _("Amount to"), amounts(f"{field}__lte")),
    )


def currencies() -> list[tuple[str, str]]:
    return [(code, code) for code in Currency.objects.order_by("code").values_list("code", flat=True)]


def amounts(lookup: str) -> Callable[[Rows, str, Given], Rows]:
    """Rows that compare so with an amount in major units of the currency that is given as well."""

    def narrow(rows: Rows, value: str, given: Given) -> Rows:
        decimals = decimals_of(given.get("currency", ""))
        if decimals is None or not WRITTEN.fullmatch(value):
            return rows.none()
        try:
            return rows.filter(**{lookup: to_minor(Decimal(value), decimals)})
        except InvalidAmount:
            return rows.none()

    return narrow


def amount_column(label: str, minor: columns.Source, code: str) -> columns.Column:
    """A column of amounts: where the minor units are, and where the currency's code."""
    return columns.Column(
        label, lambda row: amount_cell(columns.read(row, minor), str(columns.read(row, code)))
    )


def written(minor: int, code: str) -> str:
    """Minor units as a form shows them: in major units, without separators between thousands."""
    return str(to_major(minor, decimals_of(code) or 0))


class AmountField(forms.CharField):
    """An amount in major units of one currency, read as a decimal; its value is in minor units."""

    def __init__(self, currency: Currency, **options: object) -> None:
        super().__init__(widget=TextWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}), **options)  # type: ignore[arg-type]
        self.currency = currency

    def clean(self, value: object) -> int | None:
        text = str(super().clean(value))
        if not text:
            return None
        decimals = self.currency.decimals
        wrong = ValidationError(
            (WITH_DECIMALS if decimals else WITHOUT_DECIMALS).format(
                code=self.currency.code, decimals=decimals
            )
        )
        if not WRITTEN.fullmatch(text):
            raise wrong
        try:
            return to_minor(Decimal(text), decimals)
        except InvalidAmount as problem:
            raise wrong from problem
