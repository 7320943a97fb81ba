"""What a game may pay out in a currency."""

from players.approvals.configuration import ConfigurationChange, Values
from wallet.currencies import show_amount
from wallet.models import PayoutLimit

AMOUNTS = ("largest_deposit", "daily_payout")
UNLIMITED = "unlimited"


class PayoutLimitChange(ConfigurationChange):
    """An amount goes with its currency, as a pair."""

    name, title, permission = "change_payout_limit", "change of a payout limit", "wallet.change_game_limits"
    about, model = "wallet.payoutlimit", PayoutLimit
    fields = ("game", "currency", *AMOUNTS)
    guarded = AMOUNTS

    def values(self, row: PayoutLimit) -> Values:
        found = super().values(row)
        for name in AMOUNTS:
            found[name] = None if found[name] is None else [found[name], row.currency_id]
        return found

    def words(self, name: str, values: Values) -> str:
        value = values.get(name)
        if name in AMOUNTS:
            return show_amount(*value) if value else UNLIMITED
        return super().words(name, values)

    def set_fields(self, row: PayoutLimit, after: Values) -> list[str]:
        amounts = {name: value and value[0] for name, value in after.items() if name in AMOUNTS}
        return super().set_fields(row, {**after, **amounts})


PAYOUT_LIMIT_CHANGE = PayoutLimitChange()
