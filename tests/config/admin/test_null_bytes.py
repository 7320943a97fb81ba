"""An address with a NUL byte is not there; it is never a failure of ours."""

from typing import Any

import pytest
from django.test import Client

from payments.models import Order
from tests.support.admin_pages import REGISTERED, address
from tests.support.callers import Caller
from wallet.models import Currency


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
