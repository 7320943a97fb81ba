"""`/metrics`: who may read it, what is counted over all processes, and what is read from the database and the
broker (contract 5).
"""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from config.celery import app
from lib.clock import now
from tests.config.test_exceptions import failing_at_the_last_step
from tests.config.test_health import wait_until
from tests.conftest import Clock
from tests.payments.conftest import shop_setup as shop_setup
from tests.support.callers import Answer, Caller, Callers, PlayerSession, basic, fresh_address, unique
from tests.support.owned import owned
from tests.support.shop import ShopSetup, event_body
from tests.support.web_server import free_port, served
from wallet.models import Alert, Checkpoint, Inquiry, JobRun, Pulse, Transaction
from wallet.operations import freeze_wallet

TOKEN = "a token that only Prometheus has, long enough"
BEARER = f"Bearer {TOKEN}"
MOMENT = datetime(2031, 5, 6, 12, tzinfo=UTC)
Owner = psycopg.Connection[Any]
Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def read(url: str | None = None) -> Numbers:
    """Every number, by its name and labels."""
    answer = Caller(BEARER, url=url).send("GET", "/metrics")
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
    families = text_string_to_metric_families(answer.raw.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def number(found: Numbers, name: str, **labels: str) -> float | None:
    return found.get((name, tuple(sorted(labels.items()))))


def answers(found: Numbers, endpoint: str, code: str) -> float:
    return number(found, "wallet_request_seconds_count", endpoint=endpoint, code=code) or 0.0


def ask(authorization: str | None = None, address: str | None = None, forwarded: str | None = None) -> Answer:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return Caller(authorization, address or fresh_address()).send("GET", "/metrics", headers=headers)


# --- Who may read it --------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [None, BEARER, "Bearer ", "Bearer", basic("prometheus", TOKEN)])
def test_metrics__are_closed_if_no_networks_and_no_token_set(authorization: str | None) -> None:
    answer = ask(authorization, "127.0.0.1")
    assert (answer.status, answer.raw) == (404, b"Not found.")


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (BEARER, 200), (f"bearer {TOKEN}", 200), (f"BEARER  {TOKEN} ", 200),
        (None, 404), ("", 404), ("Bearer", 404), ("Bearer ", 404), (f"Bearer {TOKEN}x", 404),
        (f"Bearer {TOKEN[:-1]}", 404), (f"Bearer{TOKEN}", 404),
        (TOKEN, 404), (f"Basic {TOKEN}", 404), (basic("prometheus", TOKEN), 404), ("Bearer \xfftoken", 404),
    ],
)  # fmt: skip
def test_metrics__are_opened_by_the_token_and_nothing_else(
    token: None, authorization: str | None, status: int
) -> None:
    assert ask(authorization).status == status


@pytest.mark.parametrize(
    ("address", "forwarded", "status"),
    [
        ("192.0.2.5", None, 200), ("203.0.113.9", None, 200), ("198.51.100.1", None, 404),
        ("10.0.0.1", None, 404),
        # Only a trusted proxy's word counts.
        ("198.51.100.1", "192.0.2.5", 404), ("10.0.0.1", "192.0.2.5", 200),
        ("10.0.0.1", "192.0.2.5, 198.51.100.1", 404), ("192.0.2.5", "198.51.100.1", 200),
        ("", None, 404),
    ],
)  # fmt: skip
def test_metrics__are_open_to_callers_from_allowed_networks(
    settings: Any, address: str, forwarded: str | None, status: int
) -> None:
    settings.METRICS_ALLOWED_NETWORKS = ["192.0.2.0/24", "203.0.113.9"]
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    answer = Caller(None, address).send(
        "GET", "/metrics", headers={} if forwarded is None else {"X-Forwarded-For": forwarded}
    )
    assert answer.status == status


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_metrics__are_read_only(token: None, method: str) -> None:
    assert Caller(BEARER).send(method, "/metrics").status == 405


# --- What the web server counts ---------------------------------------------------------------------


