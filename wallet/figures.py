"""Sums up the journal for the admin's first page: by day and game, without test players, a minute ago.

The latest days are summed up by the hour as well: what has happened so far today is compared with as much of
the days before. A day is added to while it lasts, and summed up anew from its whole journal once it is
closed. So whatever was committed too late to be seen, or was of a player who was marked as a test player
since, is right in the end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q

from lib.backoffice.languages import stored
from lib.clock import now
from wallet.audit.daily_totals import DAY, begin, patiently
from wallet.job_runs import Run, wait_for_turn
from wallet.models import ClosedDay, FiguresDay, Liability
from wallet.placement import beside, change_by

# An entry takes its time under its wallet's lock, and is seen when that statement is committed.
MARGIN = timedelta(seconds=30)
# Of days that were closed and are not final, one run sums up so many: the newest first.
MOST_DAYS = 10
# Days whose hours are kept, today with them: a week ago is looked at, and there may be one day more.
DAYS_BY_HOUR = 9
# All wallets are read for it.
LIABILITIES_EVERY = timedelta(minutes=5)

# Joined by one column each, as `wallet.audit.daily_totals.MOVED` is. The journal is read once for both.
MOVED = f"""
        SELECT t.game_id, w.currency_id, p.is_test, e.debit, e.credit,
            extract(hour FROM e.at AT TIME ZONE 'UTC')::smallint AS hour, sum(e.amount)::numeric(40) AS amount
        FROM wallet_entry e
        JOIN wallet_wallet w ON w.id = e.wallet_id{beside("w", "e")}
        JOIN players_player p ON p.id = w.player_id
        LEFT JOIN wallet_transaction t ON t.id = e.transaction_id{beside("t", "e")}
        WHERE e.at >= %(since)s AND e.at < %(until)s AND e.amount IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 (our own constants)
MOVED_COLUMNS = """
    game_id uuid, currency_id text, is_test boolean, debit text, credit text, hour smallint, amount numeric
"""
ADD_TOTALS = """
    by_hour AS (
        SELECT m.hour, m.game_id, m.currency_id, m.is_test, leg.account,
            sum(leg.debited) AS debits, sum(leg.credited) AS credits
        FROM found m
        CROSS JOIN LATERAL (VALUES (m.debit, m.amount, 0::numeric), (m.credit, 0::numeric, m.amount))
            leg (account, debited, credited)
        WHERE leg.account IS NOT NULL
        GROUP BY m.hour, m.game_id, m.currency_id, m.is_test, leg.account),
    hours AS (
        INSERT INTO wallet_hourtotal
            (day_id, hour, game_id, currency_id, is_test, account, debits, credits)
        SELECT %(day)s, hour, game_id, currency_id, is_test, account, debits, credits FROM by_hour
        ON CONFLICT (day_id, hour, game_id, currency_id, is_test, account) DO UPDATE SET
            debits = wallet_hourtotal.debits + EXCLUDED.debits,
            credits = wallet_hourtotal.credits + EXCLUDED.credits)
    INSERT INTO wallet_gametotal (day_id, game_id, currency_id, is_test, account, debits, credits)
    SELECT %(day)s, game_id, currency_id, is_test, account, sum(debits), sum(credits) FROM by_hour
    GROUP BY game_id, currency_id, is_test, account
    ON CONFLICT (day_id, game_id, currency_id, is_test, account) DO UPDATE SET
        debits = wallet_gametotal.debits + EXCLUDED.debits,
        credits = wallet_gametotal.credits + EXCLUDED.credits
"""
ADD_SESSIONS = f"""
    INSERT INTO wallet_activesession
        (day_id, session_id, player_id, game_id, currency_code, is_test, hour)
    SELECT DISTINCT ON (t.session_id) %(day)s::date, t.session_id, t.player_id, t.game_id, w.currency_id,
        p.is_test, extract(hour FROM e.at AT TIME ZONE 'UTC')
    FROM wallet_entry e
    JOIN wallet_transaction t ON t.id = e.transaction_id{beside("t", "e")}
    JOIN wallet_wallet w ON w.id = t.wallet_id{beside("w", "t")}
    JOIN players_player p ON p.id = t.player_id
    WHERE e.at >= %(since)s AND e.at < %(until)s AND e.event IN ('opened', 'declined')
        AND t.type IN ('withdrawal', 'deposit') AND t.session_id IS NOT NULL
    ORDER BY t.session_id, e.at
    ON CONFLICT DO NOTHING
"""  # noqa: S608 (our own constants)
# Who comes to a game, to a currency, and at all is counted in the hour of the first time.
COUNT_ACTIVITY = """
    WITH came AS (
        SELECT game_id, currency_code, is_test, min(hour) AS hour, 1 AS players, 0 AS sessions
        FROM wallet_activesession WHERE day_id = %(day)s
        GROUP BY player_id, is_test, CUBE (game_id, currency_code)
        UNION ALL
        SELECT game_id, currency_code, is_test, hour, 0, count(*)
        FROM wallet_activesession WHERE day_id = %(day)s
        GROUP BY is_test, hour, CUBE (game_id, currency_code)),
    by_hour AS (
        SELECT game_id, currency_code, is_test, hour, sum(players) AS players, sum(sessions) AS sessions
        FROM came GROUP BY game_id, currency_code, is_test, hour),
    hours AS (
        INSERT INTO wallet_houractivity (day_id, hour, game_id, currency_id, is_test, players, sessions)
        SELECT %(day)s, hour, game_id, currency_code, is_test, players, sessions FROM by_hour)
    INSERT INTO wallet_dailyactivity (day_id, game_id, currency_id, is_test, players, sessions)
    SELECT %(day)s, game_id, currency_code, is_test, sum(players), sum(sessions)
    FROM by_hour GROUP BY game_id, currency_code, is_test
"""
FORGET_SESSIONS = "DELETE FROM wallet_activesession WHERE day_id = %s"
FORGET_ACTIVITY = (
    "DELETE FROM wallet_dailyactivity WHERE day_id = %s",
    "DELETE FROM wallet_houractivity WHERE day_id = %s",
)
FORGET = (
    "DELETE FROM wallet_gametotal WHERE day_id = %s",
    "DELETE FROM wallet_hourtotal WHERE day_id = %s",
    FORGET_SESSIONS,
    *FORGET_ACTIVITY,
)
FORGET_HOURS = (
    "DELETE FROM wallet_hourtotal WHERE day_id < %s",
    "DELETE FROM wallet_houractivity WHERE day_id < %s",
    "UPDATE wallet_figuresday SET by_hour = false WHERE by_hour AND day < %s",
)
WEIGH = """
    INSERT INTO wallet_liability (currency_id, is_test, spendable, reserved, announced, debt, at)
    SELECT w.currency_id, p.is_test, sum(w.spendable), sum(w.reserved), sum(w.announced), sum(w.debt), %s
    FROM wallet_wallet w JOIN players_player p ON p.id = w.player_id
    GROUP BY w.currency_id, p.is_test
"""


