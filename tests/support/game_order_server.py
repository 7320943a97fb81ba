"""A game's order URL on a real socket.

Verifies what it is told with its own secrets, and answers as a test says.
"""

import hashlib
import hmac
import json
import socket
import threading
import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.game_query_server import (
    HANGING_SECONDS,
    Behaviour,
    closes,
    hangs,
    http,
    read_request,
    sends,
    serving,
)

__all__ = ["GameServer", "Told", "answers", "closes", "hangs", "late", "selling", "sends"]
SIGNED = ("cpOrderId", "serverId", "uid", "productPrice", "productId", "ts")


def answers(status: int, body: bytes = b"{}", headers: str = "") -> Behaviour:
    """A status such as 200."""
    return sends(http(body, f"{status} RefundResult", headers))


def late(seconds: float, status: int = 200) -> Behaviour:
    """The same after a pause; whoever asked may have gone."""

    def answer(peer: socket.socket, asked: dict[str, Any]) -> None:
        time.sleep(seconds)
        answers(status)(peer, asked)

    return answer


@dataclass(frozen=True)
class Told:
    """One message: when it came, its headers in small letters, its fields, and how many signatures it had."""

    at: float
    headers: dict[str, str]
    fields: dict[str, Any]
    signatures: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class GameServer:
    """What came, and how it is answered.

    By the game's order id, in turns of which the last one stays, else as `otherwise` says.
    """

    url: str
    secrets: list[str]
    otherwise: Behaviour = field(default_factory=lambda: answers(200))
    turns: dict[str, list[Behaviour]] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    # What was wrong with a message; and which came while the same was still being answered.
    problems: list[str] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    present: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def about(self, cp_order_id: str) -> list[Told]:
        """What it was told of an order."""
        return [one for one in list(self.told) if one.fields["cpOrderId"] == cp_order_id]

    def serve(self, peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.settimeout(HANGING_SECONDS)
            told = self.read(read_request(peer))
            name = told.fields["cpOrderId"]
            with self.lock:
                self.told.append(told)
                self.present[told.id] += 1
                if self.present[told.id] > 1:
                    self.overlaps.append(name)
                turns = self.turns.get(name, [self.otherwise])
                behave = turns.pop(0) if len(turns) > 1 else turns[0]
            try:
                behave(peer, told.fields)
            finally:
                with self.lock:
                    self.present[told.id] -= 1

    def read(self, raw: bytes) -> Told:
        """A message, verified as a game has to: by both signatures, over the characters that stand there."""
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = (line.partition(":") for line in head.decode().split("\r\n")[1:])
        headers = {name.lower(): value.strip() for name, _, value in lines}
        fields = json.loads(body)
        signatures = headers["webhook-signature"].split(" ")
        wanted = [self.webhook_signature(headers, body, secret) for secret in self.secrets]
        text = "".join(fields[name] for name in SIGNED) + self.secrets[0]
        checks = {
            "the signatures of Standard Webhooks": signatures == wanted,
            "the sign": fields["sign"] == hashlib.md5(text.encode()).hexdigest().upper(),
            "the fields": sorted(fields) == sorted([*SIGNED, "extParams", "sign"]),
            "the two times": headers["webhook-timestamp"] == fields["ts"][:-3],
            "the content type": headers["content-type"] == "application/json",
        }
        self.problems.extend(f"wrong: {what}" for what, is_right in checks.items() if not is_right)
        return Told(time.monotonic(), headers, fields, len(signatures))

    def webhook_signature(self, headers: dict[str, str], body: bytes, secret: str) -> str:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        return (
            "v1,"
            + b64encode(hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256")).decode()
        )


@contextmanager
def selling(secrets: list[str] | None = None) -> Iterator[GameServer]:
    """A game's server until the block ends; `secrets` newest first."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        game = GameServer(
            f"http://127.0.0.1:{listener.getsockname()[1]}/orders", secrets if secrets is not None else []
        )
        with serving(listener, game.serve):
            yield game