def test_metrics__count_answers_once_by_endpoint_and_error_code(
    token: None, callers: Callers, player_session: PlayerSession, owner: Owner
) -> None:
    before = read()
    mm = player_session.opened("withdraw", "10.00")
    player_session.done("confirmWithdrawal", mm)
    player_session.done("getBalance")
    assert player_session.call("withdraw", unique("mm"), "1000.00").error == 104
    assert player_session.call("withdraw", unique("mm"), "-1").error == 101
    assert player_session.call("rollbackWithdrawal", mm).error == 107
    with failing_at_the_last_step(owner):
        assert player_session.call("withdraw", unique("mm"), "1.00").status == 500
    callers.front.put(f"/entry/players/{unique('p')}", {})
    assert callers.front.send("GET", "/entry/launch").status == 405
    assert Caller(None).post("/wallet/withdraw", {}).status == 401
    assert player_session.caller.post(f"/wallet/{unique('nothing')}", {}).status == 404
    Caller(None).send("GET", "/admin/login/")
    after = read()
    counted = {
        (labels["endpoint"], labels["code"]): value - before.get((name, pairs), 0.0)
        for (name, pairs), value in after.items()
        if name == "wallet_request_seconds_count"
        and value != before.get((name, pairs))
        and (labels := dict(pairs))
    }
    assert counted == {
        ("withdraw", "0"): 1, ("withdraw", "101"): 1, ("withdraw", "104"): 1, ("withdraw", "500"): 1,
        ("confirmWithdrawal", "0"): 1,
        ("getBalance", "0"): 1, ("rollbackWithdrawal", "107"): 1, ("players", "0"): 1, ("launch", "405"): 1,
        ("none", "401"): 1, ("none", "404"): 1, ("admin", "0"): 1, ("metrics", "0"): 1,
    }  # fmt: skip


def test_metrics__unanswered_call_counts_as_closed(token: None, settings: Any) -> None:
    before = answers(read(), "none", "closed")
    settings.API_ALLOWED_NETWORKS = ["192.0.2.0/24"]
    Caller(None).send("POST", "/wallet/withdraw")
    assert answers(read(), "none", "closed") - before == 1


def test_metrics__latencies_are_in_buckets_of_seconds(
    token: None, player_session: PlayerSession, owner: Owner
) -> None:
    def counts() -> list[float]:
        found = read()
        return [
            number(found, "wallet_request_seconds_bucket", endpoint="withdraw", code="500", le=le) or 0
            for le in ("0.1", "0.25", "0.5", "+Inf")
        ]

    before = counts()
    with failing_at_the_last_step(owner):
        owner.execute(
            "CREATE OR REPLACE FUNCTION fail_for_the_test() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM pg_sleep(0.25); RAISE 'x'; END $$"
        )
        player_session.call("withdraw", unique("mm"), "1.00")
    assert [after - before for after, before in zip(counts(), before, strict=True)] == [0, 0, 1, 1]


@contextmanager
def counting(directory: Path, database_url: str) -> Iterator[tuple[str, Path]]:
    """A real server with two processes, and the log in which it names them."""
    log = directory / "server.log"
    with served(
        log,
        DATABASE_URL=database_url,
        METRICS_TOKEN=TOKEN,
        WEB_WORKERS="2",
        PROMETHEUS_MULTIPROC_DIR=str(directory / "counts"),
    ) as url:
        wait_until(lambda: len(list((directory / "counts").glob("*.db"))) > 0)
        yield url, log


def children(parent: int) -> int:
    """How many processes a process has that it has not seen the end of: their places are taken."""
    return len(Path(f"/proc/{parent}/task/{parent}/children").read_text().split())


def processes(log: Path) -> list[int]:
    return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", log.read_text())]


def master(log: Path) -> int:
    return int(re.findall(r"Listening at: \S+ \((\d+)\)", log.read_text())[0])


def calls(url: str, player_session: PlayerSession, times: int) -> None:
    there = PlayerSession(
        player_session.caller.at(url),
        player_session.player,
        player_session.game,
        player_session.token,
        player_session.currency,
    )
    for _ in range(times):
        there.done("getBalance")


def test_metrics__sum_all_processes_and_keep_counts_of_dead_ones(
    player_session: PlayerSession, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "counts").mkdir()
    (tmp_path / "counts" / "histogram_7.db").write_bytes(b"what an earlier start left")
    with counting(tmp_path, database_url) as (url, log):
        calls(url, player_session, 30)
        assert answers(read(url), "getBalance", "0") == 30
        os.kill(processes(log)[0], signal.SIGKILL)
        wait_until(lambda: len(processes(log)) == 3, 60)
        calls(url, player_session, 30)
        assert answers(read(url), "getBalance", "0") == 60
        # New code: all processes are replaced, twice.
        for ended in (2, 4):
            os.kill(master(log), signal.SIGHUP)
            wait_until(
                lambda ended=ended: (
                    log.read_text().count("Worker exiting") == ended and children(master(log)) == 2
                ),
                60,
            )
        calls(url, player_session, 30)
        assert answers(read(url), "getBalance", "0") == 90
        assert {path.name for path in (tmp_path / "counts").iterdir()} <= {
            f"{kind}_{place}.db" for kind in ("counter", "gauge_livesum", "histogram") for place in range(4)
        }


