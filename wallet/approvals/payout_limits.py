"""What a game may pay out in a currency."""

from lib.backoffice.languages import _
from wallet.approvals.amounts import AmountChange
from wallet.models import PayoutLimit

AMOUNTS = ("largest_deposit", "daily_payout")
UNLIMITED = _("unlimited")


class PayoutLimitChange(AmountChange):
    """Nothing of a limit is changed by one person."""

    name, title, permission = (
        "change_payout_limit",
        _("change of a payout limit"),
        "wallet.change_game_limits",
    )
    about, model = "wallet.payoutlimit", PayoutLimit
    fields = ("game", "currency", *AMOUNTS)
    guarded = amounts = AMOUNTS
    currency, no_amount = "currency_id", UNLIMITED


PAYOUT_LIMIT_CHANGE = PayoutLimitChange()
