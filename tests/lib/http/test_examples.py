"""An example of a refused request holds nothing that people may not see."""

import json
from decimal import Decimal
from typing import Any, get_type_hints

import pytest

from lib.http.examples import HIDDEN, LONGEST, SHOWN, redacted
from payments.api import schemas
from wallet.api import requests

TOKEN = "0fabcdc4-fe07-44f2-b968-93da3b324898"
SHAPES = (
    *(requests.SessionRequest, requests.OpenRequest, requests.ConfirmRequest, requests.RollbackRequest),
    *(requests.QueryRequest, schemas.InitiateRequest, schemas.OrderQueryRequest),
)


def test_example__knows_every_member_of_a_request() -> None:
    members = {name for shape in SHAPES for name in get_type_hints(shape)}
    assert members == SHOWN | HIDDEN | {"amount"}


def test_example__is_the_request_without_what_is_secret() -> None:
    body = {
        "token": TOKEN,
        "mmTransactionId": "w-1",
        "amount": {"amount": Decimal("230.00"), "currencyCode": "XAG", "note": "secret"},
        "txDescription": "For Anna",
        "password": "secret",
    }
    assert redacted(body) == (
        '{\n  "token": "… (36 characters)",\n  "mmTransactionId": "w-1",\n'
        '  "amount": {"amount": 230.00, "currencyCode": "XAG"},\n'
        '  "txDescription": "… (8 characters)"\n}'
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("12.00", '"12.00"'),
        (True, "true"),
        ([TOKEN], "[…]"),
        ({"a": TOKEN}, "{…}"),
        (Decimal("1E+400"), "1E+400"),
        (Decimal("1" * 500), "1" * LONGEST),
        ("x" * 65, f'"{"x" * 64}\\u2026"'),
        ("\x00\ud800\u202e", '"\\u0000\\ud800\\u202e"'),
        ("\u202e" * 64, '"… (64 characters)"'),
        (f"token {TOKEN}", '"… (42 characters)"'),
    ],
)
def test_example__shows_a_wrong_value_as_it_was_sent(value: Any, said: str) -> None:
    assert f'"mmTransactionId": {said}' in redacted({"token": TOKEN, "mmTransactionId": value})


def test_example__of_the_longest_request_has_2_kib() -> None:
    body: dict[str, Any] = dict.fromkeys([*SHOWN, *HIDDEN], "\u202e" * 19)
    body["amount"] = dict.fromkeys(("amount", "currencyCode"), "\x01" * 19)
    example = redacted(body)
    assert json.loads(example)
    assert len(example) <= 2048
