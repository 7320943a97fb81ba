"""Traces of a real web server, at a real collector: who belongs to whom, what is red, and what is told to
nobody.
"""

import os
import sys
import uuid
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from config.launcher import supervisor
from config.launcher.processes import Child, start, stop
from lib.telemetry import spans
from tests.config.test_exceptions import failing_at_the_last_step
from tests.support.callers import Caller, Callers, PlayerSession, dump, unique
from tests.support.collector import Collected, Collector, collecting
from tests.support.deliveries import alone
from tests.support.game_order_server import selling
from tests.support.launcher import eventually
from tests.support.shop import event_body
from tests.support.web_server import inherited, served

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
# Python reads it at its start; writes down the name of every module that is imported.
WITNESS = """
import sys
names = open({!r}, "a", buffering=1)
sys.addaudithook(lambda event, words: event == "import" and names.write(words[0] + "\\n"))
"""
AT_THE_END = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
FOR_TRACES = (
    "opentelemetry.exporter",
    "opentelemetry.sdk.trace",
    "google.protobuf",
    "lib.telemetry.recorder",
)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def broker() -> dict[str, str]:
    """A database of the broker's that no other test's messages come to."""
    place, _, _ = os.environ["REDIS_URL"].rpartition("=")
    return {"REDIS_URL": f"{place}=9"}


@pytest.fixture(scope="module")
def url(
    broker: dict[str, str],
    collector: Collector,
    callers: Callers,
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A server with one worker, whose proxy (this test) makes the traces."""
    settings = {
        "WEB_WORKERS": "1",
        "TRUSTED_PROXIES": "127.0.0.1",
        "TRACEPARENT_FROM_PROXY": "1",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=for%20the%20collector",
    }
    log = tmp_path_factory.mktemp("traced") / "log"
    with served(log, DATABASE_URL=database_url, **broker, **collector.environment, **settings) as url:
        yield url


def withdraw(session: PlayerSession, amount: str = "1.00", **headers: str) -> tuple[str, int]:
    """Withdraws; the request's id, by which its span is found, and the status."""
    id = unique("request")
    body = dump(
        {
            "token": session.token,
            "mmTransactionId": unique("mm"),
            "amount": {"amount": float(amount), "currencyCode": session.currency},
        }
    )
    answer = session.caller.send("POST", "/wallet/withdraw", body.encode(), {"X-Request-ID": id, **headers})
    return id, answer.status


def span_of(collector: Collector, id: str) -> Collected:
    """The span of the request with that id."""
    [span] = collector.wait_for("POST /wallet/withdraw", wallet_request_id=id)
    return span


def test_trace__goes_from_the_proxy_to_the_ledger(url: str, collector: Collector, callers: Callers) -> None:
    session = callers.player_session(url=url)
    id, _ = withdraw(session, traceparent=f"00-{TRACE}-{PARENT}-01")
    request = span_of(collector, id)
    [ledger] = collector.children(request)
    assert (request.trace_id, request.parent, request.is_failed) == (TRACE, PARENT, False)
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/wallet/withdraw",
        "http.response.status_code": 200,
        "wallet.code": "0",
        "wallet.request_id": id,
    }
    assert (ledger.name, ledger.trace_id, ledger.is_failed) == ("ledger_open", TRACE, False)
    assert ledger.attributes["db.system.name"] == "postgresql"
    assert ledger.attributes["wallet.statement_calls"] == 1
    assert 0 <= ledger.attributes["wallet.waited_us"] < 60_000_000
    assert (request.service, collector.headers[-1]["x-key"]) == ("quantum-wallet", "for the collector")


def test_trace__of_a_batch_says_how_many_went_along(url: str, collector: Collector, callers: Callers) -> None:
    sessions = [callers.player_session(url=url) for _ in range(8)]
    for _ in range(10):
        with ThreadPoolExecutor(8) as pool:
            ids = [id for id, _ in pool.map(withdraw, sessions)]
        requests = [span_of(collector, id) for id in ids]
        ledgers = [ledger for request in requests for ledger in collector.children(request)]
        # Each call has its own trace, and its own part of what was asked together.
        assert len({request.trace_id for request in requests}) == len(ledgers) == 8
        assert all(not request.parent for request in requests)
        if max(ledger.attributes["wallet.statement_calls"] for ledger in ledgers) > 1:
            return
    raise AssertionError("no two calls of ten times eight went out together")


