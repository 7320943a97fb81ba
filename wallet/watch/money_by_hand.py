"""Money that operators made: credits, deposits that they confirmed by hand, withdrawals that they gave back
afterwards, and debt that they wrote off.

Rule: one of more than ALERT_AMOUNT, or all of a currency on one day (UTC), whoever made them, of more than
ALERT_AMOUNT_PER_DAY.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Q, QuerySet, Sum

from wallet.alerts import raise_once
from wallet.currencies import show_amount
from wallet.models import Alert, Entry
from wallet.watch.amounts import minor_units

Kind = Alert.Kind
Account = Entry.Account
MADE_FROM = (Account.ADJUSTMENTS, Account.GAME_PAYOUT, Account.GAME_REVENUE)
# By the account that is debited: what the operator did.
WORDS: dict[str | None, str] = {
    Account.ADJUSTMENTS: "credited {} to {}",
    Account.GAME_PAYOUT: "confirmed a deposit of {} to {}",
    Account.GAME_REVENUE: "gave back a withdrawal of {} to {}",
    Account.WRITE_OFF: "wrote off {} of the debt of {}",
}


def watch_money_by_hand(since: datetime, at: datetime) -> int:
    """Returns how many alerts are new."""
    entries = list(made_by_hand(since).select_related("wallet__player", "transaction"))
    new = sum(tell_one(entry) for entry in entries)
    return new + sum(tell_day(code, at) for code in sorted({entry.wallet.currency_id for entry in entries}))


def made_by_hand(since: datetime) -> QuerySet[Entry]:
    """The entries of money that operators made since then."""
    made = Q(credit=Account.SPENDABLE, debit__in=MADE_FROM) | Q(debit=Account.WRITE_OFF)
    return Entry.objects.filter(made, at__gte=since, actor__startswith="operator:")


def tell_one(entry: Entry) -> bool:
    code, amount = entry.wallet.currency_id, entry.amount or 0
    if entry.transaction is None or amount <= minor_units(settings.ALERT_AMOUNT, code):
        return False
    words = WORDS[entry.debit].format(show_amount(amount, code), entry.wallet.player.uid)
    text = f"{entry.actor} {words}. Reason: {entry.transaction.reason}"
    return raise_once(Kind.MONEY_BY_HAND, str(entry.transaction_id), text, wallet=entry.wallet)


def tell_day(code: str, at: datetime) -> bool:
    """All of a currency that was made on the day of a moment."""
    began = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    made = made_by_hand(began).filter(wallet__currency_id=code).aggregate(whole=Sum("amount"))["whole"] or 0
    most = minor_units(settings.ALERT_AMOUNT_PER_DAY, code)
    if made <= most:
        return False
    text = f"On this day operators made {show_amount(int(made), code)}: more than {show_amount(most, code)}."
    return raise_once(Kind.MONEY_BY_HAND, f"{code} {began:%Y-%m-%d}", text)
