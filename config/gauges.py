"""What is true at this moment: numbers that are read from the database and the broker
when somebody asks for them.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import RedisError

from config.broker import broker, key_of
from config.queues import QUEUES
from lib.database import FAILURES, drop_unfit_connection
from lib.followers import nearest_follower
from lib.standby import STANDBY
from payments.models import Callback, Delivery
from wallet.models import Alert, Inquiry

logger = logging.getLogger(__name__)

# For each statement; a database that is busy has better things to do.
STATEMENT_TIMEOUT = "2s"
# Counted no further: more of anything is as bad.
MOST = 100_000
# Tasks that write down their runs, and those of them that audit.
TASKS = [name for name in settings.CELERY_BEAT_SCHEDULE if name != "pulse"]
AUDITS = [name for name in TASKS if name.startswith("audit_")]
DIFFERENCES = [Alert.Kind.WALLET_DIFFERENCE.value, Alert.Kind.LEDGER_DIFFERENCE.value]
UNDELIVERED = [
    state.value for state in (Delivery.State.PENDING, Delivery.State.GONE, Delivery.State.EXHAUSTED)
]
TO_LOOK_AT = [outcome.value for outcome in Callback.TO_LOOK_AT]
Read = Callable[[], Iterable[GaugeMetricFamily]]


class Gauges(Collector):
    """Reads each part on its own: what cannot be read is absent, and `wallet_up` of that part is 0."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily(
            "wallet_up", "Whether all numbers of this part could be read.", labels=["part"]
        )
        database_is_there = True
        for part, read in parts().items():
            # Without the database, each would wait for it in vain.
            families, is_whole = attempt(read) if database_is_there else ([], False)
            if part == "database":
                database_is_there = is_whole
            up.add_metric([part], is_whole)
            yield from families
        yield up


def attempt(read: Read) -> tuple[list[GaugeMetricFamily], bool]:
    """What `read` finds before the database or the broker fails, and whether that is all."""
    families: list[GaugeMetricFamily] = []
    try:
        families.extend(read())
    except (*FAILURES, RedisError) as problem:
        drop_unfit_connection(problem)
        logger.warning("a part of /metrics cannot be read: %s", problem)
        return families, False
    return families, True


def in_time(read: Read) -> Read:
    """The same, each statement given up after `STATEMENT_TIMEOUT`."""

    @wraps(read)
    def bounded() -> Iterator[GaugeMetricFamily]:
        with transaction.atomic():
            rows("SELECT set_config('statement_timeout', %s, true)", STATEMENT_TIMEOUT)
            yield from read()

    return bounded


def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def gauge(name: str, meaning: str, found: Any) -> GaugeMetricFamily:
    """One number; none at all where there is nothing to say."""
    family = GaugeMetricFamily(name, meaning)
    if found is not None:
        family.add_metric([], float(found))
    return family


def labelled(
    name: str, meaning: str, label: str, found: Iterable[tuple[Any, ...]], known: Iterable[str] = ()
) -> GaugeMetricFamily:
    """A number for each value of `label`; 0 for `known` ones that were not found."""
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, number in (dict.fromkeys(known, 0) | dict(found)).items():
        if number is not None:
            family.add_metric([str(value)], float(number))
    return family


@in_time
def read_connections() -> Iterator[GaugeMetricFamily]:
    [(used, most)] = rows(
        "SELECT (SELECT sum(numbackends) FROM pg_stat_database), current_setting('max_connections')::integer"
    )
    yield gauge(
        "wallet_database_connections", "Connections to the database server, whoever's they are.", used
    )
    yield gauge("wallet_database_connections_maximum", "How many the database server takes.", most)
    if nearest := nearest_follower():
        yield gauge("wallet_standbys", "How many standbys follow the database's primary.", nearest.number)
        if nearest.number:
            yield gauge(
                "wallet_standbys_lag_seconds",
                "How much the nearest of them lacks: what is lost if it takes over now.",
                nearest.lag.total_seconds(),
            )
    pulses = rows("SELECT part, extract(epoch FROM wallet_now() - at) FROM wallet_pulse")
    yield labelled(
        "wallet_heartbeat_age_seconds",
        "Since a web process, or a message through the queue, last showed life.",
        "part",
        pulses,
    )


