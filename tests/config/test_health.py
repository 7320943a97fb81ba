"""Signs of life.

The web processes' heartbeat (contract 2.4), and whether the workers can be reached (contract 5).
"""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from config.health import BROKER, Broker
from config.heartbeat import Heartbeat
from config.launcher.supervisor import ROOT
from lib.clock import now
from tests.conftest import Clock
from tests.support.callers import Answer, Caller
from tests.support.owned import owned
from tests.support.web_server import free_port, served
from wallet.models import Outage, Pulse

MOMENT = datetime(2031, 5, 6, 12, tzinfo=UTC)
Owner = psycopg.Connection[Any]


def ask(path: str = "/healthz/workers", url: str | None = None) -> Answer:
    return Caller(None, url=url).send("GET", path)


def set_pulse(part: str, at: datetime | None) -> None:
    owned(Pulse).filter(part=part).delete()
    if at:
        Pulse.objects.create(part=part, at=at)


def pulse_at(part: str) -> datetime | None:
    return Pulse.objects.filter(part=part).values_list("at", flat=True).first()


@pytest.fixture(autouse=True)
def no_outage() -> Iterator[None]:
    """A silence that a test makes up is no outage for the tests after it."""
    yield
    owned(Pulse).all().delete()
    owned(Outage).all().delete()


# --- /healthz/workers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "status", "queue"),
    [
        (timedelta(0), 200, "ok"),
        (timedelta(seconds=60), 200, "ok"),
        (timedelta(seconds=-3600), 200, "ok"),  # from before the database's clock was put back
        (timedelta(seconds=61), 503, "no heartbeat for 61 s"),
        (timedelta(days=2), 503, "no heartbeat for 172800 s"),
        (None, 503, "no heartbeat yet"),
    ],
)
def test_health__workers_are_ok_while_heartbeats_come_by_queue(
    clock: Clock, age: timedelta | None, status: int, queue: str
) -> None:
    clock.stand(MOMENT)
    set_pulse("queue", None if age is None else MOMENT - age)
    answer = ask()
    word = "ok" if status == 200 else "unwell"
    assert (answer.status, answer.body) == (
        status,
        {"status": word, "broker": "ok", "database": "ok", "queue": queue},
    )
    assert "no-store" in answer.headers["cache-control"]


def test_health__web_process_heartbeat_is_not_a_queue_heartbeat(clock: Clock) -> None:
    clock.stand(MOMENT)
    set_pulse("queue", None)
    set_pulse("web", MOMENT)
    assert ask().body["queue"] == "no heartbeat yet"


def test_health__no_broker_fails_workers_but_platform_is_ready(settings: Any) -> None:
    settings.REDIS_URL = f"redis://:secret-password@127.0.0.1:{free_port()}/0"
    set_pulse("queue", now())
    answer = ask()
    assert (answer.status, answer.body) == (
        503,
        {"status": "unwell", "broker": "unreachable", "database": "ok", "queue": "ok"},
    )
    assert ask("/readyz").body == {"status": "ok"}


