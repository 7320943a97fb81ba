"""What the scripted wallet asks and tells a game, and how it judges the answers."""

import hashlib
import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.support.scripted_wallet import SECRET, Game

PRICE = Decimal("15.00")
Begin = Callable[..., Game]
PLATFORM = "Basic " + b64encode(b"platform:secret").decode()


@dataclass
class Backend:
    """A game's server that keeps what it hears, and answers as a test says."""

    answer: Callable[[dict[str, str], bytes], tuple[int, str]]
    url: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = Backend(lambda headers, raw: (200, "{}"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            backend.heard.append((headers, raw))
            status, text = backend.answer(headers, raw)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *values: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    backend.url = f"http://127.0.0.1:{server.server_address[1]}/"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield backend
    server.shutdown()
    server.server_close()


def states(state: str) -> Callable[[dict[str, str], bytes], tuple[int, str]]:
    return lambda headers, raw: (200, json.dumps({"state": state}))


def is_right(game: Game) -> list[bool]:
    return [one["isRight"] for one in game.wallet.call_game().body["heard"]]


@pytest.mark.parametrize(
    ("scenario", "ending", "state"),
    [
        ("asked-confirmed", "confirmWithdrawal", "CONFIRMED"),
        ("asked-rolled-back", "rollbackWithdrawal", "ROLLED_BACK"),
    ],
)
def test_query__is_settled_by_the_right_answer(
    begin: Begin, backend: Backend, scenario: str, ending: str, state: str
) -> None:
    game = begin(scenario, query_url=backend.url)
    game.call("withdraw", "a", PRICE)
    game.call(ending, "a")
    game.call(ending, "a")
    backend.answer = states(state)
    assert is_right(game) == [True]
    assert game.wallet.verdict()["status"] == "passed"
    headers, raw = backend.heard[0]
    assert headers["authorization"] == PLATFORM
    assert json.loads(raw)["amount"] == {"amount": 15.0, "currencyCode": "XAG"}


@pytest.mark.parametrize("state", ["ROLLED_BACK", "PENDING", "UNKNOWN", "nonsense"])
def test_query__wrong_answer_fails(begin: Begin, backend: Backend, state: str) -> None:
    game = begin("asked-confirmed", query_url=backend.url)
    game.call("withdraw", "a", PRICE)
    game.call("confirmWithdrawal", "a")
    game.call("confirmWithdrawal", "a")
    backend.answer = states(state)
    assert is_right(game) == [False]
    assert "The platform's own calls are answered" in game.broken()


def test_query__echo_of_another_transaction_is_no_answer(begin: Begin, backend: Backend) -> None:
    game = begin("asked-unknown", query_url=backend.url)
    backend.answer = lambda *_: (200, '{"state": "UNKNOWN", "qwTransactionId": "another"}')
    assert is_right(game) == [False]


def test_query__strangers_must_be_refused(begin: Begin, backend: Backend) -> None:
    game = begin("asked-by-a-stranger", query_url=backend.url)
    backend.answer = states("UNKNOWN")
    assert is_right(game) == [False, False]
    assert [headers.get("authorization") == PLATFORM for headers, _ in backend.heard] == [False, False]
    backend.answer = lambda *_: (401, "")
    assert is_right(game) == [True, True]


def test_delivery__is_signed_twice(begin: Begin, backend: Backend) -> None:
    game = begin("delivery", delivery_url=backend.url)
    game.order("o-1")
    assert is_right(game) == [True]
    headers, raw = backend.heard[0]
    told: dict[str, Any] = Webhook(SECRET).verify(raw, headers)
    names = ("cpOrderId", "serverId", "uid", "productPrice", "productId", "ts")
    text = "".join(told[name] for name in names) + SECRET
    assert told["sign"] == hashlib.md5(text.encode()).hexdigest().upper()
    assert game.send("/payments/query", {"cpOrderId": "o-1"}).body["state"] == "delivered"


@pytest.mark.parametrize(
    ("scenario", "right"),
    [
        ("delivery-repeated", [True, True, True]),
        ("delivery-forged", [False, False, True]),
        ("delivery-shifted", [False, True]),
        ("delivery-old", [False, True]),
    ],
)
def test_delivery__who_believes_all_is_found(
    begin: Begin, backend: Backend, scenario: str, right: list[bool]
) -> None:
    game = begin(scenario, delivery_url=backend.url)
    game.order("o-1")
    assert is_right(game) == right
    assert len({headers["webhook-id"] for headers, _ in backend.heard}) == 1


def test_delivery__shifted_digit_keeps_the_sign(begin: Begin, backend: Backend) -> None:
    game = begin("delivery-shifted", delivery_url=backend.url)
    game.order("o-1")
    game.wallet.call_game()
    shifted, genuine = (json.loads(raw) for _, raw in backend.heard)
    assert (shifted["productPrice"], shifted["productId"]) == ("4.9", "9gold")
    assert shifted["sign"] == genuine["sign"]


def test_call__says_what_is_missing(begin: Begin) -> None:
    answer = begin("asked-unknown").wallet.call_game()
    assert (answer.status, answer.body["problem"]) == (400, "The wallet was started without --query-url.")
