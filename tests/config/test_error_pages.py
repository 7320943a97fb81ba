"""What operators see instead of a page, and what everybody else does."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from lib.ids import new_id
from players.models import Player
from tests.support.admin_pages import address, operator, signed_in

UNKNOWN = "/admin/no-such-page/"


def words(response: Any) -> str:
    """The text of a page, without its marks."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(text).split())


def broken(self: object, *args: object, **kwargs: object) -> None:
    raise ZeroDivisionError


def away(self: object, *args: object, **kwargs: object) -> None:
    raise OperationalError("connection refused")


def test_unknown_page__is_a_page_for_operators() -> None:
    response = signed_in(operator(is_superuser=True)).get(UNKNOWN)
    assert (response.status_code, response["Cache-Control"]) == (404, "no-store")
    assert "There is no such page The address is wrong" in words(response)
    assert "To the first page" in words(response)
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_unknown_page__sends_strangers_to_the_log_in() -> None:
    response = Client().get(UNKNOWN)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={UNKNOWN}")


def test_unknown_page__with_a_null_byte_is_a_plain_line() -> None:
    response = signed_in(operator(is_superuser=True)).get("/admin/%00")
    assert (response.status_code, response.content) == (404, b"Not found.")


def test_refused_page__names_the_roles_and_the_id() -> None:
    reader = operator("players.view_player")
    response = signed_in(reader).get(address(Player, "add"))
    assert response.status_code == 403
    assert "This is not open to you Nothing was changed. You have no role." in words(response)
    assert re.search(r"give this id: [0-9a-f]{32}", words(response))


def test_refused_page__tells_superusers_why() -> None:
    response = signed_in(operator(is_superuser=True)).get(address(Player, "add"))
    assert response.status_code == 403
    assert "Not even superusers may do this here" in words(response)


def test_refused_page__of_what_is_hidden_is_not_there() -> None:
    reader = operator("players.view_player")
    response = signed_in(reader).get(address(Player, "change", new_id()))
    assert (response.status_code, response["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("is_in", [True, False])
def test_expired_form__says_that_nothing_was_done(is_in: bool) -> None:
    client = Client(enforce_csrf_checks=True)
    if is_in:
        client.force_login(operator(is_superuser=True))
    response = client.post("/admin/login/", {"username": "anna", "password": "x"})
    assert response.status_code == 403
    assert "This form has expired" in words(response)
    assert "Nothing was changed." in words(response)
    assert "To the first page" in words(response)
    # Who has not come in sees nothing of the admin.
    assert ("Operators" in words(response)) == is_in


def failing(monkeypatch: pytest.MonkeyPatch, method: str, failure: object) -> Any:
    client = signed_in(operator(is_superuser=True))
    client.raise_request_exception = False
    monkeypatch.setattr("players.admin.players.PlayerAdmin.get_queryset", failure)
    return getattr(client, method)(address(Player))


def test_failure__is_a_page_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    response = failing(monkeypatch, "post", broken)
    assert (response.status_code, response["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "Something failed on our side" in words(response)
    assert "never by halves" in words(response)
    assert "ZeroDivisionError" not in words(response)
    assert response["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")


def test_failure__of_the_database_can_be_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    response = failing(monkeypatch, "get", away)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "The database cannot be reached" in words(response)
    assert f'href="{address(Player)}"' in response.content.decode()