def test_metrics__server_creates_and_removes_its_own_directory(
    player_session: PlayerSession, database_url: str, tmp_path: Path
) -> None:
    with served(
        tmp_path / "server.log", DATABASE_URL=database_url, METRICS_TOKEN=TOKEN, TMPDIR=str(tmp_path)
    ) as url:
        calls(url, player_session, 3)
        assert answers(read(url), "getBalance", "0") == 3
        assert len(list(tmp_path.glob("quantum-wallet-metrics-*/histogram_*.db"))) > 0
    assert list(tmp_path.glob("quantum-wallet-metrics-*")) == []


# --- What is read from the database -----------------------------------------------------------------


def test_metrics__count_pending_due_and_oldest_due_by_db_clock(
    token: None, player_session: PlayerSession, clock: Clock
) -> None:
    before = read()
    player_session.opened("withdraw", "1.00")
    mm = player_session.opened("deposit", "1.00")
    pending = read()
    assert difference(before, pending, "wallet_transactions_pending") == 2
    assert difference(before, pending, "wallet_transactions_due") == 0
    due_at = player_session.transaction(mm, "deposit").due_at
    assert due_at
    clock.stand(due_at + timedelta(seconds=90))
    due = read()
    # Other tests may have left some that become due later still.
    later = Transaction.objects.filter(state="pending", due_at__gt=due_at + timedelta(seconds=90)).count()
    assert number(due, "wallet_transactions_pending") == number(pending, "wallet_transactions_pending")
    assert (number(due, "wallet_transactions_due") or 0) + later == number(due, "wallet_transactions_pending")
    assert (number(due, "wallet_oldest_due_age_seconds") or 0) >= 90
    assert number(pending, "wallet_oldest_due_age_seconds") == 0
    player_session.done("confirmDeposit", mm)
    assert difference(due, read(), "wallet_transactions_pending") == -1


def test_metrics__lag_is_sweep_work_not_wait_for_game_or_person(
    token: None, player_session: PlayerSession, clock: Clock
) -> None:
    long_ago = MOMENT - timedelta(days=30_000)
    clock.stand(long_ago)
    transaction = player_session.transaction(player_session.opened("withdraw", "1.00"))
    assert transaction.due_at

    def lag(at: datetime) -> float | None:
        clock.stand(at)
        return number(read(), "wallet_settling_lag_seconds")

    assert lag(transaction.due_at - timedelta(seconds=1)) == 0
    assert lag(transaction.due_at + timedelta(seconds=5)) == 5
    asked_at = transaction.due_at + timedelta(hours=1)
    inquiry = Inquiry.objects.create(
        transaction=transaction,
        player=player_session.player,
        game=player_session.game,
        began_at=long_ago,
        next_attempt_at=asked_at,
    )
    assert lag(asked_at) == 0
    assert lag(asked_at + timedelta(seconds=7)) == 7
    assert number(read(), "wallet_oldest_due_age_seconds") == 3607
    Inquiry.objects.filter(pk=inquiry.pk).update(next_attempt_at=None, doubt="held", doubt_since=asked_at)
    assert lag(asked_at + timedelta(seconds=7)) == 0
    Inquiry.objects.filter(pk=inquiry.pk).update(closed_at=asked_at)
    player_session.resolve(transaction.mm_transaction_id or "", "expired")


def difference(before: Numbers, after: Numbers, name: str, **labels: str) -> float:
    return (number(after, name, **labels) or 0) - (number(before, name, **labels) or 0)


def test_metrics__count_what_is_in_doubt_by_reason(token: None, player_session: PlayerSession) -> None:
    before = read()
    transaction = player_session.transaction(player_session.opened("withdraw", "1.00"))
    inquiry = Inquiry.objects.create(
        transaction=transaction,
        player=player_session.player,
        game=player_session.game,
        began_at=MOMENT,
        doubt="held",
        doubt_since=MOMENT,
    )
    assert difference(before, read(), "wallet_transactions_in_doubt", doubt="held") == 1
    Inquiry.objects.filter(pk=inquiry.pk).update(closed_at=MOMENT)
    after = read()
    assert difference(before, after, "wallet_transactions_in_doubt", doubt="held") == 0
    assert number(after, "wallet_transactions_in_doubt", doubt="unreachable") == 0


