"""What moved on accounts through games in any time: of whole days what is folded, else by the journal."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from lib.standby import reader
from wallet.audit.daily_totals import DAY, begin
from wallet.models import FiguresDay
from wallet.placement import beside

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
FOLDED = """
    SELECT game_id, currency_id, account, sum(credits - debits) FROM wallet_gametotal
    WHERE day_id = ANY (%(days)s) AND NOT is_test
        AND (%(game)s::uuid IS NULL OR game_id = %(game)s)
        AND (%(currency)s = '' OR currency_id = %(currency)s)
    GROUP BY game_id, currency_id, account
"""
# Joined by one column each, as `wallet.figures.MOVED` is.
JOURNAL = f"""
    SELECT game_id, currency_id, leg.account, sum(leg.net)
    FROM (
        SELECT t.game_id, w.currency_id, e.debit, e.credit, sum(e.amount)::numeric(40) AS amount
        FROM wallet_entry e
        JOIN wallet_wallet w ON w.id = e.wallet_id{beside("w", "e")}
        JOIN players_player p ON p.id = w.player_id
        LEFT JOIN wallet_transaction t ON t.id = e.transaction_id{beside("t", "e")}
        WHERE e.at >= %(since)s AND e.at < %(until)s AND e.amount IS NOT NULL AND NOT p.is_test
            AND (%(game)s::uuid IS NULL OR t.game_id = %(game)s)
            AND (%(currency)s = '' OR w.currency_id = %(currency)s)
        GROUP BY 1, 2, 3, 4
    ) moved
    CROSS JOIN LATERAL (VALUES (debit, -amount), (credit, amount)) AS leg (account, net)
    WHERE leg.account IS NOT NULL
    GROUP BY game_id, currency_id, leg.account
"""  # noqa: S608 (our own constants)


class Account(NamedTuple):
    """An account of a game, or of none, in a currency."""

    game_id: UUID | None
    currency: str
    name: str


# What was credited less what was debited, by account, in minor units.
Net = Counter[Account]


def net_between(since: datetime, until: datetime, *, currency: str = "", game: UUID | None = None) -> Net:
    """What moved from `since` to before `until`, without test players.

    Who was marked as one only after a day was folded is still in what is folded of it.
    """
    days = folded_days(since, until)
    given = {"game": game, "currency": currency, "days": days}
    with reader().cursor() as cursor:
        cursor.execute(FOLDED, given)
        rows = cursor.fetchall()
        for begins, ends in gaps(since, days, until):
            cursor.execute(JOURNAL, given | {"since": begins, "until": ends})
            rows += cursor.fetchall()
    net: Net = Counter()
    for game_id, code, name, moved in rows:
        net[Account(game_id, code, name)] += int(moved)
    return net


def folded_days(since: datetime, until: datetime) -> list[date]:
    """The days (UTC) that lie within and are folded for good, in their order."""
    final = FiguresDay.objects.filter(is_final=True, day__gte=since.astimezone(UTC).date())
    days = final.filter(day__lt=until.astimezone(UTC).date()).order_by("day").values_list("day", flat=True)
    return [day for day in days if begin(day) >= since]


def gaps(since: datetime, days: list[date], until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The times within that none of these days covers."""
    for day in days:
        if since < begin(day):
            yield since, begin(day)
        since = begin(day + DAY)
    if since < until:
        yield since, until
