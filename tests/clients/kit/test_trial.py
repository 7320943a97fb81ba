import threading
from contextlib import closing, suppress

import pytest

from clients.kit.parties import Login, Target
from clients.kit.redaction import Redactor
from clients.kit.trial import Trial, results_of
from clients.kit.wire import Record

TARGET = Target("http://127.0.0.1:9", Login("g", "p1", "a"), Login("o", "p2", "b"), Login("f", "p3"))


def test_together__tells_why_nobody_could_begin() -> None:
    with closing(TARGET.wire()) as wire, pytest.raises(ConnectionRefusedError):
        Trial(TARGET, wire, Record(Redactor())).together([lambda: 1, lambda: 2])


def test_results_of__raises_the_cause_before_those_who_waited() -> None:
    with pytest.raises(OSError, match="cause"):
        results_of([threading.BrokenBarrierError(), OSError("cause"), 1])
    with suppress(threading.BrokenBarrierError):
        results_of([threading.BrokenBarrierError(), 1])
        pytest.fail("nothing was raised")
    assert results_of([1, 2]) == [1, 2]
