"""The WSGI application: the platform's own, with a bug if the path says `/planted/NAME/`."""

import json
from collections.abc import Iterable
from typing import Any

from config.wsgi import application as platform
from lib.http import requests
from tests.clients.kit.planted.fault import ACTIVE, Reply, breakable
from tests.clients.kit.planted.faults import FAULTS
from tests.clients.kit.planted.ledger_faults import ORIGINALS
from wallet import ledger, operations
from wallet.api import requests as wallet_requests
from wallet.api import views
from wallet.api.texts import clean
from wallet.money import to_minor


class Decoder:
    """The reader of requests; in place of the one that is made once."""

    def __init__(self, original: json.JSONDecoder) -> None:
        self.original = breakable("decode", lambda text: original.decode(text))

    def decode(self, text: str) -> Any:
        return self.original(text=text)


def plant() -> None:
    """Makes the platform's functions breakable, each where it is called."""
    ORIGINALS["settle"] = ledger.settle_transaction
    places = (
        (ledger, "open_transaction", "open"),
        (ledger, "settle_transaction", "settle"),
        (ledger, "query_transaction", "query"),
        (ledger, "find_session", "find_session"),
        (operations, "start_session", "start_session"),
    )
    for place, attribute, name in places:
        setattr(place, attribute, breakable(name, getattr(place, attribute)))
    minor, cleaned = breakable("to_minor", to_minor), breakable("clean", clean)
    wallet_requests.__dict__["to_minor"] = lambda amount, decimals: minor(amount=amount, decimals=decimals)
    views.__dict__["clean"] = lambda value: cleaned(value=value)
    requests.DECODER = Decoder(requests.DECODER)  # type: ignore[assignment]


plant()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers as the platform does, or as the bug makes it."""
    _, planted, name, rest = [*environ["PATH_INFO"].split("/", 3), "", "", ""][:4]
    if planted != "planted":
        return platform(environ, start_response)
    fault = FAULTS[name]
    token = ACTIVE.set(fault)
    try:
        reply = answer_to({**environ, "PATH_INFO": f"/{rest}"})
    finally:
        ACTIVE.reset(token)
    if fault.answer:
        reply = fault.answer(reply, environ)
    start_response(reply.status, reply.headers)
    return [reply.body]


def answer_to(environ: dict[str, Any]) -> Reply:
    """The platform's whole answer."""
    head: list[Any] = []
    body = b"".join(platform(environ, lambda status, headers, *_: head.extend((status, headers))))
    return Reply(head[0], list(head[1]), body)
