"""Sums up the journal for the admin's first page: by day and game, without test players, a minute ago.

A day is added to while it lasts, and summed up anew from its whole journal once it is closed. So whatever
was committed too late to be seen, or was of a player who was marked as a test player since, is right in the
end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lib.clock import now
from wallet.audit.daily_totals import DAY, begin, patiently
from wallet.job_runs import Run, wait_for_turn
from wallet.models import ClosedDay, FiguresDay, Liability

# An entry takes its time under its wallet's lock, and is seen when that statement is committed.
MARGIN = timedelta(seconds=30)
# Of days that were closed and are not final, one run sums up so many: the newest first.
MOST_DAYS = 10
# All wallets are read for it.
LIABILITIES_EVERY = timedelta(minutes=5)

# Joined by one column each, as `wallet.audit.daily_totals.MOVED` is.
ADD_TOTALS = """
    INSERT INTO wallet_gametotal (day_id, game_id, currency_id, is_test, account, debits, credits)
    SELECT %s, m.game_id, m.currency_id, m.is_test, leg.account, sum(leg.debited), sum(leg.credited)
    FROM (
        SELECT t.game_id, w.currency_id, p.is_test, e.debit, e.credit, sum(e.amount)::numeric(40) AS amount
        FROM wallet_entry e
        JOIN wallet_wallet w ON w.id = e.wallet_id
        JOIN players_player p ON p.id = w.player_id
        LEFT JOIN wallet_transaction t ON t.id = e.transaction_id
        WHERE e.at >= %s AND e.at < %s AND e.amount IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5) m
    CROSS JOIN LATERAL (VALUES (m.debit, m.amount, 0::numeric), (m.credit, 0::numeric, m.amount))
        leg (account, debited, credited)
    WHERE leg.account IS NOT NULL
    GROUP BY m.game_id, m.currency_id, m.is_test, leg.account
    ON CONFLICT (day_id, game_id, currency_id, is_test, account) DO UPDATE SET
        debits = wallet_gametotal.debits + EXCLUDED.debits,
        credits = wallet_gametotal.credits + EXCLUDED.credits
"""
ADD_SESSIONS = """
    INSERT INTO wallet_activesession (day_id, session_id, player_id, game_id, currency_code, is_test)
    SELECT DISTINCT ON (t.session_id) %s::date, t.session_id, t.player_id, t.game_id, w.currency_id, p.is_test
    FROM wallet_entry e
    JOIN wallet_transaction t ON t.id = e.transaction_id
    JOIN wallet_wallet w ON w.id = t.wallet_id
    JOIN players_player p ON p.id = t.player_id
    WHERE e.at >= %s AND e.at < %s AND e.event IN ('opened', 'declined')
        AND t.type IN ('withdrawal', 'deposit') AND t.session_id IS NOT NULL
    ON CONFLICT DO NOTHING
"""
COUNT_ACTIVITY = """
    INSERT INTO wallet_dailyactivity (day_id, game_id, currency_id, is_test, players, sessions)
    SELECT day_id, game_id, currency_code, is_test, count(DISTINCT player_id), count(*)
    FROM wallet_activesession WHERE day_id = %s
    GROUP BY day_id, is_test, CUBE (game_id, currency_code)
"""
FORGET_SESSIONS = "DELETE FROM wallet_activesession WHERE day_id = %s"
FORGET_ACTIVITY = "DELETE FROM wallet_dailyactivity WHERE day_id = %s"
FORGET = ("DELETE FROM wallet_gametotal WHERE day_id = %s", FORGET_SESSIONS, FORGET_ACTIVITY)
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
    for day in unfinished_days()[:MOST_DAYS]:
        run.looked_at += 1
        finish_day(day)
        run.done += 1
    weigh_wallets(at)
    run.note = f"Up to {at - MARGIN:%H:%M:%S} UTC; {run.done} closed days summed up for good."


def live_days(at: datetime) -> list[date]:
    """Today, and yesterday while it is not closed."""
    today = at.astimezone(UTC).date()
    days = (today - DAY, today)
    closed = set(ClosedDay.objects.filter(day__in=days).values_list("day", flat=True))
    return [day for day in days if day not in closed]


def unfinished_days() -> list[date]:
    """The closed days that are not summed up for good, the newest first."""
    final = FiguresDay.objects.filter(is_final=True).values("day")
    return list(ClosedDay.objects.exclude(day__in=final).order_by("-day").values_list("day", flat=True))


def add_to_day(day: date, at: datetime) -> None:
    """Adds what has happened on a day since it was read last, up to a little before the moment `at`."""
    with one_at_a_time() as cursor:
        known, _ = FiguresDay.objects.get_or_create(day=day, defaults={"read_up_to": begin(day)})
        until = min(at - MARGIN, begin(day + DAY))
        if known.is_final or until <= known.read_up_to:
            return
        add_span(cursor, day, known.read_up_to, until)
        FiguresDay.objects.filter(day=day).update(read_up_to=until)


def finish_day(day: date) -> None:
    """Sums up a closed day from its whole journal, whatever was there of it."""
    with one_at_a_time() as cursor:
        for forget in FORGET:
            cursor.execute(forget, [day])
        FiguresDay.objects.update_or_create(
            day=day, defaults={"read_up_to": begin(day + DAY), "is_final": True}
        )
        add_span(cursor, day, begin(day), begin(day + DAY))
        cursor.execute(FORGET_SESSIONS, [day])


def add_span(cursor: Any, day: date, since: datetime, until: datetime) -> None:
    """Adds the journal from `since` to before `until`, which is a part of that day."""
    cursor.execute(ADD_TOTALS, [day, since, until])
    cursor.execute(ADD_SESSIONS, [day, since, until])
    if cursor.rowcount:
        cursor.execute(FORGET_ACTIVITY, [day])
        cursor.execute(COUNT_ACTIVITY, [day])


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
