"""The log-ins of operators: how they end."""

import logging
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from lib.clock import now
from players.logins.account import MOST_SESSIONS
from players.logins.attempts import CODES_FREE
from players.models import AuditEvent, Operator, OperatorSession
from tests.conftest import Clock
from tests.support.admin_pages import get, operator, signed_in
from tests.support.callers import fresh_address
from tests.support.doors import PASSWORD, code_now, give_app, is_in, log_in, show, with_password


def sessions_of(who: Operator) -> list[OperatorSession]:
    return list(OperatorSession.objects.filter(operator=who).order_by("began_at"))


def test_session__knows_where_and_with_what_it_began() -> None:
    who, address = with_password("viewer"), fresh_address()
    client = log_in(who, REMOTE_ADDR=address, headers={"User-Agent": "Lynx\x1b[2J/2.9"})
    (session,) = sessions_of(who)
    assert (session.address, session.browser, session.ended_at) == (address, r"Lynx\x1b[2J/2.9", None)
    assert is_in(client)


def test_session__ends_after_30_minutes_without_use(clock: Clock) -> None:
    who = operator(is_superuser=True)
    client = signed_in(who)
    clock.go_ahead(settings.OPERATOR_IDLE - timedelta(seconds=40))
    assert is_in(client)
    clock.go_ahead(2 * settings.OPERATOR_IDLE - timedelta(seconds=100))
    assert is_in(client)
    clock.go_ahead(3 * settings.OPERATOR_IDLE)
    assert client.get("/admin/").status_code == 302
    assert sessions_of(who)[0].ended_by == "idle"
    assert "not used for 30 minutes. Log in again." in get(client, "/admin/login/")
    # The cookie is worth nothing, whatever the clock says.
    clock.restore()
    assert not is_in(client)


def test_session__ends_after_12_hours_whatever_its_use(clock: Clock) -> None:
    who = operator(is_superuser=True)
    client = signed_in(who)
    step = settings.OPERATOR_IDLE - timedelta(minutes=1)
    passed = step
    while passed < settings.OPERATOR_SESSION:
        clock.go_ahead(passed)
        assert is_in(client)
        passed += step
    clock.go_ahead(settings.OPERATOR_SESSION)
    assert not is_in(client)
    assert sessions_of(who)[0].ended_by == "too_long"


def test_session__without_a_row_of_ours_is_none() -> None:
    client = signed_in(operator(is_superuser=True))
    session = client.session
    del session["operator_session"]
    session.save()
    assert client.get("/admin/").status_code == 302


def test_logout__ends_the_session(caplog: pytest.LogCaptureFixture) -> None:
    who = with_password("viewer")
    client = log_in(who)
    with caplog.at_level(logging.INFO):
        assert client.post("/admin/logout/").status_code == 200
    assert sessions_of(who)[0].ended_by == "logged_out"
    assert f"log out: {who.username} from {sessions_of(who)[0].address}" in caplog.text
    assert not is_in(client)


def test_own_sessions__are_listed_and_ended_one_by_one() -> None:
    who, other = operator(is_superuser=True), operator(is_superuser=True)
    here, there, elsewhere, strangers = signed_in(who), signed_in(who), signed_in(who), signed_in(other)
    text = get(here, "/admin/account/sessions/")
    assert text.count("Since ") == 3
    second = sessions_of(who)[1]
    assert here.post("/admin/account/sessions/end/", {"session": str(second.pk)}).status_code == 302
    assert [is_in(client) for client in (here, there, elsewhere)] == [True, False, True]
    assert "Ended from another session" in get(here, "/admin/account/sessions/")
    # Another operator's is not to be ended, nor one's own by its id.
    for id in (sessions_of(other)[0].pk, sessions_of(who)[0].pk):
        here.post("/admin/account/sessions/end/", {"session": str(id)})
    assert is_in(strangers)
    here.post("/admin/account/sessions/end/")
    assert [is_in(client) for client in (here, elsewhere)] == [True, False]
    assert here.post("/admin/account/sessions/end/", {"session": "nonsense"}).status_code == 403
    assert here.get("/admin/account/sessions/end/").status_code == 405


def test_changed_password__ends_the_other_sessions() -> None:
    who = with_password("viewer")
    here, there = log_in(who), log_in(who)
    new = "quite another password, and longer"
    given = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", given).status_code == 302
    assert [is_in(client) for client in (here, there)] == [True, False]
    assert [session.ended_by for session in sessions_of(who)] == ["", "password"]


def test_changed_password__takes_the_second_factor_again(clock: Clock) -> None:
    """A stolen session is none to make the account one's own with."""
    who = with_password("viewer")
    give_app(who)
    client, new = log_in(who), "quite another password, and longer"
    show(client, code_now())
    clock.go_ahead(timedelta(minutes=6))
    given = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    for answer in (client.get("/admin/password_change/"), client.post("/admin/password_change/", given)):
        assert answer["Location"] == "/admin/account/factor/?next=%2Fadmin%2Fpassword_change%2F"
    assert Operator.objects.get(pk=who.pk).check_password(PASSWORD)


def test_changed_password__counts_wrong_ones_and_tells_of_them(clock: Clock) -> None:
    who, new = with_password("viewer"), "quite another password, and longer"
    client = log_in(who)
    given = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    clock.stand(now())
    for _ in range(CODES_FREE):
        assert "was entered incorrectly" in client.post("/admin/password_change/", given).content.decode()
    answer = client.post("/admin/password_change/", given | {"old_password": PASSWORD}, follow=True)
    assert "Too many wrong passwords. Try again in 1 second." in answer.content.decode()
    failed = AuditEvent.objects.filter(action="change_password", subject_id=str(who.pk), outcome="failed")
    assert failed.count() == CODES_FREE
    # A new one that is none good is no failure.
    clock.go_ahead(timedelta(seconds=2))
    for word in ("short", "short", new):
        client.post("/admin/password_change/", given | {"old_password": PASSWORD, "new_password2": word})
    assert Operator.objects.get(pk=who.pk).check_password(new)


def test_own_sessions__are_for_who_has_come_in() -> None:
    assert Client().get("/admin/account/sessions/").status_code == 302


def test_own_sessions__lists_so_many_and_says_that_there_are_more() -> None:
    who = operator(is_superuser=True)
    here, at = signed_in(who), now()

    def begin_others(number: int) -> None:
        for _ in range(number):
            OperatorSession.objects.create(operator=who, began_at=at, last_seen_at=at, address="::1")

    begin_others(MOST_SESSIONS)
    assert "which are not listed" not in get(here, "/admin/account/sessions/")
    begin_others(1)
    text = get(here, "/admin/account/sessions/")
    assert text.count("Since ") == 1 + MOST_SESSIONS
    assert text.count("(this session)") == 1
    assert "which are not listed" in text