def test_health__a_hanging_broker_delays_nobody(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        assert ask().body["broker"] == "unreachable"
        # Without a bound it would wait for ever; a busy machine may take its time.
        assert time.monotonic() - began < 20


def test_health__a_broker_is_asked_by_one_at_a_time() -> None:
    set_pulse("queue", now())
    assert ask().body["broker"] == "ok"
    with BROKER.asking:
        # Somebody else waits for it: this call waits for nothing, and tells what was last heard.
        assert (ask().status, ask().body["broker"]) == (200, "ok")
    fresh = Broker()
    with fresh.asking:
        assert fresh.state() == "unknown"


def test_health__names_database_and_broker_down_in_ok_process(tmp_path: Path) -> None:
    away = {
        "DATABASE_URL": f"postgres://wallet_app:secret@127.0.0.1:{free_port()}/x",
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    log = tmp_path / "server.log"
    with served(log, WEB_WORKERS="1", WEB_THREADS="2", WEB_HEARTBEAT="1", **away) as url:
        answer = ask(url=url)
        assert (answer.status, answer.body) == (
            503,
            {"status": "unwell", "broker": "unreachable", "database": "unreachable", "queue": "unknown"},
        )
        assert (ask("/readyz", url).status, ask("/healthz", url).status) == (503, 200)
    assert log.read_text().count("cannot leave its heartbeat") == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_health__is_read_only(method: str) -> None:
    assert Caller(None).send(method, "/healthz/workers").status == 405


# --- The heartbeat ----------------------------------------------------------------------------------


def test_heartbeat__is_left_by_a_real_server(database_url: str, tmp_path: Path) -> None:
    began = now()
    set_pulse("web", None)
    with served(tmp_path / "server.log", DATABASE_URL=database_url, WEB_WORKERS="2", WEB_HEARTBEAT="1"):
        wait_until(lambda: (pulse_at("web") or began) > began)


def test_heartbeat__first_after_over_5_minutes_records_outage(
    clock: Clock, database_url: str, tmp_path: Path
) -> None:
    clock.stand(MOMENT)
    set_pulse("web", MOMENT - timedelta(minutes=5, seconds=1))
    with served(tmp_path / "server.log", DATABASE_URL=database_url, WEB_WORKERS="2", WEB_HEARTBEAT="1"):
        wait_until(lambda: pulse_at("web") == MOMENT)
        assert list(Outage.objects.values_list("began_at", "ended_at")) == [
            (MOMENT - timedelta(minutes=5, seconds=1), MOMENT)
        ]


def test_heartbeat__is_left_only_by_the_web_server() -> None:
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_heartbeat__resumes_after_database_outage_logged_once(
    owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    set_pulse("web", None)
    heartbeat = Heartbeat(every=0.02)
    owner.execute("ALTER TABLE wallet_pulse RENAME TO wallet_pulse_away")
    try:
        heartbeat.start()
        wait_until(lambda: "cannot leave its heartbeat" in caplog.text)
        time.sleep(0.2)
        assert heartbeat.is_alive()
    finally:
        owner.execute("ALTER TABLE wallet_pulse_away RENAME TO wallet_pulse")
    wait_until(lambda: pulse_at("web") is not None)
    heartbeat.end()
    assert not heartbeat.is_alive()
    assert said(caplog) == [
        (logging.ERROR, "this process cannot leave its heartbeat, and goes on trying"),
        (logging.WARNING, "this process leaves its heartbeat again"),
    ]


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [
        (record.levelno, record.getMessage())
        for record in caplog.records
        if record.name == "config.heartbeat"
    ]


def test_heartbeat__resumes_after_its_connection_was_cut(owner: Owner, database_name: str) -> None:
    heartbeat = Heartbeat(every=0.01)
    heartbeat.start()
    for _ in range(20):
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid NOT IN "
            "(pg_backend_pid(), %s)",
            [database_name, backend()],
        )
        time.sleep(0.01)
    after = now()
    wait_until(lambda: (pulse_at("web") or after) > after)
    heartbeat.end()


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_heartbeat__leaves_no_connection_open_in_between(owner: Owner, database_name: str) -> None:
    def count() -> int:
        found = owner.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [database_name]
        ).fetchone()
        return int(found[0]) if found else -1

    connection.ensure_connection()
    set_pulse("web", None)
    before = count()
    heartbeat = Heartbeat(every=60)
    heartbeat.start()
    wait_until(lambda: pulse_at("web") is not None)
    wait_until(lambda: count() == before)
    heartbeat.end()


def test_web_server__master_holds_nothing_new_code_replaces() -> None:
    """It lives on after SIGHUP: what it had imported, its new processes would have too."""
    program = (
        "import runpy, sys; from gunicorn.util import load_class; "
        "ours = runpy.run_path('config/gunicorn.py'); "
        "load_class(ours['worker_class']); ours['forget_project'](); "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "gunicorn" in loaded
    assert {
        "config",
        "players",
        "wallet",
        "django",
        "structlog",
        "django_structlog",
        "prometheus_client",
        "psycopg",
    } & set(loaded) == set()


def wait_until(is_so: Any, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
