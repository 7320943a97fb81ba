"""The API's description, and random requests made from it.

Whatever comes, no answer is a failure (contract 1.6, 5).
"""

import json
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from config.wsgi import application
from tests.support.callers import Caller, Callers, unique

EXAMPLES = 1000 if os.environ.get("LONG") else 25
WALLET = [
    "verifySession",
    "getBalance",
    "withdraw",
    "confirmWithdrawal",
    "rollbackWithdrawal",
    "deposit",
    "confirmDeposit",
    "rollbackDeposit",
    "queryTransaction",
]
ENTRY = ["players/{uid}", "launch", "exclude", "endSession", "balance", "statement", "events", "limits"]
PAYMENTS = ["initiate", "query"]
ORDER = {
    "cpOrderId": "x",
    "productId": "gold",
    "productPrice": 4.99,
    "serverId": 1,
    "extParams": "",
    "returnUrl": "https://game.example/",
}
# Those that are sent no body.
READS = ["/entry/events"]
PATHS = [
    *(f"/wallet/{name}" for name in WALLET),
    *(f"/entry/{name}" for name in ENTRY),
    *(f"/payments/{name}" for name in PAYMENTS),
]


WITH_BODIES = [path for path in PATHS if path not in READS]


def method_of(path: str) -> str:
    return "GET" if path in READS else "PUT" if "players" in path else "POST"


@pytest.fixture(scope="session")
def description(database: None) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(Caller(None).send("GET", "/api/schema/?format=json").raw)
    return read


def test_openapi__names_every_api_call_and_nothing_else(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    assert sorted(
        path for path in description["paths"] if path.startswith(("/wallet/", "/entry/", "/payments/"))
    ) == sorted(PATHS)
    assert {path: list(calls) for path, calls in description["paths"].items() if path in PATHS} == {
        path: [method_of(path).lower()] for path in PATHS
    }


@pytest.mark.parametrize("path", PATHS)
def test_openapi__describes_each_calls_request_refusals_and_auth(
    description: dict[str, Any], path: str
) -> None:
    (call,) = description["paths"][path].values()
    assert set(call["responses"]) >= {"200", "401", "413", "429", "500", "503"}
    assert call["security"] == [{"basic": []}]
    if path in READS:
        assert "requestBody" not in call
        return
    (content,) = call["requestBody"]["content"].items()
    assert content[0] == "application/json"
    assert content[1]["examples"]


def test_openapi__describes_a_callback_in_both_its_forms(description: dict[str, Any]) -> None:
    call = description["paths"]["/pay/{provider}"]["post"]
    assert set(call["responses"]) == {"200", "401", "404", "413", "422", "500", "503"}
    assert set(call["requestBody"]["content"]) == {"application/json", "application/x-www-form-urlencoded"}


def test_openapi__documentation_pages_are_served() -> None:
    answer = Caller(None).send("GET", "/api/docs/", headers={"Accept": "text/html"})
    assert answer.status == 200
    assert b"swagger-ui" in answer.raw
    assert b"https://cdn" not in answer.raw


@pytest.mark.parametrize("path", PATHS)
def test_openapi__no_request_made_from_it_is_a_failure(
    callers: Callers, description: dict[str, Any], path: str
) -> None:
    """Random requests, right and wrong, from a caller who may speak, about a player who is there."""
    player_session = callers.player_session()
    mm = player_session.opened("withdraw", "5.00")
    known = {
        "token": player_session.token,
        "mmTransactionId": mm,
        "uid": player_session.player.uid,
        "game": player_session.game.slug,
        "currencyCode": "XAG",
    }
    operation = schemathesis.openapi.from_dict(description)[path][method_of(path)]
    authorization = str((callers.front if path.startswith("/entry") else callers.game.caller).authorization)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    @given(
        case=operation.as_strategy()
        | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE),
        live=st.booleans(),
    )
    def send(case: Any, live: bool) -> None:
        if live and isinstance(case.body, dict):
            case.body = case.body | {name: value for name, value in known.items() if name in case.body}
        case.headers = {**(case.headers or {}), "Authorization": authorization}
        response = case.call(app=application)
        assert response.status_code < 500, (case.body, response.text)
        assert response.status_code in (200, 401, 404, 405, 413), response.status_code

    send()
    assert callers.player_session().holding().spendable == 100_00


def is_object(body: bytes) -> bool:
    """Whether bytes are an object of JSON, as every request's body has to be."""
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=8 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(WITH_BODIES), body=st.binary(max_size=300))
def test_api_fuzz__no_bytes_are_a_failure(callers: Callers, path: str, body: bytes) -> None:
    assume(not is_object(body))  # of a player nothing needs to be told
    caller = callers.front if path.startswith("/entry") else callers.game.caller
    answer = caller.send("PUT" if "players" in path else "POST", path.format(uid=unique("p")), body)
    assert (answer.status, answer.error) == (200, 101)


@settings(max_examples=8 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(WITH_BODIES),
    field=st.sampled_from(
        [
            "token",
            "mmTransactionId",
            "amount",
            "type",
            "uid",
            "game",
            "currencyCode",
            "language",
            "limit",
            "before",
            *ORDER,
        ]
    ),
    value=json_values,
)
def test_api_fuzz__no_value_of_any_field_is_a_failure(
    callers: Callers, path: str, field: str, value: object
) -> None:
    caller = callers.front if path.startswith("/entry") else callers.game.caller
    right = {
        "token": "0fabcdc4-fe07-44f2-b968-93da3b324898",
        "mmTransactionId": "x",
        "amount": {"amount": 5, "currencyCode": "XAG"},
        "type": "deposit",
        "uid": "nobody-there",
        "game": callers.game.game.slug,
        "currencyCode": "XAG",
        **ORDER,
    }
    answer = caller.send(
        "PUT" if "players" in path else "POST",
        path.format(uid="somebody"),
        json.dumps(right | {field: value}).encode(),
    )
    assert answer.status == 200, answer.raw


def test_openapi__amounts_are_numbers(description: dict[str, Any]) -> None:
    shapes = description["components"]["schemas"]
    assert shapes["Money"]["properties"]["amount"] == {"type": "number"}
    assert shapes["OrderQueryAnswer"]["properties"]["productPrice"] == {"type": "number"}
    assert '"decimal"' not in json.dumps(description)