@in_time
def read_transactions() -> Iterator[GaugeMetricFamily]:
    """From the index of what is pending alone;
    the cheapest first, should there be too much to count in time.
    """
    [(at, oldest)] = rows(
        "SELECT at, (SELECT due_at FROM wallet_transaction WHERE state = 'pending' ORDER BY due_at LIMIT 1) "
        "FROM wallet_now() AS at"
    )
    yield gauge(
        "wallet_oldest_due_age_seconds", "How long the longest due transaction has been due.", age(oldest, at)
    )
    [(due,)] = rows(
        "SELECT count(*) FROM (SELECT 1 FROM wallet_transaction WHERE state = 'pending' "
        "AND due_at <= %s LIMIT %s) due",
        at,
        MOST,
    )
    yield gauge("wallet_transactions_due", f"Transactions that are due; counted up to {MOST}.", due)
    [(pending,)] = rows(
        "SELECT count(*) FROM (SELECT 1 FROM wallet_transaction WHERE state = 'pending' "
        "AND due_at IS NOT NULL LIMIT %s) pending",
        MOST,
    )
    yield gauge(
        "wallet_transactions_pending",
        f"Transactions that wait for their game or a sweep, the due ones among them; counted up to {MOST}.",
        pending,
    )
    doubts = rows(
        """
        SELECT doubt, count(*)
        FROM (SELECT doubt FROM wallet_inquiry
              WHERE closed_at IS NULL AND doubt_since IS NOT NULL LIMIT %s) open
        GROUP BY doubt
        """,
        MOST,
    )
    yield labelled(
        "wallet_transactions_in_doubt",
        "Transactions that an operator has to decide, by the reason.",
        "doubt",
        doubts,
        Inquiry.Doubt.values,
    )
    [(waits_since,)] = rows(
        """
        SELECT least(
            (SELECT due_at FROM wallet_transaction t
             WHERE state = 'pending'
                 AND NOT EXISTS (SELECT 1 FROM wallet_inquiry i WHERE i.transaction_id = t.id)
             ORDER BY due_at LIMIT 1),
            (SELECT next_attempt_at FROM wallet_inquiry
             WHERE closed_at IS NULL AND next_attempt_at IS NOT NULL ORDER BY next_attempt_at LIMIT 1))
        """
    )
    yield gauge(
        "wallet_settling_lag_seconds",
        "For how long a sweep should have settled something, or asked about it.",
        age(waits_since, at),
    )


@in_time
def read_sweeps() -> Iterator[GaugeMetricFamily]:
    """A task that has never ended well is late since the first run that is remembered, of whatever task."""
    late = rows(
        """
        SELECT task, extract(epoch FROM wallet_now() - coalesce(
            (SELECT ended_at FROM wallet_jobrun
             WHERE task = known.task AND ended_at IS NOT NULL AND error = ''
             ORDER BY began_at DESC LIMIT 1),
            (SELECT min(began_at) FROM wallet_jobrun)))
        FROM unnest(%s::text[]) AS known (task)
        """,
        TASKS,
    )
    yield labelled("wallet_sweep_lateness_seconds", "Since a run of the sweep last ended well.", "task", late)
    failed = rows(
        """
        SELECT task, count(*)
        FROM (SELECT task FROM wallet_jobrun
              WHERE began_at > wallet_now() - interval '1 day' AND error <> '' LIMIT %s) runs
        GROUP BY task
        """,
        MOST,
    )
    yield labelled(
        "wallet_sweep_runs_failed", "Runs of the last 24 hours that failed.", "task", failed, TASKS
    )


@in_time
def read_checks() -> Iterator[GaugeMetricFamily]:
    open_ones = rows(
        "SELECT kind, count(*) FROM (SELECT kind FROM wallet_alert WHERE resolved_at IS NULL LIMIT %s) open "
        "GROUP BY kind",
        MOST,
    )
    yield labelled(
        "wallet_alerts_open", "Alerts that no operator has resolved.", "kind", open_ones, Alert.Kind.values
    )
    [(untold,)] = rows(
        """
        SELECT greatest(0, extract(epoch FROM wallet_now()
            - min(CASE WHEN m.raised_told_at IS NULL THEN a.raised_at ELSE a.resolved_at END)))
        FROM wallet_alertmessage m JOIN wallet_alert a ON a.id = m.alert_id
        WHERE m.next_attempt_at IS NOT NULL
        """
    )
    yield gauge(
        "wallet_alert_message_lag_seconds", "For how long somebody should have been told of an alert.", untold
    )
    [(unnumbered,)] = rows(
        """
        SELECT greatest(0, extract(epoch FROM wallet_now() - at)) FROM (
            SELECT (SELECT at FROM wallet_newevent WHERE n > settled ORDER BY n LIMIT 1) FROM wallet_eventhead
        ) oldest
        """
    )
    yield gauge(
        "wallet_event_lag_seconds",
        "How long the oldest event waits for its place in the feed.",
        unnumbered or 0,
    )
    audits = rows(
        """
        SELECT DISTINCT ON (task) task, extract(epoch FROM wallet_now() - ended_at)
        FROM unnest(%s::text[]) AS known (name)
        JOIN wallet_jobrun ON task = name AND ended_at IS NOT NULL AND error = ''
        ORDER BY task, began_at DESC
        """,
        AUDITS,
    )
    [(differs,)] = rows(
        "SELECT EXISTS (SELECT FROM wallet_alert WHERE resolved_at IS NULL AND kind = ANY (%s))", DIFFERENCES
    )
    yield gauge(
        "wallet_audit_ok",
        "0: an audit found a difference that no operator has resolved. 1: none.",
        not differs if audits else None,
    )
    yield labelled("wallet_audit_age_seconds", "Since that audit last came to its end.", "audit", audits)
    [(frozen,)] = rows(
        "SELECT count(*) FROM (SELECT 1 FROM wallet_wallet WHERE frozen_at IS NOT NULL LIMIT %s) frozen", MOST
    )
    yield gauge("wallet_wallets_frozen", "Wallets that no withdrawal is taken from.", frozen)
    [(age,)] = rows("SELECT extract(epoch FROM wallet_now() - max(made_at)) FROM wallet_checkpoint")
    yield gauge("wallet_checkpoint_age_seconds", "Since the last checkpoint was made.", age)


