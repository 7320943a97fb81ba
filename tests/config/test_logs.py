"""Logs: lines of JSON with the ids of requests and tasks.

One for each failure, none for what went well, and never a secret.
"""

import base64
import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django_structlog import middlewares
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from config.celery import app
from config.launcher.processes import start, stop
from config.launcher.supervisor import ROOT
from config.logs import configure_logs
from players.access.credentials import CREDENTIALS
from tests.config.test_exceptions import failing_at_the_last_step, impatient, locked
from tests.config.test_health import wait_until
from tests.support.admin_pages import operator
from tests.support.callers import Caller, Callers, PlayerSession, basic, dump, fresh_address, unique
from tests.support.web_server import served
from wallet.tasks import pulse

PROXY = "10.9.9.9"
MADE = re.compile(r"[0-9a-f]{32}\Z")
Owner = psycopg.Connection[Any]
Line = dict[str, Any]


class Lines:
    """What has been logged since, as it would be written."""

    def __init__(self) -> None:
        self.written = io.StringIO()

    def read(self) -> list[Line]:
        return [json.loads(line) for line in self.written.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The platform's own formatter, on a stream of the test's."""
    lines, root = Lines(), logging.getLogger()
    formatter = next(handler.formatter for handler in root.handlers if type(handler) is logging.StreamHandler)
    handler = logging.StreamHandler(lines.written)
    handler.setFormatter(formatter)
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)
    clear_contextvars()


# --- Requests of the API ----------------------------------------------------------------------------


def test_log__answered_calls_leave_no_line(
    player_session: PlayerSession, callers: Callers, lines: Lines
) -> None:
    player_session.opened("withdraw", "1.00")
    assert player_session.call("withdraw", unique("mm"), "1000.00").error == 104
    assert player_session.call("withdraw", unique("mm"), "-1").error == 101
    assert Caller(None).post("/wallet/withdraw", {}).status == 401
    assert player_session.caller.post("/wallet/nothing", {}).status == 404
    assert callers.front.send("GET", "/entry/launch").status == 405
    assert lines.read() == []


def test_log__failed_call_is_one_line_with_what_whose_and_why(
    player_session: PlayerSession, owner: Owner, lines: Lines
) -> None:
    with failing_at_the_last_step(owner):
        assert player_session.call("withdraw", unique("mm"), "1.00").status == 500
    [line] = lines.read()
    caller = {"endpoint": "withdraw", "caller": username(player_session), "status": 500}
    assert (
        line.items()
        >= ({"event": "unhandled failure", "level": "error", "logger": "config.exceptions"} | caller).items()
    )
    assert MADE.match(line["request_id"])
    assert re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z\Z", line["timestamp"])
    assert line["exception"].startswith("Traceback (most recent call last):")
    assert "secret detail" in line["exception"]
    assert set(line) == {
        "event",
        "level",
        "logger",
        "timestamp",
        "request_id",
        "exception",
        "endpoint",
        "caller",
        "status",
    }


def username(player_session: PlayerSession) -> str:
    return (
        base64.b64decode((player_session.caller.authorization or "").removeprefix("Basic "))
        .decode()
        .partition(":")[0]
    )


def test_log__unavailable_database_leaves_one_line_per_call(
    player_session: PlayerSession, owner: Owner, lines: Lines
) -> None:
    with impatient("lock_timeout"), locked(owner, player_session):
        assert player_session.call("withdraw", unique("mm"), "1.00").status == 503
    [line] = lines.read()
    assert (line["logger"], line["endpoint"], line["status"], line["caller"]) == (
        "config.exceptions",
        "withdraw",
        503,
        username(player_session),
    )
    assert line["event"].startswith("the database is unavailable: ")


def test_log__database_that_fails_authentication_leaves_one_line(
    player_session: PlayerSession, owner: Owner, lines: Lines, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "a-wrong-secret")
    monkeypatch.setitem(connection.settings_dict, "NAME", "no_such_database")
    assert player_session.call("getBalance").status == 503
    connection.close()
    [line] = lines.read()
    assert (line["logger"], line["level"], line["status"]) == ("players.access.gate", "error", 503)
    assert MADE.match(line["request_id"])
    assert "a-wrong-secret" not in lines.written.getvalue()


def test_log__failure_before_any_view_is_one_line_with_traceback(
    player_session: PlayerSession, owner: Owner, lines: Lines
) -> None:
    owner.execute("ALTER TABLE players_credential RENAME TO players_credential_away")
    try:
        CREDENTIALS.forget()
        assert player_session.call("getBalance").status == 500
    finally:
        owner.execute("ALTER TABLE players_credential_away RENAME TO players_credential")
    [line] = lines.read()
    assert (line["event"], line["request"], line["code"], line["level"]) == (
        "request_failed",
        "POST /wallet/getBalance",
        500,
        "error",
    )
    assert "players_credential" in line["exception"]
    assert MADE.match(line["request_id"])


# --- The request's id -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "given", "is_taken"),
    [
        (PROXY, "abc", True), (PROXY, "0f-1E_2.z", True), (PROXY, "x" * 64, True),
        (PROXY, "0194d000-0000-7000-8000-000000000000", True),
        (PROXY, "x" * 65, False), (PROXY, "", False), (PROXY, "a b", False), (PROXY, 'a"b', False),
        (PROXY, "a\x1b[31m", False),
        (PROXY, "ä", False), (PROXY, "a\n", False), (PROXY, None, False),
        ("10.9.9.8", "abc", False), ("", "abc", False),
    ],
)  # fmt: skip
def test_request_id__is_trusted_proxys_if_sane_else_generated(
    lines: Lines, settings: Any, address: str, given: str | None, is_taken: bool
) -> None:
    settings.TRUSTED_PROXIES = [PROXY]
    Caller(None, address).send(
        "GET", "/admin/nothing", headers={} if given is None else {"X-Request-ID": given}
    )
    [line] = lines.read()
    assert (line["request_id"] == given) == is_taken
    assert is_taken or MADE.match(line["request_id"])


@pytest.mark.parametrize(("proxies", "is_taken"), [([PROXY], True), ([], False)])
def test_request_id__of_trusted_proxy_is_taken_for_api_calls(
    lines: Lines,
    settings: Any,
    player_session: PlayerSession,
    owner: Owner,
    proxies: list[str],
    is_taken: bool,
) -> None:
    settings.TRUSTED_PROXIES = proxies
    body = dump(
        {
            "token": player_session.token,
            "mmTransactionId": "x",
            "amount": {"amount": 1, "currencyCode": "XAG"},
        }
    ).encode()
    with failing_at_the_last_step(owner):
        assert (
            replace(player_session.caller, address=PROXY)
            .send("POST", "/wallet/withdraw", body, {"X-Request-ID": "abc"})
            .status
            == 500
        )
    assert [line["request_id"] == "abc" for line in lines.read()] == [is_taken]


def test_request_id__each_request_has_its_own(
    player_session: PlayerSession, owner: Owner, lines: Lines
) -> None:
    with failing_at_the_last_step(owner):
        for _ in range(3):
            player_session.call("withdraw", unique("mm"), "1.00")
    assert len({line["request_id"] for line in lines.read()}) == 3


# --- Pages ------------------------------------------------------------------------------------------


def test_log__page_leaves_one_line_without_its_query(lines: Lines) -> None:
    Caller(None).send("GET", "/admin/login/?next=/admin/&token=secret-in-the-query")
    [line] = lines.read()
    assert (line["event"], line["request"], line["code"], line["level"]) == (
        "request_finished",
        "GET /admin/login/",
        200,
        "info",
    )
    assert MADE.match(line["request_id"])
    assert "secret" not in lines.written.getvalue()


def test_log__page_line_names_the_operator(client: Any, lines: Lines) -> None:
    who = operator(is_superuser=True)
    client.force_login(who)
    client.get("/admin/")
    assert [line["user_id"] for line in lines.read() if line["event"] == "request_finished"] == [who.pk]
    assert get_contextvars() == {}


def test_log__health_checks_and_scrapes_leave_no_line(lines: Lines, settings: Any) -> None:
    settings.METRICS_ALLOWED_NETWORKS = ["10.0.0.0/8"]
    for path in ("/healthz", "/readyz", "/metrics"):
        assert Caller(None).send("GET", path).status == 200
    assert lines.read() == []
    assert get_contextvars() == {}


# --- Tasks ------------------------------------------------------------------------------------------


def test_log__task_lines_have_its_id_and_failure_logs_once(lines: Lines) -> None:
    steps = [step(None) for step in app.steps["worker"] if "structlog" in step.__module__]
    assert len(steps) == 1

    @app.task(name=unique("task"))  # type: ignore[untyped-decorator]
    def fails() -> None:
        secret = unique("hidden")  # noqa: F841
        logging.getLogger("wallet.anything").warning("about to fail")
        raise ValueError("as the test wants it")

    done = fails.apply()
    assert done.failed()
    told = [(line["event"], line["level"], line["task_id"]) for line in lines.read()]
    assert told == [("about to fail", "warning", done.id), ("task_failed", "error", done.id)]
    assert "ValueError: as the test wants it" in lines.read()[1]["exception"]
    assert "hidden-" not in lines.written.getvalue()


def test_log__real_worker_lines_are_json_with_the_task_id(database_url: str, tmp_path: Path) -> None:
    log, queue = tmp_path / "worker.log", unique("queue")
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "config.celery",
        "-q",
        "worker",
        "-Q",
        queue,
        "-c",
        "1",
        "--without-gossip",
        "--without-mingle",
    ]
    with log.open("wb") as output:
        child = start(
            "worker",
            command,
            environment={**os.environ, "DATABASE_URL": database_url, "LOG_LEVEL": "DEBUG"},
            log=output,
            directory=ROOT,
        )
        try:
            bind_contextvars(request_id="who-nudged")
            sent = pulse.apply_async(queue=queue)
            wait_until(lambda: "task_succeeded" in log.read_text(), 60)
        finally:
            clear_contextvars()
            stop(child)
    told = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    its_own = [(line["event"], line["request_id"]) for line in told if line.get("task_id") == sent.id]
    assert its_own == [("task_started", "who-nudged"), ("task_succeeded", "who-nudged")]
    assert not any("Traceback" in str(line) for line in told)


# --- The lines themselves ---------------------------------------------------------------------------


def test_log__line_break_in_a_message_begins_no_new_line(lines: Lines) -> None:
    logging.getLogger("anything").error('one\n{"event": "forged"}\r\x1b[2J %s', "two\u2028")
    assert [line["event"] for line in lines.read()] == ['one\n{"event": "forged"}\r\x1b[2J two\u2028']


def test_log__shows_extra_fields_only_if_known_to_be_harmless(lines: Lines) -> None:
    logging.getLogger("anything").error(
        "said",
        extra={"endpoint": "withdraw", "password": "hidden", "params": ["hidden"], "request": object()},
    )
    [line] = lines.read()
    assert set(line) == {"event", "level", "logger", "timestamp", "endpoint"}


def shown_to_people(text: str, *args: object, problem: Exception | None = None) -> str:
    """A line as LOG_FORMAT=console writes it."""
    settings = configure_logs(level="INFO", as_json=False)
    line = settings["formatters"]["line"]
    formatter = line["()"](foreign_pre_chain=line["foreign_pre_chain"], processors=line["processors"])
    configure_logs(level="INFO", as_json=True)
    exc_info = (type(problem), problem, None) if problem else None
    return str(formatter.format(logging.LogRecord("anything", logging.ERROR, "", 0, text, args, exc_info)))


def test_log__console_lines_are_for_people() -> None:
    bind_contextvars(request_id="the-id")
    shown = shown_to_people("what %s", "happened", problem=ValueError("why"))
    clear_contextvars()
    assert all(word in shown for word in ("what happened", "the-id", "anything", "ValueError: why"))


def test_log__console_spells_out_what_a_terminal_would_act_on() -> None:
    shown = shown_to_people("path %s", "\x1b[2J\x00\u202e", problem=ValueError("\x1b]0;x\x07"))
    assert "path \\x1b[2J\\x00\\u202e" in shown
    assert "ValueError: \\x1b]0;x\\x07" in shown


@pytest.mark.parametrize(
    ("level", "as_json", "least"), [("INFO", True, None), ("INFO", False, "WARNING"), ("DEBUG", False, None)]
)
def test_log__on_a_terminal_answered_pages_are_left_out(level: str, as_json: bool, least: str | None) -> None:
    """They and their files would hide what matters."""
    loggers = configure_logs(level=level, as_json=as_json)["loggers"]
    configure_logs(level="INFO", as_json=True)
    assert loggers.get(middlewares.request.__name__, {}).get("level") == least
    assert loggers["django.request"] == {"level": "CRITICAL"}


def test_log__address_with_a_line_break_begins_no_line(lines: Lines) -> None:
    Caller(None).send("GET", "/nowhere%0aforged%1b")
    [line] = [line for line in lines.read() if "nowhere" in str(line)]
    assert line["request"] == "GET /nowhere%0Aforged%1B"


# --- No secrets -------------------------------------------------------------------------------------


def test_log__of_a_real_server_is_json_and_holds_no_secret(
    player_session: PlayerSession, owner: Owner, database_url: str, tmp_path: Path
) -> None:
    """Whatever fails, and however much is logged: no token, password, header or body."""
    log = tmp_path / "server.log"
    given_away = [
        player_session.token,
        basic_part(player_session),
        unique("password"),
        unique("body"),
        unique("bearer"),
        unique("cookie"),
        unique("query"),
        unique("csrf"),
    ]
    token, _, password, body, bearer, cookie, query, csrf = given_away
    with served(log, DATABASE_URL=database_url, LOG_LEVEL="DEBUG", TRUSTED_PROXIES="127.0.0.1") as url:
        there = PlayerSession(
            player_session.caller.at(url),
            player_session.player,
            player_session.game,
            token,
            player_session.currency,
        )
        with failing_at_the_last_step(owner):
            assert there.call("withdraw", unique("mm"), "1.00", txDescription=body).status == 500
            assert (
                there.caller.send(
                    "POST", "/wallet/deposit", b'{"token": "' + token.encode() + b'", ' + body.encode()
                ).error
                == 101
            )
        owner.execute("ALTER TABLE players_gamesession RENAME TO players_gamesession_away")
        assert there.call("getBalance").status == 500
        owner.execute("ALTER TABLE players_gamesession_away RENAME TO players_gamesession")
        stranger = Caller(basic("somebody", password), fresh_address(), url)
        named, own_address = dump({"token": token}).encode(), {"X-Forwarded-For": stranger.address}
        assert stranger.send("POST", "/wallet/withdraw", named, own_address).status == 401
        assert (
            stranger.send("GET", f"/admin/?token={query}", headers={"Cookie": f"sessionid={cookie}"}).status
            == 302
        )
        assert (
            stranger.send(
                "GET", "/metrics", headers={"Authorization": f"Bearer {bearer}", "Host": "elsewhere.example"}
            ).status
            == 400
        )
        form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={csrf}"}
        assert (
            stranger.send(
                "POST",
                "/admin/login/",
                f"username=x&password={password}&csrfmiddlewaretoken={csrf}".encode(),
                form,
            ).status
            == 403
        )
        stranger.send("GET", "/admin/", headers={"X-Request-ID": "named-by-the-proxy"})
    written = log.read_text()
    told = [json.loads(line) for line in written.splitlines()]
    assert [line for line in told if not line.keys() >= {"event", "level", "logger", "timestamp"}] == []
    assert {"unhandled failure", "request_finished", "Listening at"} <= {
        re.split(":", line["event"])[0] for line in told
    }
    assert "named-by-the-proxy" in {line.get("request_id") for line in told}
    for secret in given_away:
        assert secret not in written


def basic_part(player_session: PlayerSession) -> str:
    """What stands behind `Basic `."""
    return str(player_session.caller.authorization).split()[1]