@pytest.fixture
def no_runs() -> Iterator[None]:
    owned(JobRun).all().delete()
    yield
    owned(JobRun).all().delete()


def run(task: str, ago: int, *, ended: bool = True, error: str = "") -> None:
    """A run that began 10 s before it ended, `ago` seconds before the moment."""
    ended_at = MOMENT - timedelta(seconds=ago)
    JobRun.objects.create(
        task=task,
        worker="w",
        began_at=ended_at - timedelta(seconds=10),
        ended_at=ended_at if ended else None,
        error=error,
    )


def test_metrics__sweep_is_late_since_it_last_ended_well(token: None, no_runs: None, clock: Clock) -> None:
    clock.stand(MOMENT)
    assert number(read(), "wallet_sweep_lateness_seconds", task="settle_due") is None
    run("settle_due", 400)
    run("settle_due", 300)
    run("settle_due", 200, error="OperationalError: away")
    run("settle_due", 100, ended=False)
    run("purge_expired", 86_500, error="x")
    run("daily_totals", 86_000, error="x")
    found = read()
    assert number(found, "wallet_sweep_lateness_seconds", task="settle_due") == 300
    # It never ended well: late since the first run that is remembered.
    assert number(found, "wallet_sweep_lateness_seconds", task="audit_all") == 86_510
    assert number(found, "wallet_sweep_lateness_seconds", task="pulse") is None
    failed = [
        number(found, "wallet_sweep_runs_failed", task=task)
        for task in ("settle_due", "purge_expired", "daily_totals", "audit_all")
    ]
    assert failed == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("kind", "ok"), [("wallet_difference", 0), ("ledger_difference", 0), ("game_forgets", 1)]
)
def test_metrics__show_the_audits_result_and_age(
    token: None, no_runs: None, clock: Clock, kind: str, ok: int
) -> None:
    clock.stand(MOMENT)
    Alert.objects.filter(resolved_at=None).update(resolved_at=MOMENT)
    assert number(read(), "wallet_audit_ok") is None
    run("audit_all", 7200)
    run("audit_recent", 20)
    run("audit_recent", 10)
    run("audit_recent", 5, error="OperationalError: away")
    run("audit_recent", 0, ended=False)
    found = read()
    assert number(found, "wallet_audit_ok") == 1
    assert [
        number(found, "wallet_audit_age_seconds", audit=audit) for audit in ("audit_all", "audit_recent")
    ] == [7200, 10]
    Alert.objects.create(kind=kind, subject=unique("s"), text="x", raised_at=MOMENT, last_seen_at=MOMENT)
    assert number(read(), "wallet_audit_ok") == ok
    Alert.objects.filter(resolved_at=None).update(resolved_at=MOMENT)
    assert number(read(), "wallet_audit_ok") == 1


def test_metrics__count_open_alerts_and_frozen_wallets(token: None, player_session: PlayerSession) -> None:
    before = read()
    alert = Alert.objects.create(
        kind="game_forgets", subject=unique("game"), text="x", raised_at=MOMENT, last_seen_at=MOMENT
    )
    freeze_wallet(player_session.wallet(), actor="test", reason="test")
    after = read()
    assert difference(before, after, "wallet_alerts_open", kind="game_forgets") == 1
    assert difference(before, after, "wallet_wallets_frozen") == 1
    assert {dict(labels)["kind"] for name, labels in after if name == "wallet_alerts_open"} == set(
        Alert.Kind.values
    )
    Alert.objects.filter(pk=alert.pk).update(resolved_at=MOMENT)
    assert difference(before, read(), "wallet_alerts_open", kind="game_forgets") == 0


def test_metrics__show_age_of_heartbeats_and_last_checkpoint(token: None, clock: Clock) -> None:
    clock.stand(MOMENT)
    Pulse.objects.update_or_create(part="queue", defaults={"at": MOMENT - timedelta(seconds=7)})
    nothing = bytes(32)
    made = Checkpoint.objects.create(
        number=10**9,
        made_at=MOMENT - timedelta(hours=5),
        wallets=0,
        entries=0,
        root=nothing,
        previous=nothing,
        hash=nothing,
        key_id="k",
        file="f",
    )
    found = read()
    owned(Checkpoint).filter(pk=made.pk).delete()
    owned(Pulse).all().delete()
    assert number(found, "wallet_heartbeat_age_seconds", part="queue") == 7
    assert number(found, "wallet_checkpoint_age_seconds") == 5 * 3600


