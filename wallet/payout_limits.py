"""What games may pay out (contract 2.5): an operator's setting, which the ledger holds them to."""

from typing import Any

from django.db import transaction
from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, TruncDate

from lib.clock import WalletNow
from players.models import Game
from wallet.models import Currency, PayoutCounter, PayoutLimit

AMOUNT: "DecimalField[Any, Any]" = DecimalField(max_digits=40, decimal_places=0)


@transaction.atomic
def set_payout_limit(
    game: Game, currency: Currency, *, largest_deposit: int | None, daily_payout: int | None
) -> PayoutLimit:
    """Bounds a game's deposits in a currency, in minor units; None: no limit.

    It counts for deposits that are announced from now on. Net payout is counted while there is a daily limit:
    on the day on which the first one is set, from that moment on.
    """
    limits = {"largest_deposit": largest_deposit, "daily_payout": daily_payout}
    row, is_new = PayoutLimit.objects.select_for_update().get_or_create(
        game=game, currency=currency, defaults=limits
    )
    if not is_new:
        row.largest_deposit, row.daily_payout = largest_deposit, daily_payout
        row.save(update_fields=list(limits))
    row.refresh_from_db()
    return row


def with_net_payout(rows: QuerySet[PayoutLimit]) -> QuerySet[PayoutLimit]:
    """The rows with `net_today`: what the game has paid out net today (UTC), in minor units.

    It is below zero if the game took in more than it paid.
    """
    today = PayoutCounter.objects.filter(
        game=OuterRef("game"), currency=OuterRef("currency"), day=TruncDate(WalletNow())
    )
    net = today.order_by().values("game").annotate(whole=Sum("net")).values("whole")
    return rows.annotate(net_today=Coalesce(Subquery(net), Value(0), output_field=AMOUNT))
