"""What the scripted wallet does to a call, seen from the socket."""

import socket
import threading
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from clients.kit.wallet.amounts import show
from tests.support.scripted_wallet import Game

PRICE = Decimal("15.00")
Begin = Callable[..., Game]


def raw_answer(game: Game, call: str, id: str) -> bytes:
    """All bytes that come back until the wallet closes, or is silent for half a second."""
    body = f'{{"token": "{game.begun["token"]}", "mmTransactionId": "{id}"'.encode()
    body += b', "amount": {"amount": 15.00, "currencyCode": "XAG"}}'
    login = b64encode(b"game:secret").decode()
    head = f"POST /wallet/{call} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    place, received = urlsplit(game.wallet.url), b""
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=0.5) as connection:
        connection.sendall(head.encode() + body)
        try:
            while part := connection.recv(65536):
                received += part
        except TimeoutError:
            pass
    return received


def spendable(game: Game) -> int:
    return game.wallet.control.current().book.spendable


@pytest.mark.parametrize(
    ("scenario", "status", "left"),
    [
        ("withdrawal-answer-lost", 0, 85_00),
        ("withdrawal-request-lost", 0, 100_00),
        ("withdrawal-fails-after", 500, 85_00),
        ("purchase", 200, 85_00),
    ],
)
def test_server__fails_before_or_after_it_is_done(
    begin: Begin, scenario: str, status: int, left: int
) -> None:
    game = begin(scenario)
    assert game.call("withdraw", "a", PRICE).status == status
    assert spendable(game) == left


def test_server__lost_answer_is_not_a_single_byte(begin: Begin) -> None:
    assert raw_answer(begin("withdrawal-answer-lost"), "withdraw", "a") == b""


def test_server__answer_is_sent_twice(begin: Begin) -> None:
    received = raw_answer(begin("withdrawal-answered-twice"), "withdraw", "a")
    half = len(received) // 2
    assert received[:half] == received[half:]
    assert received.count(b"HTTP/1.1 200") == 2


def test_server__half_an_answer(begin: Begin) -> None:
    game = begin("half-an-answer")
    game.call("withdraw", "a", PRICE)
    received = raw_answer(game, "confirmWithdrawal", "a")
    assert received.startswith(b"HTTP/1.1 200")
    assert not received.endswith(b"}")
    assert game.call("confirmWithdrawal", "a").code == 0


def test_server__busy_says_when_to_come_again(begin: Begin) -> None:
    game = begin("busy")
    game.call("withdraw", "a", PRICE)
    assert b"HTTP/1.1 503 Service Unavailable\r\n" in (received := raw_answer(game, "confirmWithdrawal", "a"))
    assert b"Retry-After: 7\r\n" in received


def test_server__two_answers_are_swapped(begin: Begin) -> None:
    game = begin("two-answers-swapped", scale=1.0)
    first = threading.Thread(target=game.call, args=("withdraw", "a", PRICE))
    first.start()
    record = game.wallet.control.current().record
    assert record.wait(lambda: len(record.seen) == 1, 30)
    assert game.call("withdraw", "b", PRICE).code == 0
    first.join()
    record.wait_for_rest()
    held, quick = record.seen
    assert (held.id, held.is_yes, quick.id, quick.is_yes) == ("a", True, "b", True)
    assert held.began_at < quick.began_at < quick.ended_at < held.ended_at


def test_server__exact_amounts_survive(begin: Begin) -> None:
    game = begin("exact-amount")
    assert game.begun["amount"]["amount"] == Decimal("90071992547409.93")
    answer = game.call("withdraw", "a", game.begun["amount"]["amount"])
    assert answer.body["balance"] == show(0, "XAG")


@pytest.mark.parametrize("amount", ["15.00", True, Decimal("0.001"), Decimal(0), Decimal("1e999999")])
def test_server__what_is_no_amount_is_101(begin: Begin, amount: object) -> None:
    assert begin("purchase").call("withdraw", "a", amount).code == 101


@pytest.mark.parametrize(
    ("path", "login", "status"),
    [("/wallet/withdraw", "game:wrong", 401), ("/wallet/nothing", "game:secret", 404)],
)
def test_server__refuses_what_is_no_call(begin: Begin, path: str, login: str, status: int) -> None:
    game = begin("purchase")
    game.login = login
    assert game.send(path, {}).status == status


def test_server__without_a_scenario_there_is_no_wallet(begin: Begin) -> None:
    game = begin("purchase")
    game.wallet.control.finish()
    assert game.call("getBalance").status == 503


def test_server__session_ends_midway(begin: Begin) -> None:
    game = begin("session-ends-midway")
    assert game.call("withdraw", "a", PRICE).code == 0
    assert game.call("getBalance").code == 102
    assert game.call("confirmWithdrawal", "a").status == 0
    assert game.call("confirmWithdrawal", "a").code == 0


def test_server__orders_are_once_and_only_once(begin: Begin) -> None:
    game = begin("delivery")
    first = game.order("o-1")
    assert first.body["state"] == "created"
    assert game.order("o-1").body == first.body
    assert game.order("o-1", serverId=2).code == 110
    assert game.order("o-2", productPrice=Decimal("4.98")).code == 101
    assert game.send("/payments/query", {"cpOrderId": "o-1"}).body["productPrice"] == Decimal("4.99")
    assert game.send("/payments/query", {"cpOrderId": "o-3"}).code == 106
