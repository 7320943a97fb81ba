"""Connections are shared among the workers, evenly but for an eighth."""

import time
from types import SimpleNamespace

import pytest

from config import web_shares
from config.web_shares import MOST_WORKERS, STUCK_SECONDS, Shares


@pytest.mark.parametrize(
    ("own", "others", "is_ahead"),
    [
        (0, [0], False),
        (1, [0], True),
        (1, [1], False),
        (3, [3, 2], True),
        (80, [70], False),
        (80, [69], True),
        (80, [], False),
    ],
)
def test_share__worker_is_ahead_of_others(own: int, others: list[int], is_ahead: bool) -> None:
    shares = Shares()
    for place, connections in enumerate([own, *others]):
        shares.note(place, connections)
    assert shares.is_ahead(own) is is_ahead


def test_share__worker_that_has_left_counts_no_more() -> None:
    shares = Shares()
    shares.note(1, 0)
    assert shares.is_ahead(5)
    shares.leave(1)
    assert not shares.is_ahead(5)


def test_share__worker_that_is_stuck_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = Shares()
    shares.note(1, 0)
    began = time.monotonic()
    monkeypatch.setattr(web_shares, "time", SimpleNamespace(monotonic=lambda: began + STUCK_SECONDS - 0.5))
    assert (shares.present(), shares.is_ahead(5)) == ([1], True)
    monkeypatch.setattr(web_shares, "time", SimpleNamespace(monotonic=lambda: began + STUCK_SECONDS + 0.5))
    assert (shares.present(), shares.is_ahead(5)) == ([], False)


def test_share__worker_beyond_the_places_takes_no_part() -> None:
    shares = Shares()
    shares.note(MOST_WORKERS, 0)
    shares.leave(MOST_WORKERS)
    assert not shares.is_ahead(5)


def test_share__least_busy_of_those_present() -> None:
    shares = Shares()
    assert shares.least_busy() is None
    for place, requests in enumerate((3, 2, 0)):
        shares.note(place, 7)
        shares.note_busy(place, requests)
    shares.leave(2)
    shares.note_busy(MOST_WORKERS, 0)
    assert shares.least_busy() == 2
