"""What changes of the configuration have in common that are about amounts."""

from typing import Any, ClassVar

from players.approvals.configuration import ConfigurationChange, Values
from wallet.currencies import show_amount


class AmountChange(ConfigurationChange):
    """The fields `amounts`, in minor units, go with their currency, as pairs; None where there is no amount.

    `currency` is the attribute of a row that has the currency's code, and `no_amount` says what none means.
    """

    amounts: ClassVar[tuple[str, ...]]
    currency: ClassVar[str]
    no_amount: ClassVar[str]

    def values(self, row: Any) -> Values:
        found, code = super().values(row), getattr(row, self.currency)
        return found | {name: [found[name], code] if found[name] else None for name in self.amounts}

    def words(self, name: str, values: Values) -> str:
        if name not in self.amounts:
            return super().words(name, values)
        value = values.get(name)
        return show_amount(*value) if value else self.no_amount

    def set_fields(self, row: Any, after: Values) -> list[str]:
        amounts = {
            name: value[0] if value else self.field(name).get_default()
            for name, value in after.items()
            if name in self.amounts
        }
        return super().set_fields(row, {**after, **amounts})
