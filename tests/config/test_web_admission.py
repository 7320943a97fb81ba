"""Who waits, who goes first, and who is refused because it would wait too long (config.web_admission)."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from config import web_admission
from config.web_admission import Line, Pace, Urgency
from config.web_connection import Connection, State
from config.web_worker import MOST_UNDER_WAY
from tests.support.web_tables import Pair, Table, enter, take_next

OPENING = b"POST /wallet/withdraw HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
SETTLING = OPENING.replace(b"withdraw", b"confirmWithdrawal")
REFUSED = b"HTTP/1.1 503 Service Unavailable"


class Clock:
    """The monotonic clock, as far as a line sees it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(web_admission, "time", clock)
    return clock


def line_of(*urgencies: Urgency, places: int = 4, pace: float = 0.0) -> tuple[Line, list[Any]]:
    """A line whose wait is 0.25 s, and who stands in it, in the order of their coming."""
    line = Line(places, 0.25)
    if pace:
        line.pace.windows.append(pace)
    waiting = [object() for _ in urgencies]
    for one, urgency in zip(waiting, urgencies, strict=True):
        line.put(one, urgency)  # type: ignore[arg-type]
    return line, waiting


def taken_from(line: Line) -> Iterator[Any]:
    while (one := line.take()) is not None:
        yield one


# --- The line ---


def test_line__settles_first_and_opens_last() -> None:
    order = (Urgency.OPENING, Urgency.PAGE, Urgency.SETTLING, Urgency.READING, Urgency.SETTLING)
    line, (opening, page, first, reading, second) = line_of(*order)
    assert len(line) == 5
    assert list(taken_from(line)) == [first, second, reading, page, opening]
    assert (len(line), line.take()) == (0, None)


@pytest.mark.parametrize(
    ("urgency", "seconds"),
    [(Urgency.SETTLING, 0.12), (Urgency.READING, 0.13), (Urgency.PAGE, 0.13), (Urgency.OPENING, 0.15)],
)
def test_wait__counts_who_goes_before(urgency: Urgency, seconds: float) -> None:
    """Ten are under way, and of five that wait some are overtaken."""
    line, _ = line_of(
        Urgency.OPENING, Urgency.OPENING, Urgency.READING, Urgency.SETTLING, Urgency.SETTLING, pace=0.01
    )
    assert line.would_wait(urgency, 10 + 5) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("urgency", "present", "is_refused"),
    [
        (Urgency.OPENING, 25, False),
        (Urgency.OPENING, 26, True),
        (Urgency.READING, 100, False),
        (Urgency.READING, 101, True),
        (Urgency.SETTLING, 400, False),
        (Urgency.SETTLING, 401, True),
        (Urgency.PAGE, 100_000, False),
    ],
)
def test_refusal__by_the_time_that_it_would_take(urgency: Urgency, present: int, is_refused: bool) -> None:
    """At 100 answers a second: an opening waits a quarter of a second, a read one, a settling four."""
    line, _ = line_of(pace=0.01)
    assert line.is_too_long(urgency, present) == is_refused


def test_refusal__none_while_there_are_places_or_nothing_is_known() -> None:
    line, _ = line_of(places=128, pace=1.0)
    assert not line.is_too_long(Urgency.OPENING, 127)
    assert line.is_too_long(Urgency.OPENING, 128)
    unknown, _ = line_of()
    assert not unknown.is_too_long(Urgency.OPENING, 100_000)


def test_overdue__three_times_as_long_as_was_expected(clock: Clock) -> None:
    line, (opening, reading, page, settling) = line_of(
        Urgency.OPENING, Urgency.READING, Urgency.PAGE, Urgency.SETTLING
    )
    seen = []
    for now in (0.75, 0.76, 3.0, 3.01, 12.0, 12.01, 1000.0):
        clock.now = 1000.0 + now
        seen.append(line.take_overdue())
    assert seen == [[], [opening], [], [reading], [], [settling], []]
    # Who was let in and has gone counts as answered, but these were refused.
    assert (line.entered, line.take()) == (1, page)


# --- The pace ---


def noted(pace: Pace, clock: Clock, *steps: tuple[float, int], is_busy: bool = True) -> float:
    """The pace after so many seconds and answers more, in steps."""
    answered = pace.answered
    for seconds, answers in steps:
        clock.now += seconds
        answered += answers
        pace.note(answered, is_busy=is_busy)
    return pace.seconds()


def test_pace__is_that_of_the_best_of_the_last_windows(clock: Clock) -> None:
    pace = Pace()
    assert noted(pace, clock, (0, 0), (0.1, 100)) == pytest.approx(0.001)
    # A disk that held everything up for half a second.
    assert noted(pace, clock, (0.5, 1)) == pytest.approx(0.001)
    # A machine that has become slower is believed when eight windows have said so.
    assert noted(pace, clock, *[(0.1, 50)] * 6) == pytest.approx(0.001)
    assert noted(pace, clock, (0.1, 50)) == pytest.approx(0.002)


def test_pace__a_window_without_an_answer_goes_on(clock: Clock) -> None:
    pace = Pace()
    assert noted(pace, clock, (0, 0), (0.1, 0), (0.1, 0), (0.1, 3)) == pytest.approx(0.1)


