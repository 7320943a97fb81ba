"""Wallet calls in the web server's loop: many connections, many calls on one, and what is under way when the
server ends or has new code.
"""

import os
import re
import signal
import socket
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from benchmarks.load import Load
from benchmarks.traffic import Login, withdrawals
from tests.attack.clients import place_of
from tests.conftest import in_database
from tests.support.callers import Callers, PlayerSession, dump, unique
from tests.support.invariants import problems_of
from tests.support.web_server import served

FUNDS = 1_000_000_00


def request(session: PlayerSession, mm: str) -> bytes:
    """A withdrawal of 1.00."""
    amount = {"amount": 1, "currencyCode": session.currency}
    body = dump({"token": session.token, "mmTransactionId": mm, "amount": amount}).encode()
    return (
        "POST /wallet/withdraw HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: {session.caller.authorization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def read_to_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def one_worker(
    callers: Callers, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a server with one worker, to which one address may have many connections."""
    log = tmp_path_factory.mktemp("server") / "log"
    settings = {"WEB_WORKERS": "1", "WEB_CONNECTIONS_PER_ADDRESS": "1024"}
    with served(log, DATABASE_URL=database_url, **settings) as url:
        yield url


def test_calls__over_256_and_1024_connections_have_no_error(one_worker: str, callers: Callers) -> None:
    sessions = [callers.player_session(FUNDS) for _ in range(20)]
    tokens = [session.token.encode() for session in sessions]
    login = Login(*b64decode((callers.game.caller.authorization or "")[6:]).decode().split(":"))
    answers = 0
    for connections in (256, 1024):
        result = Load(place_of(one_worker), connections, lambda: withdrawals(login, tokens)).run(2.0)
        assert (result.errors, result.examples) == (0, [])
        assert result.all_answers >= connections
        answers += result.all_answers
    held = [session.holding() for session in sessions]
    assert sum(holding.reserved for holding in held) == answers * 1_00
    assert sum(holding.entries - 2 for holding in held) == answers
    assert [problem for session in sessions for problem in problems_of(session.player)] == []


def test_calls__on_one_connection_are_answered_in_their_order(
    server: str, player_session: PlayerSession
) -> None:
    mms = [unique("mm") for _ in range(30)]
    with socket.create_connection(place_of(server), 20) as connection:
        connection.sendall(b"".join(request(player_session, mm) for mm in mms))
        # Half-closed: what was sent is answered all the same.
        connection.shutdown(socket.SHUT_WR)
        answers = read_to_end(connection).split(b"HTTP/1.1 200 ")[1:]
    assert [re.findall(rb'"mmTransactionId":"([^"]+)"', answer)[0].decode() for answer in answers] == mms
    balances = [re.findall(rb'"amount":([0-9.]+)', answer)[0].decode() for answer in answers]
    assert balances == [f"{99 - number}.00" for number in range(30)]


@pytest.mark.parametrize(
    "signal_number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)]
)
def test_call__under_way_when_the_worker_ends_is_answered(
    signal_number: signal.Signals,
    player_session: PlayerSession,
    database_url: str,
    database_name: str,
    tmp_path: Path,
) -> None:
    """It waits for its wallet's lock meanwhile."""
    log, wallet = tmp_path / "log", player_session.wallet().pk
    with (
        served(log, DATABASE_URL=database_url, WEB_WORKERS="1") as url,
        psycopg.connect(in_database(os.environ["DATABASE_OWNER_URL"], database_name)) as other,
        socket.create_connection(place_of(url), 20) as silent,
        socket.create_connection(place_of(url), 20) as caller,
    ):
        other.execute("SELECT 1 FROM wallet_wallet WHERE id = %s FOR UPDATE", [wallet])
        caller.sendall(request(player_session, unique("mm")))
        time.sleep(0.2)
        os.kill(int(re.findall(r"Listening at: \S+ \((\d+)\)", log.read_text())[0]), signal_number)
        # So a worker shows that it ends: it lets go of who says nothing.
        assert silent.recv(1) == b""
        other.rollback()
        assert read_to_end(caller).startswith(b"HTTP/1.1 200 ")
    assert player_session.holding()[:2] == (99_00, 1_00)