def test_trace__refusal_is_not_red(url: str, collector: Collector, callers: Callers) -> None:
    session = callers.player_session(url=url)
    id, _ = withdraw(session, "100000.00")
    poor = span_of(collector, id)
    assert (poor.is_failed, poor.attributes["wallet.code"]) == (False, "104")
    assert [one.is_failed for one in collector.children(poor)] == [False]
    stranger = replace(session, caller=Caller("Basic eDp5", url=url))
    id, status = withdraw(stranger)
    [refused] = collector.wait_for("POST", wallet_request_id=id)
    assert (status, refused.is_failed) == (401, False)
    assert refused.attributes["http.response.status_code"] == 401


def test_trace__failure_is_red(
    url: str, collector: Collector, callers: Callers, owner: "psycopg.Connection[object]"
) -> None:
    with failing_at_the_last_step(owner):
        id, status = withdraw(callers.player_session(url=url))
    failed = span_of(collector, id)
    assert (status, failed.is_failed, failed.attributes["error.type"]) == (500, True, "500")
    [together] = collector.children(failed)
    [alone] = collector.children(together)
    assert (together.is_failed, alone.is_failed) == (True, True)
    assert alone.attributes["error.type"] == "RaiseException"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "00",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01",
        "00-" + "1" * 6000,
    ],
)
def test_trace__malformed_parent_counts_for_nothing(
    given: str, url: str, collector: Collector, callers: Callers
) -> None:
    id, status = withdraw(callers.player_session(url=url), traceparent=given)
    request = span_of(collector, id)
    assert (status, request.parent) == (200, "")
    assert request.trace_id != TRACE


def test_trace__unsampled_parent_leaves_no_span(url: str, collector: Collector, callers: Callers) -> None:
    session = callers.player_session(url=url)
    trace_id = uuid.uuid4().hex
    withdraw(session, traceparent=f"00-{trace_id}-{PARENT}-00")
    span_of(collector, withdraw(session)[0])
    assert [span for span in collector.spans if span.trace_id == trace_id] == []


def test_trace__tells_no_secret_amount_or_text(url: str, collector: Collector, callers: Callers) -> None:
    session = callers.player_session(url=url)
    mm, text = unique("mm"), unique("said")
    body = {"token": session.token, "mmTransactionId": mm, "txDescription": text}
    amount = {"amount": {"amount": 61834927.15, "currencyCode": "XAG"}}
    session.caller.send(
        "POST", f"/wallet/withdraw?query={text}", dump(body | amount).encode(), {"User-Agent": text}
    )
    session.caller.send("POST", f"/wallet/withdraw/{text}", dump(body | amount).encode())
    session.caller.send(text.upper().replace("-", ""), "/wallet/withdraw", dump(body | amount).encode())
    session.call("withdraw", mm, "61834927.15", txDescription=text)
    session.call("verifySession")
    id, _ = withdraw(session)
    span_of(collector, id)
    username, password = b64decode((session.caller.authorization or "")[6:]).decode().split(":")
    secrets = [session.token, uuid.UUID(session.token).hex, mm, text, "61834927", "6183492715"]
    secrets += [username, password, (session.caller.authorization or "")[6:], session.player.uid]
    raw = bytes(collector.raw).lower()
    assert [secret for secret in secrets if secret.lower().encode() in raw] == []
    assert uuid.UUID(session.token).bytes not in bytes(collector.raw)


# --- What a callback causes ---


@pytest.fixture
def worker(
    broker: dict[str, str], collector: Collector, database_url: str, tmp_path: Path
) -> Iterator[Child]:
    """A worker that delivers, to games on this machine, and sends its spans when it ends."""
    settings = {"DATABASE_URL": database_url, "OUTGOING_ALLOWED_NETWORKS": "127.0.0.0/8"}
    environment = {**inherited(), **settings, **broker, **collector.environment, **AT_THE_END}
    command = [sys.executable, *supervisor.worker("deliver", 1)]
    with (tmp_path / "log").open("wb") as log:
        child = start("worker", command, environment=environment, log=log, directory=supervisor.ROOT)
        yield child
        stop(child)


