"""An address with a NUL byte is not there; it is never a failure of ours."""

import re
from typing import Any

import pytest
from django.test import Client

from payments.models import Order
from players.models import GameSession, Player
from tests.config.admin.test_pages import ADDED, payment_actions
from tests.support.admin_pages import (
    INQUIRY_ACTIONS,
    REGISTERED,
    WALLET_ACTIONS,
    address,
    page,
    rows_of,
)
from tests.support.callers import Caller, PlayerSession
from wallet.models import Currency, Inquiry, Wallet


@pytest.mark.parametrize("model", REGISTERED)
def test_null_byte__in_any_admin_address_is_404(client: Client, model: Any) -> None:
    listed = address(model)
    for place in (
        f"{listed}%00/change/",
        f"{listed}%00/history/",
        f"{listed}%00/",
        f"{listed}x%00/delete/",
        f"{listed}?q=%00",
        f"{listed}?q=a%00b",
        f"{listed}?%00=1",
        f"{listed}?o=%00",
        f"{listed}?p=%00",
        f"{listed}?state=%00&type=%00&kind=%00",
    ):
        assert client.get(place).status_code == 404, place


def test_null_byte__typed_into_a_search_is_no_failure(client: Client) -> None:
    for model in (Order, Currency):
        response = client.post(f"{address(model)}find/", {"q": "a\x00b"}, follow=True)
        assert response.status_code in (200, 404)


def test_null_byte__in_a_cookie_is_404() -> None:
    stranger = Client(raise_request_exception=False)
    for cookie in (
        'sessionid="\\000aaaaaaaaaaaa"',
        'csrftoken="\\000"',
        "sessionid=" + "a" * 20 + '; x="\\000"',
    ):
        assert stranger.get("/admin/", headers={"Cookie": cookie}).status_code == 404, cookie


@pytest.mark.parametrize(
    "place",
    [
        "/%00",
        "/admin/%00",
        "/admin/login/?next=%00",
        "/api/docs/?lang=%00",
        "/checkout/%00",
        "/checkout/x/result?check=%00",
        "/metrics?%00",
        "/static/%00",
    ],
)
def test_null_byte__on_any_page_is_404(place: str) -> None:
    assert Caller(None).send("GET", place).status == 404


def test_null_byte__in_an_address_of_the_api_is_an_answer(callers: Any) -> None:
    assert Caller(None).send("POST", "/pay/%00").status == 404
    put = callers.front.send("PUT", "/entry/players/a%00b", b"{}")
    assert (put.status, put.error) == (200, 101)


def test_percent_signs__that_spell_no_null_byte_are_searched(client: Client) -> None:
    assert client.get(f"{address(Currency)}?q=%2500").status_code == 200


def action_pages(story: PlayerSession) -> list[str]:
    """The pages of the acts of operators."""
    places = [page(Wallet, story.wallet(), action) for action in WALLET_ACTIONS]
    places += [page(Player, story.player, "change_status"), page(GameSession, story.session(), "end")]
    places += [page(Inquiry, Inquiry.objects.get(player=story.player), action) for action in INQUIRY_ACTIONS]
    return [*places, *payment_actions()]


def fields_of(text: str) -> set[str]:
    """The names of all fields of a page's forms."""
    return set(re.findall(r'name="([\w-]+)"', text))


def test_null_byte__in_any_field_of_an_admin_form_is_no_failure(client: Client, story: PlayerSession) -> None:
    places = [address(model) for model in REGISTERED]
    places += [address(model, "add") for model in ADDED]
    places += [page(model, rows[0]) for model, rows in rows_of(story).items()]
    for place in [*places, *action_pages(story)]:
        asked = client.get(place)
        fields = fields_of(asked.content.decode()) if asked.status_code == 200 else set()
        given = dict.fromkeys(fields | {"action", "_selected_action", "reason", "_save"}, "a\x00b")
        assert client.post(place, given).status_code < 500, place


def test_null_byte__in_the_log_in_form_is_no_failure() -> None:
    stranger = Client(raise_request_exception=False)
    given = {"username": "a\x00", "password": "b\x00", "next": "\x00"}
    assert stranger.post("/admin/login/", given).status_code < 500


@pytest.mark.parametrize("place", ["/admin/", "/admin/login/", "/checkout/x", "/api/docs/", "/sandbox/"])
def test_any_bytes__in_a_form_are_no_failure(client: Client, place: str) -> None:
    form = "application/x-www-form-urlencoded"
    for body in (b"\xff\xfe=\x00", b"action=%00&provider=%ff%ed%a0%80", b"=" * 2000, b"a=" + b"\x80" * 99):
        assert client.post(place, body, content_type=form).status_code < 500, (place, body)
