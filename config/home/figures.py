"""What has been summed up for the first page, by the filters of its address: so many queries, always."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Sum
from django.http import QueryDict

from lib.standby import reader
from players.models import Game
from wallet.audit.daily_totals import DAY
from wallet.models import ClosedDay, Currency, DailyActivity, Entry, FiguresDay, HourActivity, Liability

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
HOURS = f"""
    SELECT day_id, currency_id, account, sum(debits), sum(credits) FROM wallet_hourtotal
    WHERE day_id = ANY (%(days)s) AND hour < %(until)s AND account <> ALL (%(left_out)s) AND {FILTERED}
    GROUP BY day_id, currency_id, account
"""
GAMES = f"""
    WITH sums AS (
        SELECT game_id, currency_id, day_id, hour < %(until)s AS is_compared,
            coalesce(sum(credits - debits) FILTER (WHERE account = 'game_revenue'), 0) AS spent,
            coalesce(sum(debits - credits) FILTER (WHERE account = 'game_payout'), 0) AS won
        FROM wallet_hourtotal
        WHERE day_id = ANY (%(days)s) AND (hour < %(until)s OR day_id = %(today)s)
            AND account IN ('game_revenue', 'game_payout') AND game_id IS NOT NULL AND {FILTERED}
        GROUP BY game_id, currency_id, day_id, is_compared)
    SELECT g.id, g.name, currency_id,
        coalesce(sum(spent) FILTER (WHERE day_id = %(today)s), 0),
        coalesce(sum(won) FILTER (WHERE day_id = %(today)s), 0),
        coalesce(sum(spent - won) FILTER (WHERE is_compared AND day_id = %(today)s), 0),
        coalesce(sum(spent - won) FILTER (WHERE is_compared AND day_id = %(yesterday)s), 0),
        coalesce(sum(spent - won) FILTER (WHERE is_compared AND day_id = %(week)s), 0)
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
    """A game in one currency, in minor units: spent and won today so far.

    `net` is spent less won on the three days that are compared, each up to the same hour.
    """

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
    """All of the page's figures. `unfinished` days of the chart count as nothing until they are summed up.

    `until` is the last full hour of today that is summed up: `compared` and `came` are what had moved by then
    on each of the days that are compared, and who had played.
    """

    today: date
    read_up_to: datetime | None
    until: int
    unfinished: int
    totals: Totals
    compared: Totals
    games: list[GameRow]
    activity: Activity
    came: Activity
    liabilities: dict[str, dict[str, int]]
    weighed_at: datetime | None

    @property
    def days(self) -> tuple[date, date, date]:
        """Those that are compared."""
        return compared_days(self.today)

    @property
    def charted(self) -> list[date]:
        """The days of a chart, the oldest first."""
        return [self.today - number * DAY for number in range(CHART_DAYS, -1, -1)]


def compared_days(today: date) -> tuple[date, date, date]:
    """Today, yesterday, and the same day of the week before."""
    return today, today - DAY, today - WEEK


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
    by_hour = {day for day in compared_days(today) if day in folded and folded[day].by_hour}
    latest = folded.get(today)
    until = latest.read_up_to.astimezone(UTC).hour if latest and latest.by_hour else 0
    held, weighed_at = read_liabilities(choice)
    return Figures(
        today=today,
        read_up_to=latest.read_up_to if latest else None,
        until=until,
        unfinished=sum(
            day not in folded or (day in compared_days(today) and day not in by_hour) for day in closed
        ),
        totals=read_totals(choice, first, today),
        compared=read_compared(choice, today, until),
        games=list(read_games(choice, today, until)),
        activity=read_activity(choice, first, today),
        came=read_came(choice, today, until),
        liabilities=held,
        weighed_at=weighed_at,
    )


def read_totals(choice: Choice, first: date, today: date) -> Totals:
    """What whole days moved; of today, what it moved so far."""
    return moved_by(TOTALS, choice, first=first, today=today)


def read_compared(choice: Choice, today: date, until: int) -> Totals:
    """What the days that are compared had moved by the hour `until`."""
    return moved_by(HOURS, choice, days=list(compared_days(today)), until=until)


def moved_by(statement: str, choice: Choice, **given: Any) -> Totals:
    """What a statement says of each day, currency and account; the players' own are left out."""
    with reader().cursor() as cursor:
        cursor.execute(statement, given | {"left_out": list(PLAYERS_OWN)} | choice.parameters)
        return {
            (day, code, account): Moved(int(debits), int(credits))
            for day, code, account, debits, credits in cursor.fetchall()
        }


def read_games(choice: Choice, today: date, until: int) -> Iterator[GameRow]:
    """The games that moved most on the days compared, one more than `MOST_GAMES` at most."""
    days = dict(zip(("today", "yesterday", "week"), compared_days(today), strict=True))
    given: dict[str, Any] = {"days": list(days.values()), "until": until, "most": MOST_GAMES + 1}
    with reader().cursor() as cursor:
        cursor.execute(GAMES, given | days | choice.parameters)
        rows = cursor.fetchall()
    for id, name, code, spent, won, *net in rows:
        now_, before, week = map(int, net)
        yield GameRow(id, name, code, int(spent), int(won), (now_, before, week))


def read_activity(choice: Choice, first: date, today: date) -> Activity:
    """Who played on whole days; of today, who played so far."""
    return numbers_of(DailyActivity.objects.filter(day__gte=first, day__lte=today), choice)


def read_came(choice: Choice, today: date, until: int) -> Activity:
    """Who had played by the hour `until` on the days that are compared."""
    return numbers_of(HourActivity.objects.filter(day__in=compared_days(today), hour__lt=until), choice)


def numbers_of(rows: QuerySet[Any], choice: Choice) -> Activity:
    """Players and sessions by day. Those of tests and others are never the same, so their numbers add up."""
    rows = rows.filter(game=choice.game, currency=choice.currency or None)
    if not choice.with_test:
        rows = rows.filter(is_test=False)
    found = rows.values_list("day_id").annotate(Sum("players"), Sum("sessions"))
    return {day: (int(players), int(sessions)) for day, players, sessions in found}


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
