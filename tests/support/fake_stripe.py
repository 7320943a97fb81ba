"""Stripe's API on a real socket, as far as it is asked.

Sessions and refunds in the shapes of its documents, keys and idempotency checked.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe import api_version

Reply = tuple[int, Any]
# What goes wrong with one request: it is given how to answer well, and answers otherwise. None: the
# connection is closed.
Mishap = Callable[[Callable[[], Reply]], Reply | None]


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    fields: dict[str, str]
    key: str
    idempotency_key: str | None


def error(status: int, type: str, message: str, **further: str) -> Reply:
    return status, {"error": {"type": type, "message": message, **further}}


def says(status: int, body: Any) -> Mishap:
    """Answers that, and does nothing."""
    return lambda answer: (status, body)


def refuses(status: int, type: str, message: str, **further: str) -> Mishap:
    return says(*error(status, type, message, **further))


@dataclass
class FakeStripe:
    """What was asked, what it has made, and what goes wrong with the next requests.

    `key` is the one that it knows.
    """

    url: str = ""
    key: str = "sk_test_51FakeFakeFakeFake"
    asked: list[Asked] = field(default_factory=list)
    mishaps: list[Mishap] = field(default_factory=list)
    # Of each payment intent: what was paid, in Stripe's minor units.
    paid: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Payment intents and disputes, by their ids.
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    next_status: str = "succeeded"
    page_length: int = 100
    known: dict[str, tuple[dict[str, str], Reply]] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def hang(self, answer: Callable[[], Reply]) -> None:
        """Does nothing, and does not answer."""
        self.released.wait(10)

    def hang_after(self, answer: Callable[[], Reply]) -> None:
        """Does what it is asked, and does not answer."""
        answer()
        self.released.wait(10)

    def answer(self, asked: Asked) -> Reply | None:
        self.asked.append(asked)
        if self.mishaps:
            return self.mishaps.pop(0)(lambda: self.once(asked))
        return self.once(asked)

    def once(self, asked: Asked) -> Reply:
        """The same key is the same call for ever, refused or not."""
        if asked.key != self.key:
            return error(401, "invalid_request_error", f"Invalid API Key provided: {asked.key}")
        if asked.method == "GET":
            return self.look(asked)
        assert asked.idempotency_key, "everything that is made has a key"
        fields, reply = self.known.get(asked.idempotency_key, ({}, None))
        if reply is None:
            reply = self.make(asked)
            self.known[asked.idempotency_key] = (asked.fields, reply)
        elif fields != asked.fields:
            return error(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were first "
                "used with.",
            )
        return reply

    def make(self, asked: Asked) -> Reply:
        if asked.path == "/v1/checkout/sessions":
            return 200, self.make_session(asked.fields)
        assert asked.path == "/v1/refunds", asked.path
        return self.make_refund(asked.fields)

    def make_session(self, fields: dict[str, str]) -> dict[str, Any]:
        id = f"cs_test_{len(self.sessions) + 1:06}"
        amount = int(fields["line_items[0][price_data][unit_amount]"])
        self.sessions[id] = {
            "id": id,
            "object": "checkout.session",
            "amount_total": amount,
            "client_reference_id": fields["client_reference_id"],
            "currency": fields["line_items[0][price_data][currency]"],
            "livemode": False,
            "metadata": metadata_of(fields),
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "url": f"https://checkout.stripe.com/c/pay/{id}#fid",
        }
        return self.sessions[id]

    def make_refund(self, fields: dict[str, str]) -> Reply:
        intent, amount = fields["payment_intent"], int(fields["amount"])
        if intent not in self.paid:
            return error(
                404,
                "invalid_request_error",
                f"No such payment_intent: '{intent}'",
                code="resource_missing",
                param="payment_intent",
            )
        gone = sum(refund["amount"] for refund in self.refunds.values() if refund["payment_intent"] == intent)
        if gone + amount > self.paid[intent]:
            return error(
                400, "invalid_request_error", "Refund amount is greater than unrefunded amount on charge"
            )
        id = f"re_{len(self.refunds) + 1:06}{intent[3:]}"
        self.refunds[id] = {
            "id": id,
            "object": "refund",
            "amount": amount,
            "charge": f"ch_{intent[3:]}",
            "currency": "eur",
            "metadata": metadata_of(fields),
            "payment_intent": intent,
            "reason": None,
            "status": self.next_status,
        }
        return 200, self.refunds[id]

    def look(self, asked: Asked) -> Reply:
        kind, _, id = asked.path.removeprefix("/v1/").partition("/")
        if kind == "checkout":
            session = self.sessions.get(id.removeprefix("sessions/"))
            missing = error(404, "invalid_request_error", "No such checkout.session", code="resource_missing")
            return (200, session) if session else missing
        if kind in ("payment_intents", "disputes"):
            found = self.objects.get(id)
            missing = error(404, "invalid_request_error", "No such object", code="resource_missing")
            return (200, found) if found else missing
        if asked.path != "/v1/refunds":
            found = self.refunds.get(asked.path.removeprefix("/v1/refunds/"))
            return (
                (200, found)
                if found
                else error(404, "invalid_request_error", "No such refund", code="resource_missing")
            )
        mine = [
            refund
            for refund in reversed(self.refunds.values())
            if refund["payment_intent"] == asked.fields["payment_intent"]
        ]
        after = asked.fields.get("starting_after")
        rest = mine[[refund["id"] for refund in mine].index(after) + 1 :] if after else mine
        page = rest[: min(int(asked.fields["limit"]), self.page_length)]
        return 200, {"object": "list", "url": "/v1/refunds", "has_more": len(page) < len(rest), "data": page}


def metadata_of(fields: dict[str, str]) -> dict[str, str]:
    return {
        name[len("metadata[") : -1]: value for name, value in fields.items() if name.startswith("metadata[")
    }


def handler_of(fake: FakeStripe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            assert self.headers["Stripe-Version"] == api_version
            key = self.headers["Authorization"].removeprefix("Bearer ")
            fields = dict(parse_qsl(body or parts.query, keep_blank_values=True))
            reply = fake.answer(
                Asked(self.command, parts.path, fields, key, self.headers.get("Idempotency-Key"))
            )
            if reply is not None:
                self.reply(*reply)

        def reply(self, status: int, body: Any) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Request-Id", "req_fake")
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def fake_stripe() -> Iterator[FakeStripe]:
    """A fresh one, with nothing made yet."""
    fake = FakeStripe()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(fake)) as server:
        server.daemon_threads = True
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            fake.released.set()
            server.shutdown()
            thread.join()
