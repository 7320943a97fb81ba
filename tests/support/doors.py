"""Operators at their doors: with a password, a browser, and second factors."""

import re
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import hotp

from lib.clock import now
from players.models import AuthenticatorApp, Operator, OperatorSession
from players.models.logins import STEP_SECONDS
from tests.support.admin_pages import operator, signed_in
from tests.support.callers import fresh_address

PASSWORD = "a password for this test only"
SECRET = b"a secret of 20 bytes"


def with_password(*roles: str, **attributes: Any) -> Operator:
    """An operator who can log in, with these roles."""
    made = operator(**attributes)
    made.set_password(PASSWORD)
    made.save()
    made.groups.set(Group.objects.filter(name__in=roles))
    return made


def log_in(who: Operator, password: str = PASSWORD, client: Client | None = None, **extra: Any) -> Client:
    """A browser at an address of its own that has sent the log-in form."""
    client = client or Client(REMOTE_ADDR=fresh_address())
    answer = client.post(
        "/admin/login/?next=/admin/", {"username": who.username, "password": password}, **extra
    )
    client.answer = answer  # type: ignore[attr-defined]
    return client


def give_app(who: Operator, secret: bytes = SECRET) -> AuthenticatorApp:
    sealed = AuthenticatorApp.seal(who, secret)
    return AuthenticatorApp.objects.create(user=who, name="App", sealed_secret=sealed, made_at=now())


def come_in(who: Operator) -> Client:
    """A browser that has shown the password and a second factor just now, without the log-in's pages."""
    app = AuthenticatorApp.objects.filter(user=who).first() or give_app(who)
    client = signed_in(who)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = app.persistent_id
    session.save()
    begun = OperatorSession.objects.filter(pk=session[OperatorSession.KEY])
    begun.update(is_factor_due=False, factor_at=now())
    return client


def code_now(secret: bytes = SECRET, off: int = 0) -> str:
    """What the app shows now, or so many steps later."""
    return f"{hotp(secret, int(now().timestamp()) // STEP_SECONDS + off):06d}"


def wrong_code(secret: bytes = SECRET) -> str:
    right = {code_now(secret, off) for off in range(-3, 4)}
    return next(code for code in (f"{number:06d}" for number in range(9)) if code not in right)


def show(client: Client, code: str) -> Any:
    return client.post("/admin/account/factor/", {"factor_code": code})


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def shown_secret(text: str) -> str:
    """The key on the page that sets an app up, as it is typed in."""
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', text)
    assert found, "no key is shown"
    return found[1].replace(" ", "")