@in_time
def read_payments() -> Iterator[GaugeMetricFamily]:
    """From the indexes of what is due and of what a person has to look at."""
    [(at, delivery, refund)] = rows(
        """
        SELECT at, (SELECT next_attempt_at FROM payments_delivery d LEFT JOIN payments_shop s USING (game_id)
                    WHERE next_attempt_at IS NOT NULL AND paused_at IS NULL ORDER BY next_attempt_at LIMIT 1),
            (SELECT next_attempt_at FROM payments_refund WHERE next_attempt_at IS NOT NULL
                ORDER BY next_attempt_at LIMIT 1)
        FROM wallet_now() AS at
        """
    )
    yield gauge(
        "wallet_delivery_lag_seconds",
        "For how long a game should have been told to deliver.",
        age(delivery, at),
    )
    yield gauge(
        "wallet_refund_lag_seconds",
        "For how long a provider should have been asked about a refund.",
        age(refund, at),
    )
    [(open_refunds,)] = rows("SELECT count(*) FROM payments_refund WHERE state IN ('asked', 'unknown')")
    yield gauge(
        "wallet_refunds_open", "Refunds initiated by us whose outcome is not known yet.", open_refunds
    )
    waiting = rows(
        "SELECT state, count(*) FROM (SELECT state FROM payments_delivery WHERE state = "
        "ANY (%s) LIMIT %s) waiting "
        "GROUP BY state",
        UNDELIVERED,
        MOST,
    )
    yield labelled(
        "wallet_deliveries_undelivered",
        f"Deliveries that no game has taken, by the reason; counted up to {MOST}.",
        "state",
        waiting,
        UNDELIVERED,
    )
    pushes = rows(
        "SELECT name, greatest(0, position - cursor_position) FROM payments_eventreceiver, wallet_eventhead"
    )
    yield labelled(
        "wallet_events_waiting",
        "Events of all types that a receiver has not taken yet.",
        "receiver",
        pushes,
    )
    callbacks = rows(
        """
        SELECT outcome, count(*)
        FROM (SELECT outcome FROM payments_callback
              WHERE outcome = ANY (%s) AND resolved_at IS NULL LIMIT %s) open
        GROUP BY outcome
        """,
        TO_LOOK_AT,
        MOST,
    )
    yield labelled(
        "wallet_callbacks_to_look_at",
        "Callbacks that a person has to look at.",
        "outcome",
        callbacks,
        TO_LOOK_AT,
    )


def age(due_at: datetime | None, at: datetime) -> float:
    """Seconds since `due_at`, 0 where that is still to come."""
    return max(0.0, (at - due_at).total_seconds()) if due_at else 0.0


def read_queues() -> Iterator[GaugeMetricFamily]:
    with broker() as client:
        depths: list[tuple[str, Any]] = [(queue, client.llen(key_of(queue))) for queue in QUEUES]
        taken = client.hlen(key_of("unacked"))
    yield labelled("wallet_queue_messages", "Messages that no worker has taken yet.", "queue", depths)
    yield gauge("wallet_queue_messages_taken", "Messages that workers have taken and not finished.", taken)


def read_standby() -> Iterator[GaugeMetricFamily]:
    """Only where there is one."""
    state = STANDBY.state()
    yield gauge(
        "wallet_standby_up",
        "Whether the standby that lists and reports are read from serves.",
        bool(state and state.is_near),
    )
    yield gauge(
        "wallet_standby_lag_seconds",
        "How far the standby is behind; absent if it does not serve.",
        state and state.lag,
    )


PARTS: dict[str, Read] = {
    "broker": read_queues,
    "database": read_connections,
    "transactions": read_transactions,
    "sweeps": read_sweeps,
    "checks": read_checks,
    "payments": read_payments,
}


def parts() -> dict[str, Read]:
    """A standby is a part of the platform only if it has one."""
    return PARTS | ({"standby": read_standby} if STANDBY.is_configured else {})
