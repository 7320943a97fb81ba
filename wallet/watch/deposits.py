"""What games pay out in the course of time.

Rule: the deposits of a game in a currency that were confirmed within the last hour are more than FACTOR times
its usual hour, and more than ALERT_AMOUNT. The usual hour is the average of the hours (UTC) of the 14 days
before in which there were any; with fewer than LEAST_HOURS of them nothing is usual yet.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection

from wallet.alerts import clear_alert, raise_alert
from wallet.currencies import show_amount
from wallet.models import Alert, DepositSpan
from wallet.placement import beside
from wallet.watch.amounts import minor_units

Kind = Alert.Kind
FACTOR, LEAST_HOURS = 5, 24
SPAN, HOUR, KEPT = timedelta(minutes=5), timedelta(hours=1), timedelta(days=14)
# What is summed up anew in each run: spans that are over, but may have been read before all was committed.
COUNT = f"""
    INSERT INTO wallet_depositspan AS known (game_id, currency_id, began_at, amount)
    SELECT t.game_id, w.currency_id, date_bin('5 minutes', e.at, '2020-01-01T00:00:00Z'), sum(e.amount)
    FROM wallet_entry e
    JOIN wallet_transaction t ON t.id = e.transaction_id{beside("t", "e")}
    JOIN wallet_wallet w ON w.id = e.wallet_id{beside("w", "e")}
    WHERE e.at >= %(since)s AND e.at < %(until)s AND e.event = 'confirmed' AND e.debit = 'game_payout'
    GROUP BY 1, 2, 3
    ON CONFLICT (game_id, currency_id, began_at) DO UPDATE SET amount = excluded.amount
"""  # noqa: S608 (our own constants)
# The last hour of each game and currency beside its usual one.
HOURS = """
    WITH hourly AS (
        SELECT game_id, currency_id, date_trunc('hour', began_at) AS hour, sum(amount) AS amount
        FROM wallet_depositspan WHERE began_at >= %(kept)s AND began_at < %(hour)s GROUP BY 1, 2, 3
    )
    SELECT game.slug, latest.currency_id, latest.amount, usual.hours, usual.amount
    FROM (SELECT game_id, currency_id, sum(amount) AS amount FROM wallet_depositspan
          WHERE began_at >= %(hour)s GROUP BY 1, 2) latest
    JOIN players_game game ON game.id = latest.game_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS hours, avg(hourly.amount) AS amount FROM hourly
        WHERE hourly.game_id = latest.game_id AND hourly.currency_id = latest.currency_id) usual
"""


def watch_deposits(since: datetime, at: datetime) -> int:
    """Returns how many alerts are new."""
    count_spans(since, at)
    with connection.cursor() as cursor:
        cursor.execute(HOURS, {"kept": at - KEPT, "hour": at - HOUR})
        found = cursor.fetchall()
    return sum(tell(*row) for row in found)


def count_spans(since: datetime, at: datetime) -> None:
    """Sums up what was confirmed, in whole spans; forgets what is old."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"since": span_of(since), "until": at})
    DepositSpan.objects.filter(began_at__lt=at - KEPT - HOUR).delete()


def span_of(moment: datetime) -> datetime:
    """The beginning of the span of a moment."""
    return moment - timedelta(seconds=moment.timestamp() % SPAN.total_seconds())


def tell(slug: str, code: str, latest: Decimal, hours: int, usual: Decimal | None) -> bool:
    """Raises the alert of a game and currency, or ends it. Returns whether it is new."""
    subject = f"{slug} {code}"
    is_usual = hours < LEAST_HOURS or latest <= FACTOR * (usual or 0)
    if is_usual or latest <= minor_units(settings.ALERT_AMOUNT, code):
        clear_alert(Kind.DEPOSITS_UNUSUAL, subject, reason="The deposits of an hour are as usual again.")
        return False
    text = (
        f"{slug} confirmed deposits of {show_amount(int(latest), code)} within an hour. "
        f"Usual are {show_amount(int(usual or 0), code)}: the average of {hours} hours with deposits."
    )
    return raise_alert(Kind.DEPOSITS_UNUSUAL, subject, text)
