"""What a stranger's guess at an operator's password may cost."""

import html
import logging
import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client

from config.login import BUSY, HASHING, MOST_TRIES
from lib.clock import now
from players.access.throttling import FAILURES, WINDOW_SECONDS
from players.logins import attempts
from players.models import AuditEvent, LoginCounter, Operator
from tests.conftest import Clock
from tests.support.admin_pages import operator
from tests.support.callers import fresh_address, unique

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
    return response.status_code, str(BUSY) in response.content.decode()


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


def test_login__after_25_wrong_passwords_the_right_one_is_not_tried(
    someone: Operator, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    address = fresh_address()
    clock.stand(now())  # the wait is over after a second, which 25 tries may take
    with caplog.at_level(logging.INFO, "players.logins.events"):
        for number in range(25):
            log_in(someone, address, f"wrong {number}")
        assert log_in(someone, address)[0] == 200
    failed = f"log in failed: {someone.username} from {address}"
    assert failed in [record.getMessage() for record in caplog.records]
    events = AuditEvent.objects.filter(address=address, username=someone.username)
    assert set(events.values_list("action", "outcome")) == {("log_in", "failed")}


def test_login__of_ipv6_is_counted_by_network(someone: Operator) -> None:
    """One customer has 2^64 addresses, each of which would have three guesses."""
    network, other = f"2001:db8:{now():%H%M:%S}", f"2001:db9:{now():%H%M:%S}"
    for number in range(3):
        assert "Too many" not in refused(someone.username, f"{network}::{number:x}")
    assert "Too many failed log-ins" in refused(someone.username, f"{network}::f")
    assert "Too many" not in refused(someone.username, f"{other}::f")


def test_login__few_passwords_are_hashed_at_once(someone: Operator) -> None:
    address = fresh_address()
    with HASHING, HASHING:
        assert log_in(someone, address) == (200, True)
    assert log_in(someone, address) == (302, False)


@pytest.mark.parametrize(("failures", "words"), [(3, "1 second"), (9, "64 seconds"), (10, "15 minutes")])
def test_login__waits_in_words_the_same_for_unknown_names(
    someone: Operator, clock: Clock, failures: int, words: str
) -> None:
    clock.stand(now())
    for name in (someone.username, unique("nobody")):
        address = fresh_address()
        pair = attempts.key("pair", name, address)
        LoginCounter.objects.create(key=pair, failures=failures, last_at=now())
        assert f"Too many failed log-ins. Try again in {words}." in refused(name, address)
        assert LoginCounter.objects.get(pk=pair).failures == failures


def refused(name: str, address: str) -> str:
    """What the page says to a wrong password."""
    given = {"username": name, "password": "wrong"}
    response = Client().post("/admin/login/", given, REMOTE_ADDR=address)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def test_login__locked_here_is_open_elsewhere(someone: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("players.logins.attempts.FREE", 10)
    here = fresh_address()
    for _ in range(10):
        log_in(someone, here, "wrong")
    assert "Try again in 15 minutes" in refused(someone.username, here)
    assert log_in(someone, here)[0] == 200
    assert log_in(someone, fresh_address())[0] == 302


def test_login__without_a_password_counts_and_forgives_nothing(someone: Operator, clock: Clock) -> None:
    address = fresh_address()
    clock.stand(now())
    for _ in range(3):
        log_in(someone, address, "wrong")
        log_in(someone, address, "")
    assert "Try again in" in refused(someone.username, address)


def test_login__leaves_lines_with_name_and_address(
    someone: Operator, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    address = fresh_address()
    clock.stand(now())  # the wait is over after a second, which 25 tries may take
    with caplog.at_level(logging.INFO, "players.logins.events"):
        log_in(someone, address, "wrong")
        log_in(someone, address)
        refused("eve\nlog-in: boss\x1b[2J\u202e", address)
    ours = [record for record in caplog.records if record.name == "players.logins.events"]
    assert [record.getMessage() for record in ours] == [
        f"log in failed: {someone.username} from {address}",
        f"log in: {someone.username} from {address}",
        rf"log in failed: eve\nlog-in: boss\x1b[2J\u202e from {address}",
    ]
    assert [record.levelname for record in ours] == ["WARNING", "INFO", "WARNING"]


def test_login__hashes_as_much_for_a_name_that_nobody_has(
    someone: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    encode = Argon2PasswordHasher.encode
    verify = Argon2PasswordHasher.verify

    def counted_encode(self: Argon2PasswordHasher, *args: Any) -> str:
        made.append("hash")
        return encode(self, *args)

    def counted_verify(self: Argon2PasswordHasher, *args: Any) -> bool:
        made.append("hash")
        return verify(self, *args)

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counted_encode)
    monkeypatch.setattr(Argon2PasswordHasher, "verify", counted_verify)
    inactive = operator(is_active=False)
    inactive.password = someone.password
    inactive.save()
    hashes = []
    for name in (someone.username, unique("nobody"), inactive.username):
        made.clear()
        refused(name, fresh_address())
        hashes.append(list(made))
    assert hashes == [["hash"]] * 3


def test_login__makes_an_older_hash_argon2(someone: Operator) -> None:
    assert someone.password.startswith("argon2$argon2id$")
    someone.password = make_password(PASSWORD, hasher="scrypt")
    someone.save()
    assert log_in(someone, fresh_address())[0] == 302
    someone.refresh_from_db()
    assert someone.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("place", ["/admin/", "/admin/login/", "/admin", "/admin/players/player/"])
def test_admin__gives_no_answer_to_other_networks(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ADMIN_ALLOWED_NETWORKS", ["198.51.100.0/24"])
    outside = Client().get(place, REMOTE_ADDR="203.0.113.9")
    inside = Client().get(place, REMOTE_ADDR="198.51.100.9")
    assert (outside.status_code, outside.content) == (403, b"")
    assert inside.status_code in (200, 301, 302)
    assert Client().get("/api/docs/", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_admin__has_our_site_with_the_second_factor() -> None:
    assert type(admin.site._wrapped).__name__ == "OperatorsSite"  # type: ignore[attr-defined]


def test_login__and_its_failures_are_acts(someone: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FREE", "LOCKS"):
        monkeypatch.setattr(f"players.logins.attempts.{name}", 2)
    address = fresh_address()
    log_in(someone, address)
    for _ in range(2):
        log_in(someone, address, "wrong")
    stranger = unique("nobody")
    refused(stranger, address)
    fields = ("action", "outcome", "username", "subject_id", "operator_id")
    events = AuditEvent.objects.filter(address=address).order_by("id")
    told = list(events.values_list(*fields))
    who = (someone.username, str(someone.pk))
    assert told == [
        ("log_in", "done", *who, someone.pk),
        ("log_in", "failed", *who, None),
        ("log_in", "failed", *who, None),
        ("lock_out", "done", *who, None),
        ("log_in", "failed", stranger, "", None),
    ]
