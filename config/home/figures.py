"""What has been summed up for the first page, by the filters of its address: so many queries, always."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.http import QueryDict

from players.models import Game
from wallet.audit.daily_totals import DAY
from wallet.models import ClosedDay, Currency, DailyActivity, Entry, FiguresDay, Liability

Account = Entry.Account
WEEK = 7 * DAY
# Of a chart, today besides.
CHART_DAYS = 30
# Games to choose from, and games that a table has.
MOST_OFFERED, MOST_GAMES = 200, 25
PLAYERS_OWN = (Account.SPENDABLE, Account.RESERVED, Account.DEBT)

FILTERED = """
    (%(game)s::uuid IS NULL OR game_id = %(game)s) AND (%(currency)s = '' OR currency_id = %(currency)s)
    AND (%(with_test)s OR NOT is_test)
"""
TOTALS = f"""
    SELECT day_id, currency_id, account, sum(debits), sum(credits) FROM wallet_gametotal
    WHERE day_id BETWEEN %(first)s AND %(today)s AND account <> ALL (%(left_out)s) AND {FILTERED}
    GROUP BY day_id, currency_id, account
"""
GAMES = f"""
    WITH sums AS (
        SELECT game_id, currency_id, day_id,
            coalesce(sum(credits - debits) FILTER (WHERE account = 'game_revenue'), 0) AS spent,
            coalesce(sum(debits - credits) FILTER (WHERE account = 'game_payout'), 0) AS won
        FROM wallet_gametotal
        WHERE day_id = ANY (%(days)s) AND account IN ('game_revenue', 'game_payout') AND game_id IS NOT NULL
            AND {FILTERED}
        GROUP BY game_id, currency_id, day_id)
    SELECT g.id, g.name, currency_id,
        coalesce(sum(spent) FILTER (WHERE day_id = %(today)s), 0),
        coalesce(sum(won) FILTER (WHERE day_id = %(today)s), 0),
        coalesce(sum(spent - won) FILTER (WHERE day_id = %(today)s), 0),
        coalesce(sum(spent - won) FILTER (WHERE day_id = %(yesterday)s), 0),
        coalesce(sum(spent - won) FILTER (WHERE day_id = %(week)s), 0)
    FROM sums JOIN players_game g ON g.id = game_id
    GROUP BY g.id, g.name, currency_id
    ORDER BY sum(spent + won) DESC, g.name, currency_id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the page's address narrows the figures to; nothing chosen is None or empty."""

    game: Game | None = None
    currency: str = ""
    with_test: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """Of the statements above."""
        game = self.game.pk if self.game else None
        return {"game": game, "currency": self.currency, "with_test": self.with_test}


class GameRow(NamedTuple):
    """A game in one currency, in minor units: spent and won today, and spent less won on three days."""

    id: UUID
    name: str
    currency: str
    spent: int
    won: int
    net: tuple[int, int, int]


class Moved(NamedTuple):
    """What was debited to and credited to an account on a day, in minor units."""

    debits: int = 0
    credits: int = 0


# By day, currency and account.
Totals = dict[tuple[date, str, str], Moved]
# Active players and sessions by day.
Activity = dict[date, tuple[int, int]]


class Figures(NamedTuple):
    """All of the page's figures. `unfinished` days of the chart count as nothing until they are summed up."""

    today: date
    read_up_to: datetime | None
    unfinished: int
    totals: Totals
    games: list[GameRow]
    activity: Activity
    liabilities: dict[str, dict[str, int]]
    weighed_at: datetime | None

    @property
    def days(self) -> tuple[date, date, date]:
        """Those that are compared."""
        return self.today, self.today - DAY, self.today - WEEK

    @property
    def charted(self) -> list[date]:
        """The days of a chart, the oldest first."""
        return [self.today - number * DAY for number in range(CHART_DAYS, -1, -1)]


class Offered(NamedTuple):
    """What the filters offer."""

    games: list[Game]
    currencies: list[str]


def read_offered() -> Offered:
    games = Game.objects.order_by("slug").only("slug", "name")[:MOST_OFFERED]
    return Offered(list(games), list(Currency.objects.values_list("code", flat=True)))


def read_choice(asked: QueryDict, offered: Offered) -> Choice:
    """What an address asks for; what is not offered is left out."""
    games = {game.slug: game for game in offered.games}
    currency = asked.get("currency", "")
    return Choice(
        game=games.get(asked.get("game", "")),
        currency=currency if currency in offered.currencies else "",
        with_test=asked.get("test") == "1",
    )


def read_figures(choice: Choice, at: datetime) -> Figures:
    """The figures at the moment `at`; days are those of UTC."""
    today = at.astimezone(UTC).date()
    first = today - timedelta(days=CHART_DAYS)
    folded = {row.day: row for row in FiguresDay.objects.filter(day__range=(first, today))}
    closed = ClosedDay.objects.filter(day__range=(first, today)).values_list("day", flat=True)
    latest = folded.get(today)
    held, weighed_at = read_liabilities(choice)
    return Figures(
        today=today,
        read_up_to=latest.read_up_to if latest else None,
        unfinished=sum(day not in folded for day in closed),
        totals=read_totals(choice, first, today),
        games=list(read_games(choice, today)),
        activity=read_activity(choice, first, today),
        liabilities=held,
        weighed_at=weighed_at,
    )


def read_totals(choice: Choice, first: date, today: date) -> Totals:
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"first": first, "today": today, "left_out": list(PLAYERS_OWN)}
        cursor.execute(TOTALS, given | choice.parameters)
        return {
            (day, code, account): Moved(int(debits), int(credits))
            for day, code, account, debits, credits in cursor.fetchall()
        }


def read_games(choice: Choice, today: date) -> Iterator[GameRow]:
    """The games that moved most on the days compared, one more than `MOST_GAMES` at most."""
    days = {"today": today, "yesterday": today - DAY, "week": today - WEEK}
    given: dict[str, Any] = {"days": list(days.values()), "most": MOST_GAMES + 1}
    with connection.cursor() as cursor:
        cursor.execute(GAMES, given | days | choice.parameters)
        rows = cursor.fetchall()
    for id, name, code, spent, won, *net in rows:
        now_, before, week = map(int, net)
        yield GameRow(id, name, code, int(spent), int(won), (now_, before, week))


def read_activity(choice: Choice, first: date, today: date) -> Activity:
    """Players of tests and others are never the same, so their numbers add up."""
    rows = DailyActivity.objects.filter(
        day__gte=first, day__lte=today, game=choice.game, currency=choice.currency or None
    )
    if not choice.with_test:
        rows = rows.filter(is_test=False)
    found: Activity = defaultdict(lambda: (0, 0))
    for day, players, sessions in rows.values_list("day_id", "players", "sessions"):
        before = found[day]
        found[day] = (before[0] + players, before[1] + sessions)
    return dict(found)


def read_liabilities(choice: Choice) -> tuple[dict[str, dict[str, int]], datetime | None]:
    """What wallets hold by currency, whatever the game, and when that was."""
    rows = Liability.objects.order_by("currency_id")
    if choice.currency:
        rows = rows.filter(currency=choice.currency)
    if not choice.with_test:
        rows = rows.filter(is_test=False)
    found: dict[str, dict[str, int]] = {}
    at = None
    for row in rows:
        held = found.setdefault(row.currency_id, defaultdict(int))
        for name in ("spendable", "reserved", "announced", "debt"):
            held[name] += int(getattr(row, name))
        at = row.at
    return found, at
