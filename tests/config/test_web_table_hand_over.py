"""Connections change between the workers' tables (config.web_table): which go, and how they go on."""

import socket
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from config.web_connection import Connection, State
from config.web_kinds import Kind, Kinds
from tests.support.web_tables import GET, Pair, Table, enter, take_next


@pytest.fixture
def kinds(table: Table) -> Kinds:
    """The table's worker is for calls, and there is one for pages."""
    table.kinds, table.call_paths, table.loop_paths = Kinds(), (b"/wallet/",), ("/wallet/",)
    table.kinds.shares[Kind.PAGES].note(1, 0)
    table.alive = True
    return table.kinds


def test_page__is_handed_over_with_what_has_arrived(table: Table, kinds: Kinds) -> None:
    ours, theirs = socket.socketpair()
    table.look(enter(table, ours, GET))
    assert table.connections == {}
    assert not table.waiting
    given = kinds.take_over(Kind.PAGES)
    assert given
    assert given[1] == GET
    given[0].sendall(b"answer")
    assert theirs.recv(10) == b"answer"
    # The loop watches it no more.
    theirs.sendall(b"more")
    assert table.poll.poll(0) == []
    theirs.close()
    given[0].close()


def test_page__stays_where_no_other_worker_serves_or_this_one_ends(table: Table, kinds: Kinds) -> None:
    for alive, present in ((True, False), (False, True)):
        table.alive = alive
        kinds.shares[Kind.PAGES].leave(1)
        if present:
            kinds.shares[Kind.PAGES].note(1, 0)
        connection = enter(table, socket.socket(), GET)
        table.look(connection)
        assert table.waiting.take() is connection
    assert kinds.take_over(Kind.PAGES) is None


def test_connection__that_was_handed_over_goes_on(table: Table, kinds: Kinds) -> None:
    table.kind = Kind.PAGES
    ours, theirs = socket.socketpair()
    kinds.shares[Kind.PAGES].note(1, 0)
    assert kinds.hand_over(Kind.PAGES, ours, GET)
    table.take_over(0)
    (connection,) = table.connections.values()
    assert table.waiting.take() is connection
    # Nothing more has come.
    table.take_over(0)
    assert len(table.connections) == 1
    # While a thread has it, the loop is told of nothing that comes.
    theirs.sendall(b"more")
    assert table.poll.poll(0) == []
    table.wait(connection, State.IDLE)
    assert len(table.poll.poll(1)) == 1
    ours.close()
    theirs.close()


@pytest.mark.parametrize("change", ["request", "received", "kinds", "call_paths", "kind"])
def test_connection__stays_where_it_is(change: str, table: Table, kinds: Kinds, pair: Pair) -> None:
    """A page in the middle of its body, nothing yet, and where all workers or this one are for it."""
    connection = enter(table, pair[0], GET)
    if change == "request":
        connection.request = SimpleNamespace()
    elif change == "received":
        connection.received.clear()
    elif change == "kind":
        table.kind = Kind.PAGES
    else:
        setattr(table, change, None)
    assert not table.hands_over(connection)
    assert table.closed == []
    assert kinds.take_over(Kind.PAGES) is None
    table.kinds = kinds


def test_connection__that_has_ended_on_its_way_is_closed(
    table: Table, kinds: Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    sock = socket.socket()
    monkeypatch.setattr(kinds, "take_over", lambda _: (sock, GET))
    table.take_over(0)
    assert (sock.fileno(), table.connections) == (-1, {})


CALLBACK = b"POST /pay/stripe HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"


def busy(kinds: Kinds, *, calls: int, pages: int) -> None:
    for kind, place, requests in ((Kind.CALLS, 0, calls), (Kind.PAGES, 1, pages)):
        kinds.shares[kind].note(place, 0)
        kinds.shares[kind].note_busy(place, requests)


@pytest.mark.parametrize(
    ("kind", "calls", "pages", "goes_to"),
    [
        (Kind.CALLS, 0, 0, Kind.PAGES),
        (Kind.CALLS, 1, 1, Kind.PAGES),
        (Kind.CALLS, 0, 1, None),
        (Kind.PAGES, 0, 1, Kind.CALLS),
        (Kind.PAGES, 1, 1, None),
        (Kind.PAGES, 2, 1, None),
    ],
)
def test_callback__goes_to_whoever_has_less_to_do(
    kind: Kind, calls: int, pages: int, goes_to: Kind | None, table: Table, kinds: Kinds, pair: Pair
) -> None:
    table.kind, table.either_paths = kind, (b"/pay/",)
    busy(kinds, calls=calls, pages=pages)
    connection = enter(table, pair[0].dup(), CALLBACK)
    assert table.hands_over(connection) is (goes_to is not None)
    given = kinds.take_over(goes_to) if goes_to is not None else None
    assert (given is None) is (goes_to is None)
    if given:
        given[0].close()


def test_callback__that_was_handed_over_stays_until_it_is_answered(
    table: Table, kinds: Kinds, pair: Pair
) -> None:
    table.either_paths = (b"/pay/",)
    busy(kinds, calls=0, pages=1)
    assert kinds.hand_over(Kind.CALLS, pair[0], CALLBACK)
    table.take_over(0)
    busy(kinds, calls=1, pages=0)
    (connection,) = table.connections.values()
    assert table.waiting.take() is connection
    connection.request, connection.received[:] = None, CALLBACK
    assert not table.hands_over(connection)
    connection.end_request()
    assert table.hands_over(connection)
    given = kinds.take_over(Kind.PAGES)
    assert given
    given[0].close()


def test_worker__tells_what_its_threads_and_its_loop_have_under_way(
    table: Table, kinds: Kinds, pair: Pair
) -> None:
    shares = kinds.shares[Kind.PAGES]
    table.kind, table.place = Kind.PAGES, 1
    connection = enter(table, pair[0].dup(), GET)
    table.look(connection)
    assert shares.least_busy() == 1
    table.loop.start(table.loop.pause)
    table.share()
    assert shares.least_busy() == 2
    # Late: it is dropped, and is under way no more.
    connection.deadline = 0.0
    take_next(table)
    table.share_busy()
    assert shares.least_busy() == 1


class LatePoll:
    """A poll in which a thread wants to give a connection back at the very moment when it goes."""

    def __init__(self, table: Table, connection: Connection) -> None:
        self.table, self.connection, self.poll = table, connection, table.poll
        self.problems: list[BaseException] = []
        self.thread = threading.Thread(target=self.give_back)

    def give_back(self) -> None:
        try:
            self.table.wait(self.connection, State.IDLE)
        except OSError as problem:
            self.problems.append(problem)

    def unregister(self, descriptor: int) -> None:
        self.poll.unregister(descriptor)
        self.thread.start()
        self.thread.join(0.2)

    def modify(self, *what: Any) -> None:
        self.poll.modify(*what)


def test_page__that_goes_is_given_back_by_no_thread(table: Table, kinds: Kinds) -> None:
    ours, theirs = socket.socketpair()
    connection = enter(table, ours, GET)
    late: Any = LatePoll(table, connection)
    table.poll = late
    assert table.hands_over(connection)
    late.thread.join()
    assert late.problems == []
    table.poll = late.poll
    given = kinds.take_over(Kind.PAGES)
    assert given
    given[0].close()
    theirs.close()
