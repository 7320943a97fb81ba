"""Failed log-ins are counted in the database; who fails waits, and nobody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from players.logins import attempts
from players.logins.attempts import LOCK_SECONDS, begin_login, in_time, succeed
from players.models import LoginCounter
from tests.conftest import Clock
from tests.support.callers import fresh_address, unique


def fail(name: str, address: str, clock: Clock, times: int) -> list[int]:
    """Fails so many times, as soon as it is allowed. Returns the waits."""
    waited, ahead = [], timedelta()
    for _ in range(times):
        tried = begin_login(name, address)
        waited.append(tried.wait)
        ahead += timedelta(seconds=tried.wait)
        clock.go_ahead(ahead)
        if tried.wait:
            assert begin_login(name, address).wait == 0
    return waited


def test_failures__wait_twice_as_long_each_time_then_a_quarter_hour(clock: Clock) -> None:
    waited = fail(unique("name"), fresh_address(), clock, 11)
    assert waited[:3] == [0, 0, 0]
    assert [round(seconds / 2**power) for power, seconds in enumerate(waited[3:10])] == [1] * 7
    assert LOCK_SECONDS - 5 <= waited[10] <= LOCK_SECONDS


def test_failures__last_one_before_a_lock_says_so(clock: Clock) -> None:
    name, address, ahead = unique("name"), fresh_address(), timedelta()
    said = []
    while not (tried := begin_login(name, address)).is_last:
        said.append(tried.is_last)
        ahead += timedelta(seconds=tried.wait)
        clock.go_ahead(ahead)
    assert LOCK_SECONDS - 5 <= begin_login(name, address).wait <= LOCK_SECONDS


def test_failures__elsewhere_never_keep_the_owner_out(clock: Clock) -> None:
    name = unique("name")
    for _ in range(30):
        elsewhere = fresh_address()
        for _ in range(4):
            begin_login(name, elsewhere)
    mine = fresh_address()
    tried = begin_login(name, mine)
    assert tried.wait == 0
    # But a mistake of one's own is dearer than in quiet times.
    assert 1 < begin_login(name, mine).wait < 60


def test_failures__of_an_address_count_whatever_the_name(clock: Clock) -> None:
    address = fresh_address()
    for _ in range(attempts.ADDRESS_FREE):
        assert begin_login(unique("name"), address).wait == 0
    assert begin_login(unique("name"), address).wait == 1
    assert begin_login(unique("name"), fresh_address()).wait == 0


def test_waiting__is_not_counted_and_makes_nothing_longer() -> None:
    name, address = unique("name"), fresh_address()
    for _ in range(6):
        begin_login(name, address)
    before = LoginCounter.objects.get(pk=attempts.key("pair", name, address))
    for _ in range(5):
        assert begin_login(name, address).wait > 0
    assert LoginCounter.objects.get(pk=before.pk).last_at == before.last_at


def test_success__lets_the_pair_begin_anew() -> None:
    name, address = unique("name"), fresh_address()
    for _ in range(2):
        begin_login(name, address)
    succeed(begin_login(name, address))
    counts = {kind: count(kind, name, address) for kind in ("pair", "name", "address")}
    assert counts == {"pair": 0, "name": 2, "address": 2}


def count(kind: str, name: str, address: str) -> int:
    words = {"pair": (name, address), "name": (name,), "address": (address,)}[kind]
    return LoginCounter.objects.get(pk=attempts.key(kind, *words)).failures


def test_counters__are_forgotten_after_an_hour(clock: Clock) -> None:
    name, address = unique("name"), fresh_address()
    for _ in range(3):
        begin_login(name, address)
    assert begin_login(name, address).wait > 0
    clock.go_ahead(attempts.FORGOTTEN + timedelta(seconds=5))
    assert [begin_login(name, address).wait for _ in range(3)] == [0, 0, 0]
    clock.go_ahead(2 * attempts.FORGOTTEN + timedelta(seconds=10))
    assert attempts.forget_old() >= 3
    assert not LoginCounter.objects.filter(pk=attempts.key("name", name)).exists()


def test_guesses__at_the_same_instant_are_all_counted() -> None:
    name, address = unique("name"), fresh_address()

    def guess(_: int) -> int:
        try:
            return begin_login(name, address).wait
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(guess, range(16)))
    assert sum(not wait for wait in waits) == attempts.FREE


def test_counters__know_no_name_and_no_address() -> None:
    name, address = unique("name"), fresh_address()
    begin_login(name, address)
    stored = " ".join(LoginCounter.objects.values_list("key", flat=True))
    assert name not in stored
    assert address not in stored


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (64, "64 seconds"), (90, "90 seconds"), (91, "2 minutes"), (900, "15 minutes")],
)
def test_wait__is_said_in_words(seconds: int, words: str) -> None:
    assert in_time(seconds) == words
