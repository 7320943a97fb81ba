"""A game's query URL on a real socket, which answers as it is told: well, wrongly, slowly, or not at all."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

# How long a peer that hangs keeps a connection, longer than any time-out of a test.
HANGING_SECONDS = 5.0
Behaviour = Callable[[socket.socket, dict[str, Any]], None]


def http(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: "
        f"{len(body)}\r\nConnection: close\r\n{headers}\r\n"
    ).encode() + body


def says(state: object, **further: object) -> Behaviour:
    """Answers with a state; `echo=True` names the transaction."""
    echo = further.pop("echo", False)

    def answer(peer: socket.socket, asked: dict[str, Any]) -> None:
        named = {"qwTransactionId": asked["qwTransactionId"]} if echo else {}
        peer.sendall(http(json.dumps({"state": state, **named, **further}).encode()))

    return answer


def late(state: object, seconds: float) -> Behaviour:
    """Answers with a state after a pause."""
    answer = says(state)

    def behave(peer: socket.socket, asked: dict[str, Any]) -> None:
        time.sleep(seconds)
        answer(peer, asked)

    return behave


def sends(data: bytes) -> Behaviour:
    """Answers with these bytes, whatever they are."""
    return lambda peer, asked: peer.sendall(data)


def drips(data: bytes) -> Behaviour:
    """Answers one byte at a time, none of which comes too late on its own."""

    def answer(peer: socket.socket, asked: dict[str, Any]) -> None:
        for byte in data:
            peer.sendall(bytes([byte]))
            time.sleep(0.1)

    return answer


def hangs(peer: socket.socket, asked: dict[str, Any]) -> None:
    """Never answers."""
    time.sleep(HANGING_SECONDS)


def closes(peer: socket.socket, asked: dict[str, Any]) -> None:
    """Closes the connection instead of answering."""


@dataclass
class FakeGame:
    """What was asked, and how each transaction is answered.

    By its mmTransactionId, else as `otherwise` says.
    """

    url: str
    otherwise: Behaviour = field(default_factory=lambda: says("PENDING"))
    answers: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def times_asked(self, mm: str) -> int:
        return sum(asked["mmTransactionId"] == mm for asked in list(self.asked))

    def serve(self, peer: socket.socket) -> None:
        with peer, suppress(OSError, ValueError):
            peer.settimeout(HANGING_SECONDS)
            raw = read_request(peer)
            asked = json.loads(raw.partition(b"\r\n\r\n")[2])
            self.raw.append(raw)
            self.asked.append(asked)
            self.answers.get(asked["mmTransactionId"], self.otherwise)(peer, asked)


def read_request(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += received(peer)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < lengths[0]:
        more = received(peer)
        body, data = body + more, data + more
    return data


def received(peer: socket.socket) -> bytes:
    data = peer.recv(65536)
    if not data:
        raise ConnectionError("the platform hung up")
    return data


@contextmanager
def playing() -> Iterator[FakeGame]:
    """A fake game until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        game = FakeGame(f"http://127.0.0.1:{listener.getsockname()[1]}/state")
        with serving(listener, game.serve):
            yield game


@contextmanager
def serving(listener: socket.socket, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Gives each connection to `serve`, in a thread of its own, until the block ends."""

    def accept() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
