"""How each act on one's own account is done in a browser. The names are those of the site's addresses."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.test import Client

from players.models import AuthenticatorApp, Operator, OperatorSession
from players.operators import issue_link, new_login_key
from tests.support.admin_pages import operator
from tests.support.callers import fresh_address
from tests.support.doors import PASSWORD, code_now, give_app, log_in, shown_secret, with_password
from tests.support.passkey import SoftPasskey

OTHER_PASSWORD = "another password, for this test only"
ACCOUNT = "/admin/account"


@dataclass(frozen=True)
class OwnDoing:
    """An act of `who` on the own account; `actions` are what is recorded of it, in one transaction.

    What is written into the tables `apart` stays whatever becomes of the act.
    """

    send: Callable[[], Any]
    who: Operator
    actions: list[str]
    apart: frozenset[str] = frozenset()


def browser() -> Client:
    return Client(raise_request_exception=False, REMOTE_ADDR=fresh_address())


def somebody_in() -> tuple[Operator, Client]:
    """Somebody without a second factor, who is logged in."""
    who = with_password("finance")
    return who, log_in(who, client=browser())


def logging_in() -> OwnDoing:
    who = with_password("finance")
    # Tries are counted, and Django notes the time of the last log-in.
    apart = frozenset({"players_logincounter", "players_operator"})
    return OwnDoing(lambda: log_in(who, client=browser()).answer, who, ["log_in"], apart)  # type: ignore[attr-defined]


def logging_out() -> OwnDoing:
    who, client = somebody_in()
    return OwnDoing(lambda: client.post("/admin/logout/"), who, ["log_out"])


def password_change() -> OwnDoing:
    who, client = somebody_in()
    given = {
        "old_password": PASSWORD,
        "new_password1": OTHER_PASSWORD,
        "new_password2": OTHER_PASSWORD,
    }
    return OwnDoing(lambda: client.post("/admin/password_change/", given), who, ["change_password"])


def showing_a_code() -> OwnDoing:
    """A code is used up first, once and for all; here each try has its own."""
    who, steps = with_password("finance"), count()
    give_app(who)
    client = log_in(who, client=browser())
    apart = frozenset({"players_logincounter", "players_authenticatorapp"})

    def send() -> Any:
        return client.post(f"{ACCOUNT}/factor/", {"factor_code": code_now(off=next(steps))})

    return OwnDoing(send, who, ["show_second_factor"], apart)


def adding_an_app() -> OwnDoing:
    who, client = somebody_in()
    place = f"{ACCOUNT}/factors/app/"
    secret = base64.b32decode(shown_secret(client.get(place).content.decode()))
    actions = ["add_second_factor", "show_second_factor"]
    return OwnDoing(lambda: client.post(place, {"code": code_now(secret)}), who, actions)


def with_app() -> tuple[Operator, Client, AuthenticatorApp]:
    """Somebody who has just shown a code."""
    who = with_password("finance")
    app = give_app(who)
    client = log_in(who, client=browser())
    client.post(f"{ACCOUNT}/factor/", {"factor_code": code_now()})
    return who, client, app


def making_codes() -> OwnDoing:
    who, client, _ = with_app()
    return OwnDoing(lambda: client.post(f"{ACCOUNT}/factors/recovery/"), who, ["make_recovery_codes"])


def removing_a_factor() -> OwnDoing:
    who, client, app = with_app()
    place = f"{ACCOUNT}/factors/remove/app/{app.pk}/"
    return OwnDoing(lambda: client.post(place), who, ["remove_second_factor"])


def adding_a_passkey() -> OwnDoing:
    who, client = somebody_in()
    actions = ["add_second_factor", "show_second_factor"]
    # By which name an authenticator knows the operator, from the first question on.
    apart = frozenset({"django_otp_webauthn_webauthnuserhandle"})
    return OwnDoing(lambda: SoftPasskey().register(client), who, actions, apart)


def showing_a_passkey() -> OwnDoing:
    who, client = somebody_in()
    passkey = SoftPasskey()
    assert passkey.register(client).status_code == 200
    later = log_in(who, client=browser())
    # How often it was used is known before it is said that it was.
    apart = frozenset({"django_otp_webauthn_webauthncredential"})
    return OwnDoing(lambda: passkey.show(later), who, ["show_second_factor"], apart)


def ending_sessions() -> OwnDoing:
    who, client = somebody_in()
    log_in(who, client=browser())
    other = OperatorSession.objects.filter(operator=who).latest("began_at")
    place = f"{ACCOUNT}/sessions/end/"
    return OwnDoing(lambda: client.post(place, {"session": str(other.pk)}), who, ["end_sessions"])


def using_a_link() -> OwnDoing:
    who, key = operator(), new_login_key()
    issue_link(who, key.hash)
    given = {"token": str(key.token), "code": key.code, "password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    return OwnDoing(lambda: browser().post("/admin/new-password/", given), who, ["use_login_link"])


OWN_ACTS: Mapping[str, Callable[[], OwnDoing]] = {
    "login": logging_in,
    "logout": logging_out,
    "password_change": password_change,
    "factor": showing_a_code,
    "factor_app": adding_an_app,
    "recovery_codes": making_codes,
    "remove_factor": removing_a_factor,
    "complete_passkey": adding_a_passkey,
    "show_passkey": showing_a_passkey,
    "end_sessions": ending_sessions,
    # It stands before the admin.
    "new_password": using_a_link,
}