def fold_figures(run: Run) -> None:
    """Sums up today so far, then the newest of the closed days that are not final, and weighs the wallets."""
    at = now()
    for day in live_days(at):
        add_to_day(day, at)
    for day in unfinished_days(at)[:MOST_DAYS]:
        run.looked_at += 1
        finish_day(day)
        run.done += 1
    forget_hours(at)
    weigh_wallets(at)
    words = stored("Up to {time} UTC; {number} closed days summed up for good.")
    run.note = words.format(time=f"{at - MARGIN:%H:%M:%S}", number=run.done)


def live_days(at: datetime) -> list[date]:
    """Today, and yesterday while it is not closed."""
    today = at.astimezone(UTC).date()
    days = (today - DAY, today)
    closed = set(ClosedDay.objects.filter(day__in=days).values_list("day", flat=True))
    return [day for day in days if day not in closed]


def first_by_hour(at: datetime) -> date:
    """The first day whose hours are kept at the moment `at`."""
    return at.astimezone(UTC).date() - (DAYS_BY_HOUR - 1) * DAY


def unfinished_days(at: datetime) -> list[date]:
    """The closed days that are not summed up for good, or not by the hour as yet, the newest first."""
    whole = Q(by_hour=True) | Q(day__lt=first_by_hour(at))
    final = FiguresDay.objects.filter(whole, is_final=True).values("day")
    return list(ClosedDay.objects.exclude(day__in=final).order_by("-day").values_list("day", flat=True))


def add_to_day(day: date, at: datetime) -> None:
    """Adds what has happened on a day since it was read last, up to a little before the moment `at`."""
    with one_at_a_time() as cursor:
        defaults = {"read_up_to": begin(day), "by_hour": True}
        known, _ = FiguresDay.objects.get_or_create(day=day, defaults=defaults)
        until = min(at - MARGIN, begin(day + DAY))
        since = known.read_up_to if known.by_hour else begin(day)
        if known.is_final or until <= since:
            return
        if not known.by_hour:
            # An earlier release began it.
            forget_day(cursor, day)
        add_span(cursor, day, since, until)
        FiguresDay.objects.filter(day=day).update(read_up_to=until, by_hour=True)


def finish_day(day: date) -> None:
    """Sums up a closed day from its whole journal, whatever was there of it."""
    with one_at_a_time() as cursor:
        forget_day(cursor, day)
        FiguresDay.objects.update_or_create(
            day=day, defaults={"read_up_to": begin(day + DAY), "is_final": True, "by_hour": True}
        )
        add_span(cursor, day, begin(day), begin(day + DAY))
        cursor.execute(FORGET_SESSIONS, [day])


def forget_day(cursor: Any, day: date) -> None:
    """Takes away whatever is summed up of a day."""
    for forget in FORGET:
        cursor.execute(forget, [day])


def forget_hours(at: datetime) -> None:
    """Takes away the hours of days that nothing is compared with any more at the moment `at`."""
    with one_at_a_time() as cursor:
        for forget in FORGET_HOURS:
            cursor.execute(forget, [first_by_hour(at)])


def add_span(cursor: Any, day: date, since: datetime, until: datetime) -> None:
    """Adds the journal from `since` to before `until`, which is a part of that day."""
    given = {"day": day, "since": since, "until": until}
    change_by(cursor, MOVED, MOVED_COLUMNS, ADD_TOTALS, given)
    cursor.execute(ADD_SESSIONS, given)
    if cursor.rowcount:
        for forget in FORGET_ACTIVITY:
            cursor.execute(forget, [day])
        cursor.execute(COUNT_ACTIVITY, given)


def weigh_wallets(at: datetime) -> None:
    """Sums up what all wallets hold, unless that was done just now."""
    if Liability.objects.filter(at__gt=at - LIABILITIES_EVERY, at__lte=at).exists():
        return
    with one_at_a_time() as cursor:
        Liability.objects.all().delete()
        cursor.execute(WEIGH, [at])


@contextmanager
def one_at_a_time() -> Iterator[Any]:
    """A cursor in an atomic block, while nobody else sums up figures."""
    with patiently() as cursor:
        wait_for_turn("fold_figures")
        yield cursor
