"""Calls and pages are answered by workers of two kinds, and connections change between them."""

import os
import re
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.web_connection import HEAD_LIMIT
from config.web_kinds import MOST_RECEIVED, TELLING, Kind, Kinds, kind_of, rarer
from config.web_shares import STUCK_SECONDS
from tests.attack.clients import place_of
from tests.support.callers import fresh_address
from tests.support.web_server import served
from tests.support.web_tables import ends

PATHS = (b"/wallet/", b"/pay")
# Refused calls are counted by address: this machine's is every test's.
ADDRESS = fresh_address().encode()
CALL = (
    b"POST /wallet/withdraw HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"X-Forwarded-For: " + ADDRESS + b"\r\nContent-Length: 2\r\n\r\n{}"
)
# So many calls without a credential are throttled.
REFUSED = {b"401", b"429"}
PAGE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "kind"),
    [
        (b"", None),
        (b"POST", None),
        (b"POST ", None),
        (b"POST /wal", None),
        (b"POST /wallet", None),
        (b"POST /wallet/", Kind.CALLS),
        (b"GET /pay", Kind.CALLS),
        pytest.param(CALL, Kind.CALLS, id="a whole call"),
        (b"\r\nPOST /wallet/", Kind.CALLS),
        (b"POST /wallet HTTP/1.1", Kind.PAGES),
        (b"GET /w HTTP/1.1", Kind.PAGES),
        (b"GET /a", Kind.PAGES),
        (PAGE, Kind.PAGES),
        (b"POST http://127.0.0.1/wallet/withdraw HTTP/1.1", Kind.PAGES),
        (b"x" * (TELLING - 1), None),
        (b"x" * TELLING, Kind.PAGES),
    ],
)
def test_kind__of_a_request(received: bytes, kind: Kind | None) -> None:
    assert kind_of(bytearray(received), PATHS) is kind


@pytest.mark.parametrize(
    ("present", "next_one"),
    [
        ([], Kind.CALLS),
        ([Kind.CALLS], Kind.PAGES),
        ([Kind.PAGES], Kind.CALLS),
        ([Kind.CALLS, Kind.PAGES], Kind.CALLS),
        ([Kind.CALLS, Kind.PAGES, Kind.CALLS], Kind.PAGES),
    ],
)
def test_kind__of_the_next_worker(present: list[Kind], next_one: Kind) -> None:
    assert rarer(present) is next_one


def test_hand_over__needs_somebody_who_takes_it_and_room() -> None:
    kinds, (ours, theirs) = Kinds(), socket.socketpair()
    assert kinds.hand_over(Kind.PAGES, ours, PAGE) is False
    kinds.shares[Kind.PAGES].note(0, 0)
    assert kinds.hand_over(Kind.PAGES, ours, b"x" * (MOST_RECEIVED + 1)) is False
    # Whatever may be the beginning of a request fits.
    given = 0
    while kinds.hand_over(Kind.PAGES, ours, b"x" * HEAD_LIMIT):
        given += 1
    assert 0 < given < 1000
    assert kinds.hand_over(Kind.PAGES, ours, PAGE) is False
    for _ in range(given):
        taken = kinds.take_over(Kind.PAGES)
        assert taken
        assert taken[1] == b"x" * HEAD_LIMIT
        assert not taken[0].get_inheritable()
        taken[0].close()
    assert kinds.take_over(Kind.PAGES) is None
    assert kinds.take_over(Kind.CALLS) is None
    for sock in (ours, theirs, *ends(kinds)):
        sock.close()


def owner_of(connection: socket.socket, workers: list[int]) -> int:
    """The worker that has the other end."""
    theirs, ours = (f":{place[1]:04X}" for place in (connection.getpeername(), connection.getsockname()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (inode,) = (row[9] for row in rows if row[1].endswith(theirs) and row[2].endswith(ours))
    for worker in workers:
        for descriptor in Path(f"/proc/{worker}/fd").iterdir():
            if os.path.lexists(descriptor) and os.readlink(descriptor) == f"socket:[{inode}]":
                return worker
    raise AssertionError("nobody has it")


def owners(connections: list[socket.socket], workers: list[int]) -> set[int]:
    return {owner_of(connection, workers) for connection in connections}


def asked(connection: socket.socket, request: bytes) -> bytes:
    """The status of the answer."""
    connection.sendall(request)
    answer = connection.recv(65536)
    return answer.split(b" ", 2)[1]


def policies(worker: int) -> set[int]:
    """How the threads of a worker are scheduled."""
    return {os.sched_getscheduler(int(thread.name)) for thread in Path(f"/proc/{worker}/task").iterdir()}


def change_often(place: tuple[str, int]) -> None:
    """One connection that asks for a page and a call in turns."""
    with socket.create_connection(place, 20) as connection:
        for _ in range(150):
            assert asked(connection, PAGE) == b"200"
            assert asked(connection, CALL) in REFUSED


def test_connection__changes_the_worker_with_what_it_asks(database_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with served(log, DATABASE_URL=database_url, WEB_WORKERS="2", TRUSTED_PROXIES="127.0.0.1") as url:
        first = re.findall(r"Listening at: \S+ \((\d+)\)", log.read_text())[0]
        listed = subprocess.run(["pgrep", "-P", first], capture_output=True, text=True, check=True).stdout
        workers = [int(pid) for pid in listed.split()]
        with socket.create_connection(place_of(url), 20) as early:
            # Until both serve, one answers all.
            deadline = time.monotonic() + 60
            while asked(early, CALL) and (calls := owner_of(early, workers)) and asked(early, PAGE):
                if (pages := owner_of(early, workers)) != calls:
                    break
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert policies(calls) == {os.SCHED_OTHER}
        assert os.SCHED_BATCH in policies(pages)
        connections = [socket.create_connection(place_of(url), 20) for _ in range(6)]
        assert {asked(connection, CALL) for connection in connections} <= REFUSED
        assert owners(connections, workers) == {calls}
        assert [asked(connection, PAGE) for connection in connections[:3]] == [b"200"] * 3
        assert owners(connections[:3], workers) == {pages}
        # Back, with a page that follows at once.
        connections[0].sendall(CALL + PAGE)
        received = b""
        while received.count(b"HTTP/1.1 ") < 2:
            received += connections[0].recv(65536)
        first_status, second_status = re.findall(rb"HTTP/1.1 (\d+)", received)
        assert first_status in REFUSED
        assert second_status == b"200"
        # Where one is stuck, the other answers.
        os.kill(calls, signal.SIGSTOP)
        try:
            time.sleep(STUCK_SECONDS + 0.5)
            assert asked(connections[1], CALL) in REFUSED
            assert owner_of(connections[1], workers) == pages
        finally:
            os.kill(calls, signal.SIGCONT)
        for connection in connections:
            connection.close()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(change_often, [place_of(url)] * 8))
        assert "Traceback" not in log.read_text()
