"""What a player may know of the own play: spent and won by month and game, and what was ever paid in."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from players.models import Game, Player
from wallet.models import Wallet
from wallet.placement import beside
from wallet.reports.period import DAY, midnight, today
from wallet.statement import seek

# With the present one, as far as it has come.
MONTHS = 12
# What a line changes of what the player holds: from and to accounts of the house.
CHANGE = """
    CASE WHEN entry.credit IN ('spendable', 'reserved', 'debt') THEN entry.amount ELSE 0 END
        - CASE WHEN entry.debit IN ('spendable', 'reserved', 'debt') THEN entry.amount ELSE 0 END
"""
PLAYED = f"""
    SELECT date_trunc('month', entry.at AT TIME ZONE %(zone)s)::date AS month, tx.game_id,
        coalesce(-sum({CHANGE}) FILTER (WHERE 'game_revenue' IN (entry.debit, entry.credit)), 0),
        coalesce(sum({CHANGE}) FILTER (WHERE 'game_payout' IN (entry.debit, entry.credit)), 0)
    FROM wallet_entry entry JOIN wallet_transaction tx ON tx.id = entry.transaction_id{beside("tx", "entry")}
    WHERE entry.player_id = %(player)s AND entry.wallet_id = %(wallet)s AND entry.seq > %(after)s
        AND tx.game_id IS NOT NULL AND {CHANGE} <> 0
    GROUP BY month, tx.game_id
"""  # noqa: S608 (our own constants)
PAID = f"""
    SELECT coalesce(sum({CHANGE}) FILTER (WHERE entry.debit = 'issuance'), 0),
        coalesce(-sum({CHANGE}) FILTER (WHERE entry.credit = 'issuance'), 0)
    FROM wallet_entry entry
    WHERE entry.player_id = %(player)s AND entry.wallet_id = %(wallet)s
        AND 'issuance' IN (entry.debit, entry.credit)
"""  # noqa: S608 (our own constants)


class Played(NamedTuple):
    """What was spent and won in a game in a month, in minor units."""

    game: str
    spent: int
    won: int


class PlayerSummary(NamedTuple):
    """The last months, the present one first, each with the games that were played in it, by their slugs.

    `paid_in` and `refunded` are what was ever credited for payments, and taken back of it, in minor units.
    """

    months: list[tuple[date, list[Played]]]
    paid_in: int = 0
    refunded: int = 0


def read_player_summary(player: Player, currency: str, at: datetime) -> PlayerSummary:
    """A player's summary in one currency at the moment `at`; it reads the wallet's whole journal.

    Spent counts once the game has confirmed it, and corrections when they are made; months are those of the
    platform's zone.
    """
    months = list(last_months(today(at)))
    wallet = Wallet.objects.filter(player=player, currency_id=currency).first()
    if wallet is None:
        return PlayerSummary([(month, []) for month in months])
    since = midnight(months[-1])
    given: dict[str, Any] = {
        "player": player.pk,
        "wallet": wallet.pk,
        "zone": settings.PLATFORM_ZONE,
        "after": seek(player, [wallet.pk], [since])[wallet.pk, since],
    }
    with connection.cursor() as cursor:
        cursor.execute(PLAYED, given)
        played = cursor.fetchall()
        cursor.execute(PAID, given)
        paid_in, refunded = cursor.fetchone()
    slugs = dict(Game.objects.filter(pk__in={row[1] for row in played}).values_list("pk", "slug"))
    by_month: dict[date, list[Played]] = {month: [] for month in months}
    for month, game_id, spent, won in played:
        # One that is yet to come is of a clock that was put forward, and back again.
        if month in by_month:
            by_month[month].append(Played(slugs[game_id], int(spent), int(won)))
    return PlayerSummary(
        [(month, sorted(games)) for month, games in by_month.items()], int(paid_in), int(refunded)
    )


def last_months(day: date) -> Iterator[date]:
    """The first days of the month of a day and of those before it, the newest first."""
    month = day.replace(day=1)
    for _number in range(MONTHS):
        yield month
        month = (month - DAY).replace(day=1)
