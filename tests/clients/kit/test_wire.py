"""The kit's HTTP against a server that does what real ones should not."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from clients.kit.expectations import Unmet
from clients.kit.redaction import Redactor
from clients.kit.wire import Answer, Record, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Serve = Callable[[list[bytes]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Begins a server that sends an answer for each connection, and closes it. Returns its address."""
    listeners: list[socket.socket] = []

    def begin(answers: list[bytes]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=answer_each, args=(listener, answers), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield begin
    for listener in listeners:
        listener.close()


def answer_each(listener: socket.socket, answers: list[bytes]) -> None:
    for answer in answers:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)


def send(wire: Wire, record: Record) -> Answer:
    return wire.send("POST", "/wallet/getBalance", b"{}", {"Authorization": "Basic x"}, record)


def test_send__sends_again_where_a_kept_connection_was_closed(serve: Serve) -> None:
    record = Record(Redactor())
    with closing(Wire(serve([OK, OK]))) as wire:
        assert [send(wire, record).status for _ in range(2)] == [200, 200]
    assert record.count == 2


def test_send__tells_that_no_answer_came(serve: Serve) -> None:
    record = Record(Redactor())
    with closing(Wire(serve([b""]))) as wire, pytest.raises(Unmet) as unmet:
        send(wire, record)
    assert unmet.value.paragraph == "1.5"
    [exchange] = record.exchanges
    assert "Authorization: [hidden]" in exchange.request
    assert exchange.answer.startswith("no answer: ")


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b"\xff", b"[" * 100_000])
def test_body__must_be_a_json_object(raw: bytes) -> None:
    with pytest.raises(Unmet, match="a JSON object"):
        Answer(200, {}, raw).body  # noqa: B018 (it is read for its failure)


@pytest.mark.parametrize("balance", [b'{"amount": "1.00"}', b"{}", b"1.00", b"null"])
def test_money__must_be_a_number(balance: bytes) -> None:
    with pytest.raises(Unmet, match="a JSON number"):
        Answer(200, {}, b'{"balance": ' + balance + b"}").money()


def test_code__must_be_a_whole_number() -> None:
    with pytest.raises(Unmet, match="a whole number"):
        Answer(200, {}, b'{"errorCode": "104"}').code  # noqa: B018


def test_record__keeps_the_last_exchanges_and_counts_all() -> None:
    record = Record(Redactor())
    for number in range(100):
        record.add(str(number), "", 0.001)
    assert (record.count, len(record.exchanges), record.exchanges[-1].request) == (100, 60, "99")