def test_trace__goes_from_a_callback_to_the_game(
    url: str, worker: Child, collector: Collector, callers: Callers
) -> None:
    with selling() as game, alone(callers, game) as shop:
        order = shop.order(product="pack")
        body = event_body("payment.succeeded", order)
        headers = shop.webhooks.signed(body)
        # Some other provider's, whose signature is wrong.
        replace(shop.notify, url=url).notify(order, sign="0" * 32)
        assert replace(shop.webhooks, url=url).post(body, headers).status == 200
        eventually(lambda: game.about(order.cp_order_id), 60)
        [told] = game.about(order.cp_order_id)
        stop(worker)
    [task] = collector.wait_for("payments.deliver")
    [attempt] = collector.wait_for("delivery attempt")
    [sent] = collector.wait_for("POST", server_address=urlsplit(game.url).netloc)
    refused, callback = collector.wait_for("POST /pay/<str:slug>", 2)
    assert [one.name for one in collector.children(callback)] == ["ledger_post", "payments.deliver"]
    assert [one.parent for one in (callback, task, attempt, sent)] == [
        "",
        callback.span_id,
        task.span_id,
        attempt.span_id,
    ]
    assert {one.trace_id for one in (task, attempt, sent)} == {callback.trace_id}
    assert [one.is_failed for one in (refused, callback, task, attempt, sent)] == [False] * 5
    assert (refused.attributes["wallet.code"], sent.attributes["http.response.status_code"]) == ("401", 200)
    assert "traceparent" not in told.headers
    secrets = [*shop.webhooks.secret.split("_"), shop.delivery_secret, shop.notify.secret, body.decode()]
    secrets += [*headers.values(), told.headers["webhook-signature"], order.player.uid, order.cp_order_id]
    secrets += ["20.00", "1000.00", "100000", urlsplit(game.url).path, told.fields["sign"], "0" * 32]
    raw = bytes(collector.raw)
    assert [secret for secret in secrets if secret.encode() in raw] == []


# --- Nothing of it may be felt ---


def test_telemetry__nothing_is_imported_while_off(
    callers: Callers, database_url: str, tmp_path: Path
) -> None:
    """The library for Redis looks for OpenTelemetry's metrics by itself; of traces there is nothing."""
    imported = tmp_path / "imported"
    (tmp_path / "sitecustomize.py").write_text(WITNESS.format(str(imported)))
    settings = {"PYTHONPATH": str(tmp_path), "WEB_WORKERS": "1"}
    with served(tmp_path / "log", DATABASE_URL=database_url, **settings) as url:
        _, status = withdraw(callers.player_session(url=url), traceparent=f"00-{TRACE}-{PARENT}-01")
    names = set(imported.read_text().split())
    assert (status, "lib.telemetry.spans" in names) == (200, True)
    assert [name for name in names if name.startswith(FOR_TRACES)] == []


def test_telemetry__seams_do_nothing_while_off() -> None:
    assert spans.request_span({}) is spans.NO_SPAN
    assert spans.resumed_span("a", f"00-{TRACE}-{PARENT}-01") is spans.NO_SPAN
    assert spans.outgoing_span("a", {}) is spans.NO_SPAN
    assert spans.present_traceparent() is None
    with pytest.raises(ValueError, match="passes"), spans.NO_SPAN:
        raise ValueError("passes")


def test_telemetry__what_waits_is_sent_at_the_end(
    callers: Callers, database_url: str, tmp_path: Path
) -> None:
    settings = {"API_ALLOWED_NETWORKS": "10.0.0.0/8", "WEB_WORKERS": "1"}
    with collecting() as collector:
        environment = collector.environment | settings | AT_THE_END
        with served(tmp_path / "log", DATABASE_URL=database_url, **environment) as url:
            with pytest.raises(OSError, match=r"reset|without response"):
                withdraw(callers.player_session(url=url), traceparent=f"00-{TRACE}-{PARENT}-01")
            assert collector.spans == []
        [closed] = collector.wait_for("POST", wallet_code="closed")
    # Nobody is a proxy here, and no answer is no failure.
    assert (closed.is_failed, closed.parent) == (False, "")
    assert "http.response.status_code" not in closed.attributes
