"""Second factors: who needs one, what it is good for, and that it is good once."""

import base64
import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from lib.security.encryption import Unreadable
from players.audit_trail.record import Origin
from players.logins import factors
from players.logins.factors import right_device
from players.models import AuditEvent, AuthenticatorApp, OperatorSession, RecoveryCodes
from tests.conftest import Clock
from tests.support.admin_pages import get, operator, signed_in
from tests.support.doors import (
    SECRET,
    code_now,
    give_app,
    is_in,
    log_in,
    show,
    shown_secret,
    with_password,
    wrong_code,
)


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SECOND_FACTOR_REQUIRED", True)


def leads_to(client: Client, place: str) -> str:
    """Where a page sends the browser, and that page the next time."""
    response = client.get(place)
    assert response.status_code == 302
    return unquote(str(response["Location"]))


def test_factor__is_required_of_all_roles_but_viewer(required: None) -> None:
    roles = [[], ["viewer"], ["viewer", "finance"], ["auditor"], ["administrator"]]
    assert [factors.is_required(with_password(*names)) for names in roles] == [True, False, True, True, True]
    assert factors.is_required(with_password("viewer", is_superuser=True))
    assert is_in(log_in(with_password("viewer")))


def test_factor__is_required_of_nobody_if_the_setting_says_so() -> None:
    assert not factors.is_required(with_password("finance", is_superuser=True))
    assert is_in(log_in(with_password("finance")))


def test_password_alone__opens_no_page(required: None) -> None:
    who = with_password("finance", is_superuser=True)
    app = give_app(who)
    client = log_in(who)
    for place in ("/admin/", "/admin/wallet/wallet/", "/admin/password_change/", "/admin/account/sessions/"):
        assert leads_to(client, place) == f"/admin/login/?next={place}"
    assert leads_to(client, "/admin/login/?next=/admin/") == "/admin/account/factor/?next=/admin/"
    # Nor does it add, replace or remove a factor.
    for place in (
        "app/",
        "recovery/",
        "passkey/",
        f"remove/app/{app.pk}/",
    ):
        assert leads_to(client, f"/admin/account/factors/{place}").startswith("/admin/account/factor/")
        assert "Confirm that it is you" in client.post(f"/admin/account/factors/{place}").content.decode()
    assert client.post("/admin/account/passkeys/register/begin/").status_code == 403
    assert RecoveryCodes.objects.filter(user=who).count() == 0
    text = get(client, "/admin/account/factor/")
    assert "Wallets" not in text
    assert client.post("/admin/logout/").status_code == 200


def test_code__opens_the_pages_and_leads_on() -> None:
    who = with_password("finance")
    give_app(who)
    client = log_in(who)
    assert not is_in(client)
    assert "wrong, or was used" in show(client, wrong_code()).content.decode()
    place = "/admin/account/factor/?next=/admin/wallet/wallet/"
    answer = client.post(place, {"factor_code": code_now()})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/wallet/wallet/")
    assert is_in(client)
    session = OperatorSession.objects.get(operator=who)
    assert session.factor_at
    assert not session.is_factor_due


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_code__leads_to_no_other_site(next: str) -> None:
    who = with_password("finance")
    give_app(who)
    client = log_in(who)
    answer = client.post(f"/admin/account/factor/?next={next}", {"factor_code": code_now()})
    assert answer["Location"] == "/admin/"


def test_code__is_good_once_and_earlier_ones_no_more(clock: Clock) -> None:
    who = with_password("finance")
    give_app(who)
    later, now_ = code_now(off=1), code_now()
    assert right_device(who, later)
    assert right_device(who, later) is None
    assert right_device(who, now_) is None


def test_code__shown_by_many_at_once_lets_in_one() -> None:
    who = with_password("finance")
    give_app(who)
    code = code_now()

    def attempt(_: int) -> bool:
        try:
            return right_device(who, code) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


@pytest.mark.parametrize("off", [-2, 2])
def test_code__of_another_time_is_wrong(off: int) -> None:
    who = with_password("finance")
    give_app(who)
    assert right_device(who, code_now(off=off)) is None


def test_codes__are_locked_after_10_wrong_ones(clock: Clock) -> None:
    who = with_password("finance")
    give_app(who)
    client, ahead = log_in(who), timedelta()
    for _ in range(10):
        text = show(client, wrong_code()).content.decode()
        while "Try again in" in text:
            ahead += timedelta(seconds=17)
            clock.go_ahead(ahead)
            text = show(client, wrong_code()).content.decode()
    assert "Try again in 15 minutes" in show(client, code_now()).content.decode()
    # The password is not locked by it, and a quarter of an hour later the code is good again.
    assert log_in(who).get("/admin/account/factor/").status_code == 200
    clock.go_ahead(ahead + timedelta(minutes=15, seconds=5))
    assert show(client, code_now()).status_code == 302