def test_pace__says_nothing_of_times_in_which_nobody_waits(clock: Clock) -> None:
    pace = Pace()
    assert noted(pace, clock, (0, 0), (5, 10), is_busy=False) == 0
    assert noted(pace, clock, (0, 0), (0.05, 10)) == 0
    noted(pace, clock, (10, 10), is_busy=False)
    assert noted(pace, clock, (0, 0), (0.1, 100)) == pytest.approx(0.001)


# --- The worker ---


@pytest.fixture
def crowded(table: Table) -> Table:
    """A worker whose loop has as many calls under way as it takes, which never end."""
    table.loop_paths, table.alive = ("/wallet/",), True
    table.urgency_of = urgency_of  # type: ignore[method-assign]
    table.refuse_call = refuse_call  # type: ignore[method-assign]
    table.wsgi = pausing(table)
    for _ in range(MOST_UNDER_WAY):
        table.loop.start(table.loop.pause)
    return table


def urgency_of(path: str) -> Urgency:
    return Urgency.SETTLING if path.endswith("confirmWithdrawal") else Urgency.OPENING


def refuse_call(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [("Retry-After", "5"), ("Content-Length", "2")])
    return [b"no"]


def pausing(table: Table) -> Any:
    table.begun = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        table.begun.append(environ["PATH_INFO"])
        table.loop.pause()
        return []

    return application


def test_call__begins_at_once_while_there_are_places(table: Table, pair: Pair) -> None:
    table.loop_paths, table.alive, table.wsgi = ("/wallet/",), True, pausing(table)
    table.look(enter(table, pair[0], OPENING))
    assert table.begun == ["/wallet/withdraw"]
    assert (len(table.calls), table.is_crowded) == (0, False)


def test_call__waits_and_what_settles_begins_first(crowded: Table) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    for (ours, _), request in zip(pairs, (OPENING, SETTLING), strict=True):
        crowded.look(enter(crowded, ours, request))
    assert (len(crowded.calls), crowded.is_crowded, crowded.begun) == (2, True, [])
    # Somebody else's lock keeps no other from its answer.
    for _ in range(2):
        crowded.loop.set_aside += 1
        crowded.go_on_with_lines()
    assert crowded.begun == ["/wallet/confirmWithdrawal", "/wallet/withdraw"]
    assert (len(crowded.calls), crowded.is_crowded) == (0, False)
    for _, theirs in pairs:
        theirs.close()


def test_call__that_would_wait_too_long_is_refused_and_its_connection_goes_on(
    crowded: Table, pair: Pair
) -> None:
    crowded.calls.pace.windows.append(0.25 / MOST_UNDER_WAY + 1e-6)
    connection = enter(crowded, pair[0], OPENING + SETTLING)
    crowded.look(connection)
    answer = pair[1].recv(65536)
    assert answer.startswith(REFUSED)
    assert b"\r\nRetry-After: 5\r\n" in answer
    assert b"\r\nConnection: keep-alive\r\n" in answer
    # What came along settles, and waits.
    crowded.loop.turn(0)
    assert (len(crowded.calls), state_of(connection)) == (1, State.BUSY)
    assert crowded.begun == []


def test_call__that_waited_far_too_long_is_refused(crowded: Table, pair: Pair, clock: Clock) -> None:
    crowded.look(enter(crowded, pair[0], OPENING))
    clock.now += 0.76
    crowded.go_on_with_lines()
    assert pair[1].recv(65536).startswith(REFUSED)
    assert (len(crowded.calls), crowded.begun) == (0, [])


def test_call__of_whom_no_answer_is_due_gets_no_byte(crowded: Table, pair: Pair) -> None:
    def reset(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise ConnectionResetError

    crowded.refuse_call = reset  # type: ignore[method-assign]
    crowded.calls.pace.windows.append(1.0)
    connection = enter(crowded, pair[0], OPENING)
    crowded.look(connection)
    assert pair[1].recv(1) == b""
    assert state_of(connection) is State.LINGERING


def test_thread__takes_what_settles_first(table: Table) -> None:
    table.alive, table.urgency_of = True, urgency_of  # type: ignore[method-assign]
    answered: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answered.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    table.wsgi = application
    pairs = [socket.socketpair() for _ in range(2)]
    for (ours, _), request in zip(pairs, (OPENING, SETTLING), strict=True):
        table.look(enter(table, ours, request))
    for _ in pairs:
        take_next(table)
    assert answered == ["/wallet/confirmWithdrawal", "/wallet/withdraw"]
    for _, theirs in pairs:
        theirs.close()


def test_thread__a_request_that_would_wait_too_long_is_refused(table: Table, pair: Pair) -> None:
    table.alive, table.urgency_of = True, urgency_of  # type: ignore[method-assign]
    table.refuse_call = refuse_call  # type: ignore[method-assign]
    table.waiting.pace.windows.append(1.0)
    others = [table.add("10.0.0.2", State.BUSY, time.monotonic() + 60) for _ in range(table.cfg.threads)]
    table.in_threads.update(others)
    table.look(enter(table, pair[0], OPENING))
    assert pair[1].recv(65536).startswith(REFUSED)
    assert (len(table.waiting), len(table.in_threads)) == (0, len(others))


def state_of(connection: Connection) -> State:
    return connection.state
