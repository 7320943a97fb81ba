"""What games may pay out (contract 2.5): an operator's setting, which the ledger holds them to."""

from typing import Any

from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, TruncDate

from lib.clock import WalletNow
from wallet.models import PayoutCounter, PayoutLimit

AMOUNT: "DecimalField[Any, Any]" = DecimalField(max_digits=40, decimal_places=0)


def with_net_payout(rows: QuerySet[PayoutLimit]) -> QuerySet[PayoutLimit]:
    """The rows with `net_today`: what the game has paid out net today (UTC), in minor units.

    It is below zero if the game took in more than it paid.
    """
    today = PayoutCounter.objects.filter(
        game=OuterRef("game"), currency=OuterRef("currency"), day=TruncDate(WalletNow())
    )
    net = today.order_by().values("game").annotate(whole=Sum("net")).values("whole")
    return rows.annotate(net_today=Coalesce(Subquery(net), Value(0), output_field=AMOUNT))
