"""Calls in a loop: the same answers as in a thread, and nothing of Django's connections in the loop's own."""

import io
import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.core.cache.backends.redis import RedisCache
from django.core.signals import request_started
from django.db.backends.base.base import BaseDatabaseWrapper

from config.wsgi import application
from players.access import credentials
from players.access.credentials import CREDENTIALS
from tests.support.callers import Callers, basic, fresh_address, unique
from tests.support.loops import SECONDS, RunningLoop, running_loop
from wallet.currencies import decimals_of

NOBODY = basic("nobody", "nothing")
BALANCE = "/wallet/getBalance"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningLoop]:
    with running_loop() as running:
        yield running


@pytest.fixture
def blocking(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The threads that began a request as Django does, connected to the database, or counted in Redis."""
    threads: list[str] = []

    def note(work: Any) -> Any:
        def noted(*arguments: Any, **named: Any) -> Any:
            threads.append(threading.current_thread().name)
            return work(*arguments, **named)

        return noted

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", note(BaseDatabaseWrapper.connect))
    monkeypatch.setattr(RedisCache, "incr", note(RedisCache.incr))
    began = note(lambda **_: None)
    request_started.connect(began)
    yield threads
    request_started.disconnect(began)


def ask(environ: dict[str, Any], body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """What the application says to a request."""
    said: list[Any] = []
    environ = environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    parts = application(environ, lambda status, headers: said.extend((status, headers)))
    content = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    return said[0], said[1], content


def request(authorization: str, path: str = BALANCE, method: str = "POST") -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": authorization,
        "REMOTE_ADDR": fresh_address(),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }


@pytest.mark.parametrize(
    ("who", "path", "method", "body", "status"),
    [
        ("", BALANCE, "POST", b"{}", "401 Unauthorized"),
        (NOBODY, BALANCE, "POST", b"{}", "401 Unauthorized"),
        ("game", "/wallet/nothing", "POST", b"{}", "404 Not Found"),
        ("game", BALANCE, "GET", b"", "405 Method Not Allowed"),
        ("game", BALANCE, "POST", b" " * 65_537, f"413 {HTTPStatus(413).phrase}"),
        ("game", BALANCE, "POST", b"\xef\xbb\xbf{}", "200 OK"),
        ("game", BALANCE, "POST", b'{"token": "none"}', "200 OK"),
    ],
)
def test_loop__answers_as_a_thread_does(
    running: RunningLoop,
    callers: Callers,
    monkeypatch: pytest.MonkeyPatch,
    blocking: list[str],
    who: str,
    path: str,
    method: str,
    body: bytes,
    status: str,
) -> None:
    monkeypatch.setattr(credentials, "MISS_RELOAD_SECONDS", 0.0)
    environ = request(callers.game.caller.authorization or "" if who == "game" else who, path, method)
    CREDENTIALS.forget()
    answer = running.do(ask, environ, body)
    assert running.thread.name not in blocking
    assert answer == ask(environ, body)
    assert blocking
    assert answer[0] == status
    assert (("Allow", "POST") in answer[1]) == (status[:3] not in ("401", "404"))


def test_loop__wrong_address_gets_no_answer(running: RunningLoop, settings: Any) -> None:
    settings.API_ALLOWED_NETWORKS = ["192.0.2.0/24"]
    with pytest.raises(ConnectionResetError):
        running.do(ask, request(NOBODY), b"{}")


def test_loop__others_go_on_with_old_credentials_while_one_call_reloads(
    running: RunningLoop, callers: Callers, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, reads = threading.Event(), []
    environ = request(callers.game.caller.authorization or "", "/wallet/nothing")
    assert running.do(ask, environ, b"")[0] == "404 Not Found"
    settings.CREDENTIAL_CACHE_SECONDS = 0
    take = credentials.take_snapshot

    def take_slowly() -> credentials.Snapshot:
        reads.append(threading.current_thread().name)
        may_end.wait(SECONDS)
        return take()

    monkeypatch.setattr(credentials, "take_snapshot", take_slowly)
    reloading = running.begin(ask, environ, b"")
    others = [running.begin(ask, environ, b"") for _ in range(20)]
    assert {other.result(SECONDS)[0] for other in others} == {"404 Not Found"}
    assert not reloading.done()
    may_end.set()
    assert reloading.result(SECONDS)[0] == "404 Not Found"
    assert len(reads) == 1
    assert reads[0].startswith("blocking")


def test_loop__currency_is_read_in_a_thread(
    running: RunningLoop, callers: Callers, blocking: list[str]
) -> None:
    assert running.do(decimals_of, "BHD") == 3
    assert running.do(decimals_of, unique("NONE").replace("-", "")) is None
    assert running.thread.name not in blocking


def test_loop__failed_authentications_share_one_client_of_redis(
    running: RunningLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[object] = []
    incr = RedisCache.incr

    def note(cache: RedisCache, *arguments: Any, **named: Any) -> int:
        clients.append(cache)
        return incr(cache, *arguments, **named)

    monkeypatch.setattr(RedisCache, "incr", note)
    for _ in range(3):
        assert running.do(ask, request("Basic"), b"")[0] == "401 Unauthorized"
    assert len(clients) == 3
    assert len({id(client) for client in clients}) == 1
