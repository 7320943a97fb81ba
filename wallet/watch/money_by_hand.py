"""Money that operators made: credits, and deposits that they confirmed by hand.

Rule: one of more than ALERT_AMOUNT, or all of a currency on one day (UTC), whoever made them, of more than
ALERT_AMOUNT_PER_DAY.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.db.models import QuerySet, Sum

from wallet.alerts import raise_once
from wallet.currencies import show_amount
from wallet.models import Alert, Entry
from wallet.watch.amounts import minor_units

Kind = Alert.Kind
MADE_FROM = (Entry.Account.ADJUSTMENTS, Entry.Account.GAME_PAYOUT)


def watch_money_by_hand(since: datetime, at: datetime) -> int:
    """Returns how many alerts are new."""
    entries = list(made_by_hand(since).select_related("wallet__player", "transaction"))
    new = sum(tell_one(entry) for entry in entries)
    return new + sum(tell_day(code, at) for code in sorted({entry.wallet.currency_id for entry in entries}))


def made_by_hand(since: datetime) -> QuerySet[Entry]:
    """The entries of money that operators made since then."""
    return Entry.objects.filter(
        at__gte=since, actor__startswith="operator:", credit=Entry.Account.SPENDABLE, debit__in=MADE_FROM
    )


def tell_one(entry: Entry) -> bool:
    code, amount = entry.wallet.currency_id, entry.amount or 0
    if entry.transaction is None or amount <= minor_units(settings.ALERT_AMOUNT, code):
        return False
    words = "credited" if entry.debit == Entry.Account.ADJUSTMENTS else "confirmed a deposit of"
    text = (
        f"{entry.actor} {words} {show_amount(amount, code)} to {entry.wallet.player.uid}. "
        f"Reason: {entry.transaction.reason}"
    )
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
