"""Significant events of money: large wins, withdrawals and payments, single and summed, debt, adjustments."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from lib.backoffice.languages import _, format_lazy
from lib.standby import reader
from players.models import Approval
from wallet.models import Adjustment, Currency, Transaction
from wallet.placement import beside
from wallet.reports.adjustments import TAKES, requester_of
from wallet.reports.days import Span
from wallet.reports.report import Asked, Row, Thing, written
from wallet.watch.amounts import minor_units

# A day of the journal is read once. What is missing at a debit is debt, whatever the debit was for.
LARGE = f"""
    WITH bounds AS (
        SELECT * FROM unnest(%(codes)s::text[], %(singles)s::bigint[], %(days)s::bigint[])
            AS bounds (code, single, of_day)
    ), line AS MATERIALIZED (
        SELECT p.id AS player_id, p.uid, w.currency_id AS code, e.transaction_id, e.at, e.amount,
            CASE e.debit WHEN 'debt' THEN 'debt' WHEN 'game_payout' THEN 'win' WHEN 'issuance' THEN 'payment'
                ELSE 'withdrawal' END AS kind
        FROM wallet_entry e
        JOIN wallet_wallet w ON w.id = e.wallet_id{beside("w", "e")}
        JOIN players_player p ON p.id = w.player_id
        WHERE e.at >= %(since)s AND e.at < %(until)s AND NOT p.is_test
            AND (%(currency)s = '' OR w.currency_id = %(currency)s)
            AND (e.debit = 'debt' OR (e.debit IN ('game_payout', 'issuance') AND e.credit = 'spendable')
                OR (e.credit = 'game_revenue' AND e.debit IN ('reserved', 'spendable')))
    )
    SELECT kind, 1, at, player_id, uid, code, transaction_id, amount
    FROM line JOIN bounds USING (code) WHERE kind = 'debt' OR amount >= single
    UNION ALL
    SELECT kind, count(*), max(at), player_id, uid, code, NULL, sum(amount)
    FROM line JOIN bounds USING (code) WHERE kind <> 'debt'
    GROUP BY kind, player_id, uid, code, of_day HAVING count(*) > 1 AND sum(amount) >= of_day
"""  # noqa: S608 (our own constants)
SINGLE = {
    "win": _("large win"),
    "withdrawal": _("large withdrawal"),
    "payment": _("large payment"),
    "debt": _("debt"),
}
SUMMED = {
    "win": _("{number} wins of a day"),
    "withdrawal": _("{number} withdrawals of a day"),
    "payment": _("{number} payments of a day"),
}


def large_amounts(asked: Asked, span: Span) -> Iterator[Row]:
    """Wins, withdrawals and payments from REPORT_AMOUNT on, those of a player's day that come to
    REPORT_AMOUNT_PER_DAY, and what players came to owe.
    """
    codes = list(Currency.objects.order_by("code").values_list("code", flat=True))
    given: dict[str, Any] = {
        "codes": codes,
        "singles": [minor_units(settings.REPORT_AMOUNT, code) for code in codes],
        "days": [minor_units(settings.REPORT_AMOUNT_PER_DAY, code) for code in codes],
        "since": span.since,
        "until": span.until,
        "currency": asked.currency,
    }
    with reader().cursor() as cursor:
        cursor.execute(LARGE, given)
        found = cursor.fetchall()
    for kind, number, at, player_id, uid, code, transaction_id, amount in found:
        # Several, or there would be no sum.
        what = SINGLE[kind] if transaction_id else format_lazy(SUMMED[kind], number=f"{number:,}")
        about = Thing(uid, "player", player_id)
        where = Thing(str(transaction_id), "transaction", transaction_id) if transaction_id else None
        yield event(at, what, about, code, -int(amount) if kind == "debt" else int(amount), where=where)


def adjustments(asked: Asked, span: Span) -> Iterator[Row]:
    """What operators credited, debited, wrote off and booked, whatever the amount."""
    found = Adjustment.objects.filter(at__gte=span.since, at__lt=span.until, player__is_test=False)
    if asked.currency:
        found = found.filter(currency=asked.currency)
    acts = list(found.select_related("player", "operator").order_by("at", "pk"))
    decided = Approval.objects.filter(pk__in=[one.pk for one in acts], decided_by__isnull=False)
    approvers = dict(decided.values_list("pk", "decided_by__username"))
    for one in acts:
        yield event(
            one.at,
            Transaction.Type(one.type).label,
            Thing(one.player.uid, "player", one.player_id),
            one.currency_id,
            -one.amount if one.type in TAKES else one.amount,
            by=requester_of(one),
            approved_by=approvers.get(one.pk, ""),
            reason=one.reason,
            where=Thing(str(one.pk), "transaction", one.pk),
        )


def event(
    at: Any,
    what: Any,
    about: Any,
    code: str = "",
    amount: int | None = None,
    *,
    before: Any = "",
    after: Any = "",
    by: str = "",
    approved_by: str = "",
    reason: str = "",
    where: Thing | None = None,
) -> Row:
    """An event by the columns of the report."""
    persons = (written(by), written(approved_by), written(reason))
    return Row((at, what, about, code, amount, before, after, *persons, where), code)