def connections(owner: Owner) -> int:
    [used] = owner.execute("SELECT sum(numbackends) FROM pg_stat_database").fetchone() or [0]
    return int(used)


def test_metrics__count_database_connections(token: None, owner: Owner, database_url: str) -> None:
    """Others come and go on the same server, so a count before and one after must agree with it."""
    with psycopg.connect(database_url), psycopg.connect(database_url):
        wait_until(
            lambda: connections(owner) == number(read(), "wallet_database_connections") == connections(owner)
        )
    row = owner.execute("SHOW max_connections").fetchone()
    assert row is not None
    assert number(read(), "wallet_database_connections_maximum") == float(row[0])


# --- What is read from the broker -------------------------------------------------------------------


@pytest.mark.parametrize("queue", ["settle", "check", "deliver", "refund"])
def test_metrics__count_messages_nobody_takes_by_queue(token: None, queue: str) -> None:
    before = read()
    app.send_task("nothing.that.is.known", queue=queue)
    app.send_task("nothing.that.is.known", queue=queue)
    after = read()
    Redis.from_url(configured.REDIS_URL).delete(f"quantum-wallet:{queue}")
    assert difference(before, after, "wallet_queue_messages", queue=queue) == 2
    assert number(read(), "wallet_queue_messages", queue=queue) == 0


# --- When something is away -------------------------------------------------------------------------


def up(found: Numbers) -> dict[str, float]:
    return {dict(labels)["part"]: value for (name, labels), value in found.items() if name == "wallet_up"}


ALL_UP = {"database": 1, "transactions": 1, "sweeps": 1, "checks": 1, "payments": 1, "broker": 1}


def test_metrics__show_all_else_without_the_broker(token: None, settings: Any) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    found = read()
    assert up(found) == ALL_UP | {"broker": 0}
    assert number(found, "wallet_transactions_pending") is not None
    assert number(found, "wallet_queue_messages", queue="settle") is None


def test_metrics__leave_out_a_locked_table_in_time(token: None, owner: Owner) -> None:
    with owner.transaction():
        owner.execute("LOCK TABLE wallet_jobrun")
        began = time.monotonic()
        found = read()
        # Two parts meet the lock, each for 2 s.
        assert time.monotonic() - began < 30
    assert up(found) == ALL_UP | {"sweeps": 0, "checks": 0}
    assert number(found, "wallet_transactions_pending") is not None
    assert up(read()) == ALL_UP


def test_metrics__keep_counts_if_database_and_broker_are_away(tmp_path: Path) -> None:
    away = {
        "DATABASE_URL": f"postgres://wallet_app:secret@127.0.0.1:{free_port()}/x",
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    with served(
        tmp_path / "server.log", WEB_WORKERS="1", WEB_THREADS="2", METRICS_TOKEN=TOKEN, **away
    ) as url:
        Caller(basic("game", "password"), url=url).post("/wallet/withdraw", {})
        found = read(url)
    assert up(found) == dict.fromkeys(ALL_UP, 0)
    assert answers(found, "none", "503") == 1
    counted = (
        "wallet_request_seconds",
        "wallet_statement_calls",
        "wallet_batch_repeated_calls",
        "wallet_shed_calls",
        "wallet_waiting_requests",
    )
    assert {name for name, _ in found if not name.startswith(counted)} == {"wallet_up"}


def test_metrics__count_waiting_payments(token: None, shop_setup: ShopSetup, clock: Clock) -> None:
    before = read()
    clock.go_ahead(timedelta(minutes=10))
    order = shop_setup.order(product="sword")
    at = int(now().timestamp())
    body = event_body("payment.succeeded", order)
    assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body, at=at)).status == 200
    body = event_body("payment.refunded", order, "100.00")
    assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body, at=at)).status == 422
    clock.go_ahead(timedelta(minutes=20))
    found = read()

    def more(name: str, **labels: str) -> float:
        return (number(found, name, **labels) or 0) - (number(before, name, **labels) or 0)

    assert more("wallet_deliveries_undelivered", state="pending") == 1
    assert more("wallet_callbacks_to_look_at", outcome="contradicts") == 1
    assert (number(found, "wallet_delivery_lag_seconds") or 0) >= 600
    assert more("wallet_refunds_open") == 0
