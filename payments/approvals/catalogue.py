"""A product is added, or its contents, prices or sale change."""

from typing import Any

from lib.backoffice.languages import _
from payments.models import Product
from players.approvals.configuration import NONE, ConfigurationChange, Values
from players.approvals.kinds import Execution
from wallet.currencies import show_amount

CREDIT, PRICES = "credit", "prices"


class ProductChange(ConfigurationChange):
    """The credit goes with its currency, as a pair; prices are minor units by currency."""

    name, title, permission = "change_product", _("change of a product"), "payments.change_catalogue"
    about, model = "payments.product", Product
    fields = ("game", "code", "name", "name_de", "is_delivered", "on_sale_from", "on_sale_to")
    guarded = (CREDIT, PRICES, "is_delivered", "on_sale_from", "on_sale_to")

    def values(self, row: Product) -> Values:
        # Of a row that is not saved yet, Django reads none.
        known = [] if row._state.adding else row.prices.all()  # noqa: SLF001 (documented)
        prices = {price.currency_id: price.amount for price in known}
        credit = [row.credit, row.credit_currency_id] if row.credit else None
        return {**super().values(row), CREDIT: credit, PRICES: prices}

    def label(self, name: str) -> str:
        return name.capitalize() if name in (CREDIT, PRICES) else super().label(name)

    def words(self, name: str, values: Values) -> str:
        value: Any = values.get(name)
        if name == CREDIT:
            return show_amount(*value) if value else NONE
        if name == PRICES:
            prices = sorted((value or {}).items())
            return ", ".join(show_amount(amount, code) for code, amount in prices) or NONE
        return super().words(name, values)

    def set_fields(self, row: Product, after: Values) -> list[str]:
        others = {name: value for name, value in after.items() if name != CREDIT}
        names = super().set_fields(row, others)
        if CREDIT not in after:
            return names
        row.credit, row.credit_currency_id = after[CREDIT] or (None, None)
        return [*names, "credit", "credit_currency"]

    def write(self, row: Any, after: Values, execution: Execution) -> None:
        super().write(row, after, execution)
        if PRICES not in after:
            return
        row.prices.exclude(currency__in=list(after[PRICES])).delete()
        for code, amount in after[PRICES].items():
            row.prices.update_or_create(currency_id=code, defaults={"amount": amount})


PRODUCT_CHANGE = ProductChange()