def test_set_up__in_the_browser_ends_with_codes_shown_once(required: None) -> None:
    who = with_password("finance")
    client, elsewhere = log_in(who), log_in(who)
    assert leads_to(client, "/admin/login/?next=/admin/") == "/admin/account/factors/?next=/admin/"
    assert "Your role needs a second factor" in get(client, "/admin/account/factors/")
    text = get(client, "/admin/account/factors/app/?next=/admin/")
    secret = base64.b32decode(shown_secret(text))
    assert "data:image/svg+xml" in text
    assert (
        "wrong, or was used"
        in client.post("/admin/account/factors/app/", {"code": wrong_code(secret)}).content.decode()
    )
    assert not AuthenticatorApp.objects.filter(user=who).exists()
    # The same until it is confirmed, so that the app need not scan again.
    assert shown_secret(get(client, "/admin/account/factors/app/")) in text.replace(" ", "")
    answer = client.post("/admin/account/factors/app/?next=/admin/", {"code": code_now(secret)})
    assert unquote(answer["Location"]) == "/admin/account/factors/recovery/?next=/admin/"
    assert is_in(client)
    assert OperatorSession.objects.filter(operator=who, ended_by="factor").count() == 1
    assert elsewhere.get("/admin/account/factors/").status_code == 302
    page = client.post(answer["Location"])
    assert "no-store" in page["Cache-Control"]
    codes = re.findall(r"<li[^>]*>([a-z0-9]{5}-[a-z0-9]{5})</li>", page.content.decode())
    assert len(set(codes)) == 10
    assert codes[0] not in get(client, "/admin/account/factors/recovery/")
    for place in ("/admin/account/factors/", "/admin/account/factors/app/"):
        assert shown_secret(text) not in get(client, place).replace(" ", "")


def test_recovery_code__is_good_once_in_any_spelling() -> None:
    who = with_password("finance")
    give_app(who)
    client = log_in(who)
    show(client, code_now())
    text = client.post("/admin/account/factors/recovery/").content.decode()
    first, second, *_ = re.findall(r"[a-z0-9]{5}-[a-z0-9]{5}(?=</li>)", text)
    again = log_in(who)
    assert show(again, f" {first.upper().replace('-', ' ')}").status_code == 302
    assert is_in(again)
    assert right_device(who, first) is None
    assert len(RecoveryCodes.objects.get(user=who).hashes) == 9
    stored = " ".join(RecoveryCodes.objects.get(user=who).hashes)
    assert second.replace("-", "") not in stored
    client.post("/admin/account/factors/recovery/")
    assert right_device(who, second) is None


def test_secret__is_sealed_and_opens_for_its_operator_alone() -> None:
    who, other = operator(), operator()
    app = give_app(who)
    assert SECRET.hex() not in app.sealed_secret
    app.user = other
    with pytest.raises(Unreadable, match="sealed for another purpose"):
        app.verify_token(code_now())


def test_removal__of_the_last_one_is_refused_if_it_is_required(required: None) -> None:
    who = with_password("finance")
    app = give_app(who)
    client = log_in(who)
    show(client, code_now())
    place = f"/admin/account/factors/remove/app/{app.pk}/"
    client.post(place)
    assert AuthenticatorApp.objects.filter(user=who).exists()
    assert "you need a second factor" in html.unescape(get(client, "/admin/account/factors/"))


def test_removal__takes_the_recovery_codes_along_and_ends_other_sessions() -> None:
    who = with_password("finance")
    app = give_app(who)
    client = log_in(who)
    show(client, code_now())
    client.post("/admin/account/factors/recovery/")
    assert "It will no longer let you in" in get(client, f"/admin/account/factors/remove/app/{app.pk}/")
    client.post(f"/admin/account/factors/remove/app/{app.pk}/")
    assert not AuthenticatorApp.objects.filter(user=who).exists()
    assert not RecoveryCodes.objects.filter(user=who).exists()
    assert is_in(client)


def test_others__factors_are_out_of_reach() -> None:
    who, other = with_password("finance"), operator()
    app = give_app(other)
    assert signed_in(who).post(f"/admin/account/factors/remove/app/{app.pk}/").status_code == 404
    assert Client().get("/admin/account/factors/").status_code == 302


