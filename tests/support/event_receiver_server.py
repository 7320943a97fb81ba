"""Somebody who is sent events, on a real socket: verifies each message, and answers as a test says."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from standardwebhooks import Webhook

from payments.models import EventReceiver
from payments.providers.signing_secrets import add_event_secret, new_webhook_secret
from payments.pushes.operations import begin_at_end
from tests.support.callers import unique
from tests.support.event_feed import feed_end
from tests.support.game_order_server import answers
from tests.support.game_query_server import HANGING_SECONDS, Behaviour, read_request, serving


@dataclass(frozen=True)
class Sent:
    """One message: its id, and its `data`."""

    id: str
    data: dict[str, Any]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.data["events"]]


@dataclass
class ReceiverServer:
    """What came, and how it is answered: in turns of which the last one stays."""

    url: str
    secret: str = field(default_factory=new_webhook_secret)
    turns: list[Behaviour] = field(default_factory=lambda: [answers(200)])
    sent: list[Sent] = field(default_factory=list)
    # What was wrong with a message; and which came while another was still being answered.
    problems: list[str] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    present: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.settimeout(HANGING_SECONDS)
            head, _, body = read_request(peer).partition(b"\r\n\r\n")
            lines = (line.partition(":") for line in head.decode().split("\r\n")[1:])
            headers = {name.lower(): value.strip() for name, _, value in lines}
            with self.lock:
                self.verify(headers, body)
                self.present += 1
                if self.present > 1:
                    self.overlaps.append(headers["webhook-id"])
                self.sent.append(Sent(headers["webhook-id"], json.loads(body, parse_float=Decimal)["data"]))
                behave = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
            try:
                behave(peer, {})
            finally:
                with self.lock:
                    self.present -= 1

    def verify(self, headers: dict[str, str], body: bytes) -> None:
        # Not by `verify`, which goes by the clock of this machine.
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        wanted = Webhook(self.secret).sign(headers["webhook-id"], at, body.decode())
        if headers["webhook-signature"] != wanted:
            self.problems.append("wrong signature")

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that came, each once, in the order in which it came first."""
        found = {event["id"]: event for one in self.sent for event in one.data["events"]}
        return list(found.values())


@contextmanager
def receiving() -> Iterator[ReceiverServer]:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        server = ReceiverServer(f"http://127.0.0.1:{listener.getsockname()[1]}/events")
        with serving(listener, server.serve):
            yield server


def receiver_at(server: ReceiverServer, **attributes: Any) -> EventReceiver:
    """A receiver with a live secret, that is sent what happens from now on."""
    feed_end()
    row = EventReceiver(name=unique("receiver"), url=server.url, **attributes)
    begin_at_end(row)
    row.save(force_insert=True)
    add_event_secret(row, server.secret, actor="test")
    return row
