"""Sums up the call log by game, endpoint and hour, each call once.

The log is read in the order in which calls were written (their ids say when), up to a little before now, in
spans; a span is added together with the note that it was. So a run that is cut off has added whole spans, and
the next one goes on behind them.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from lib.backoffice.languages import stored
from lib.clock import now
from lib.http.metrics import BUCKETS
from lib.ids import id_at, time_of
from wallet.audit.daily_totals import patiently
from wallet.job_runs import Run, wait_for_turn
from wallet.models import CallHour, CallLogReading
from wallet.placement import beside, change_by

# A call is written within its statement, and seen when that is committed.
MARGIN = timedelta(seconds=30)
# How much of the log one atomic block reads.
SPAN = timedelta(minutes=10)
# Then a run begins no further span: audits wait in the same queue.
RUN_SECONDS = 30.0
DAYS_KEPT = timedelta(days=14)
# A confirmation is late from then on: the game has tried it several times by its schedule (contract 2.4).
LATE = timedelta(minutes=5)
# Microseconds: a call that took less than the first is in bucket 0, one that took as long as it in 1, …
BOUNDS = [round(seconds * 1_000_000) for seconds in BUCKETS]

# A tombstone is the one transaction without an amount.
CALLED = f"""
        SELECT c.game_id, c.at, c.endpoint, c.outcome, c.replayed, c.took_us,
            c.endpoint IN ('withdraw', 'deposit') AS opens,
            c.endpoint IN ('confirmWithdrawal', 'confirmDeposit') AS confirms,
            t.id IS NOT NULL AND t.amount IS NULL AS is_tombstone, t.state, t.opened_at
        FROM wallet_apicall c
        JOIN players_game ON players_game.id = c.game_id
        LEFT JOIN wallet_transaction t ON t.id = c.transaction_id{beside("t", "c")}
        WHERE c.id >= %(since)s AND c.id < %(until)s
"""  # noqa: S608 (our own constants)
CALLED_COLUMNS = """
    game_id uuid, at timestamptz, endpoint text, outcome text, replayed boolean, took_us integer,
    opens boolean, confirms boolean, is_tombstone boolean, state text, opened_at timestamptz
"""
ADD = """
    steps AS (
        INSERT INTO wallet_integrationstep AS known (game_id, name, first_seen_at, last_seen_at)
        SELECT found.game_id, step.name, min(found.at), max(found.at)
        FROM found CROSS JOIN LATERAL (VALUES
            ('withdrawal_confirmed', endpoint = 'confirmWithdrawal' AND outcome = 'confirmed'),
            ('withdrawal_rolled_back',
                endpoint = 'rollbackWithdrawal' AND outcome = 'rolled_back' AND NOT is_tombstone
                AND state <> 'declined'),
            ('deposit_confirmed', endpoint = 'confirmDeposit' AND outcome = 'confirmed'),
            ('deposit_rolled_back',
                endpoint = 'rollbackDeposit' AND outcome = 'rolled_back' AND NOT is_tombstone
                AND state <> 'declined'),
            ('opening_repeated', opens AND replayed AND outcome = 'opened'),
            ('settlement_repeated', replayed AND outcome IN ('confirmed', 'rolled_back')),
            ('tombstone', outcome = 'rolled_back' AND is_tombstone),
            ('declined', endpoint = 'withdraw' AND outcome = 'insufficient_funds'),
            ('declined_confirmed', endpoint = 'confirmWithdrawal' AND state = 'declined'),
            ('queried', endpoint = 'queryTransaction' AND outcome = 'found')) step (name, is_seen)
        WHERE step.is_seen
        GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (game_id, name) DO UPDATE SET
            first_seen_at = least(known.first_seen_at, EXCLUDED.first_seen_at),
            last_seen_at = greatest(known.last_seen_at, EXCLUDED.last_seen_at))
    INSERT INTO wallet_callhour AS known
        (game_id, hour, endpoint, bucket, calls, refused, repeats, late)
    SELECT game_id, date_trunc('hour', at, 'UTC'), endpoint, width_bucket(took_us, %(bounds)s::integer[]),
        count(*), count(*) FILTER (WHERE outcome NOT IN ('opened', 'confirmed', 'rolled_back', 'found')),
        count(*) FILTER (WHERE replayed),
        count(*) FILTER (WHERE confirms AND outcome = 'confirmed' AND NOT replayed
                         AND at >= opened_at + %(late)s)
    FROM found GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (game_id, hour, endpoint, bucket) DO UPDATE SET
        calls = known.calls + EXCLUDED.calls, refused = known.refused + EXCLUDED.refused,
        repeats = known.repeats + EXCLUDED.repeats, late = known.late + EXCLUDED.late
"""

NEXT = "SELECT id FROM wallet_apicall WHERE id >= %s ORDER BY id LIMIT 1"


def fold_calls(run: Run) -> None:
    """Adds the spans that are complete, the oldest first, and forgets old hours."""
    end, are_more = time.monotonic() + RUN_SECONDS, True
    while are_more:
        are_more = add_next_span() and time.monotonic() < end
        run.looked_at = run.done = run.done + 1
    CallHour.objects.filter(hour__lt=now() - DAYS_KEPT).delete()
    words = stored("The call log is summed up to {time} UTC.")
    run.note = words.format(time=f"{CallLogReading.objects.get().up_to:%Y-%m-%d %H:%M:%S}")


def clock_of_ids() -> datetime:
    """The time by which ids are made: the platform's, also if it was moved (DEMO)."""
    return now()


def add_next_span() -> bool:
    """Adds what follows in the log. Returns whether there may be more."""
    with one_at_a_time() as cursor:
        at = clock_of_ids()
        end = at - MARGIN
        reading, _ = CallLogReading.objects.get_or_create(defaults={"up_to": at - DAYS_KEPT})
        if end <= reading.up_to:
            return False
        # Time without calls is passed over at once.
        until = min(next_call_at(cursor, reading.up_to) or end, end - SPAN) + SPAN
        span = {"since": id_at(reading.up_to), "until": id_at(until)}
        change_by(cursor, CALLED, CALLED_COLUMNS, ADD, {**span, "bounds": BOUNDS, "late": LATE})
        reading.up_to = until
        reading.save(update_fields=["up_to"])
        return until < end


def next_call_at(cursor: Any, since: datetime) -> datetime | None:
    """When the first call from then on was written, if there is one."""
    cursor.execute(NEXT, [id_at(since)])
    found = cursor.fetchone()
    return time_of(found[0]) if found else None


@contextmanager
def one_at_a_time() -> Iterator[Any]:
    """A cursor in an atomic block, while nobody else sums up calls."""
    with patiently() as cursor:
        wait_for_turn("fold_calls")
        yield cursor


def percentile(calls: Mapping[int, int], share: float) -> float | None:
    """How many milliseconds that share of the calls took at most, from their numbers by bucket.

    An estimate: within a bucket, times are taken to lie at equal distances. What took longer than all bounds
    is told as the last of them. None if there are no calls.
    """
    wanted = share * sum(calls.values())
    buckets = sorted(bucket for bucket in calls if calls[bucket])
    for bucket, total in zip(buckets, accumulate(calls[bucket] for bucket in buckets), strict=True):
        if total >= wanted:
            if bucket == len(BOUNDS):
                return BOUNDS[-1] / 1000
            least = BOUNDS[bucket - 1] if bucket else 0
            part = 1 - (total - wanted) / calls[bucket]
            return (least + part * (BOUNDS[bucket] - least)) / 1000
    return None