# --- Asking again ---------------------------------------------------------------------------------------


def test_recent_factor__is_asked_for_again_after_5_minutes_and_keeps_what_was_posted(clock: Clock) -> None:
    who = with_password("finance")
    give_app(who)
    client = log_in(who)
    show(client, code_now())
    # The making of recovery codes stands for whatever asks for it.
    place = "/admin/account/factors/recovery/"
    assert 'id="codes"' in client.post(place).content.decode()
    clock.go_ahead(timedelta(minutes=5, seconds=1))
    asked = client.post(place, {"kept": ["<1>", "2"], "csrfmiddlewaretoken": "x"}).content.decode()
    assert "Confirm that it is you" in asked
    assert re.findall(r'name="kept" value="([^"]+)"', asked) == ["&lt;1&gt;", "2"]
    wrong = client.post(place, {"kept": "1", "factor_code": wrong_code()}).content.decode()
    assert "wrong, or was used" in wrong
    assert 'name="kept" value="1"' in wrong
    assert 'id="codes"' in client.post(place, {"kept": "1", "factor_code": code_now()}).content.decode()
    assert 'id="codes"' in client.post(place).content.decode()


def test_recent_factor__of_a_page_leads_back_to_it(clock: Clock) -> None:
    who = with_password("finance")
    give_app(who)
    client = log_in(who)
    show(client, code_now())
    clock.go_ahead(timedelta(minutes=6))
    place = leads_to(client, "/admin/account/factors/recovery/?a=1")
    assert place == "/admin/account/factor/?next=/admin/account/factors/recovery/?a=1"
    assert is_in(client)
    assert client.post(place, {"factor_code": code_now()}).status_code == 302


def test_recent_factor__is_nothing_to_ask_of_who_has_none() -> None:
    who = with_password("finance")
    client = log_in(who)
    assert client.post("/admin/account/factors/app/").status_code == 200


def test_remove_all__lets_a_person_set_up_anew() -> None:
    who = with_password("finance")
    give_app(who)
    client = log_in(who)
    show(client, code_now())
    assert factors.remove_all(who, Origin.machine("test")) == 1
    assert not is_in(client)
    assert is_in(log_in(who))


def test_stranger__has_no_session_and_no_factor() -> None:
    assert Client().get("/admin/account/factor/").status_code == 302
    assert Client().post("/admin/account/passkeys/show/begin/").status_code == 302


def test_factors__every_change_and_showing_is_an_act() -> None:
    who = with_password("finance")
    client = log_in(who)
    secret = base64.b32decode(shown_secret(get(client, "/admin/account/factors/app/")))
    client.post("/admin/account/factors/app/", {"code": code_now(secret)})
    client.post("/admin/account/factors/recovery/")
    show(log_in(who), wrong_code(secret))
    app = AuthenticatorApp.objects.get(user=who)
    client.post(f"/admin/account/factors/remove/app/{app.pk}/")
    client.post("/admin/logout/")
    events = AuditEvent.objects.filter(username=who.username).order_by("id")
    assert [(event.action, event.outcome, event.note) for event in events] == [
        ("log_in", "done", ""),
        ("add_second_factor", "done", "Authenticator app"),
        ("show_second_factor", "done", "Authenticator app"),
        ("make_recovery_codes", "done", ""),
        ("log_in", "done", ""),
        ("show_second_factor", "failed", ""),
        ("remove_second_factor", "done", "Authenticator app"),
        ("log_out", "done", ""),
    ]
    assert {event.subject_id for event in events} == {str(who.pk)}
    # A log-in keeps its name through all of it, and another has another.
    assert len({event.session for event in events}) == 2
    told = json.dumps(list(events.values()), default=str)
    assert secret.hex() not in told
    assert base64.b32encode(secret).decode() not in told


def test_command__removes_the_factors_of_who_has_lost_them() -> None:
    who = with_password("finance")
    give_app(who)
    out = StringIO()
    call_command("remove_factors", who.username, stdout=out)
    assert "1 factor" in out.getvalue()
    assert not AuthenticatorApp.objects.filter(user=who).exists()
    event = AuditEvent.objects.get(subject_id=str(who.pk), action="remove_second_factors")
    assert (event.username, event.note) == ("machine:manage.py remove_factors", "App")
    with pytest.raises(CommandError, match="There is no operator"):
        call_command("remove_factors", "nobody-here")
