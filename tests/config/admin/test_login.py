"""What a stranger's guess at an operator's password may cost."""

import time

import pytest
from django.test import Client

from config.login import BUSY, HASHING, MOST_TRIES
from players.access.throttling import FAILURES, WINDOW_SECONDS
from players.models import Operator
from tests.support.admin_pages import operator
from tests.support.callers import fresh_address

PASSWORD = "a password for this test only"


@pytest.fixture
def someone() -> Operator:
    made = operator()
    made.set_password(PASSWORD)
    made.save()
    return made


def log_in(who: Operator, address: str, password: str = PASSWORD) -> tuple[int, bool]:
    """The status, and whether it was refused for its number."""
    response = Client().post(
        "/admin/login/", {"username": who.username, "password": password}, REMOTE_ADDR=address
    )
    return response.status_code, BUSY in response.content.decode()


def have_tried(address: str, times: int) -> None:
    for window in (0, 1):  # the minute may end meanwhile
        for _ in range(times):
            FAILURES.count(f"login:{address}", int(time.time() // WINDOW_SECONDS) + window)


def test_login__tries_of_an_address_are_bounded(someone: Operator) -> None:
    address = fresh_address()
    have_tried(address, MOST_TRIES - 2)
    assert log_in(someone, address, "wrong") == (200, False)
    assert log_in(someone, address) == (302, False)
    # Past the bound nothing is hashed, so a right one is not known either.
    assert log_in(someone, address) == (200, True)
    assert log_in(someone, fresh_address()) == (302, False)


def test_login__few_passwords_are_hashed_at_once(someone: Operator) -> None:
    address = fresh_address()
    with HASHING, HASHING:
        assert log_in(someone, address) == (200, True)
    assert log_in(someone, address) == (302, False)
