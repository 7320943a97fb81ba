"""The kit's scripted wallet in this process, steered over HTTP as by a game's tests, and a game by hand."""

import http.client
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from clients.kit import exact_json
from clients.kit.wallet.control import Control
from clients.kit.wallet.run import Options
from clients.kit.wallet.server import Server

Body = dict[str, Any]
# A thousandth: 40 s are 40 ms. A machine that is busy may be late by a lot.
SCALE, SLACK = 0.001, 60.0
SECRET = "whsec_" + b64encode(b"twenty-four bytes of it!").decode()


@dataclass
class Answer:
    """What came back; status 0 for no answer, or no whole one."""

    status: int
    body: Body

    @property
    def code(self) -> int:
        return int(self.body.get("errorCode", 0))


@dataclass
class ScriptedWallet:
    """A running wallet."""

    url: str
    control: Control

    def send(
        self, method: str, path: str, body: Body | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request over a connection of its own."""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        about = {"Content-Type": "application/json", **(headers or {})}
        raw = b"" if body is None else exact_json.write(body).encode()
        answer = Answer(0, {})
        with suppress(OSError, http.client.HTTPException):
            connection.request(method, path, raw, about)
            response = connection.getresponse()
            answer = Answer(response.status, json.loads(response.read(), parse_float=Decimal))
        connection.close()
        return answer

    def choose(self, name: str) -> Body:
        """Begins a scenario."""
        begun = self.send("POST", "/kit/scenario", {"name": name})
        assert begun.status == 200, begun
        return begun.body

    def verdict(self) -> Body:
        """Of the scenario under way."""
        current: Body = self.send("GET", "/kit/report").body["current"]
        return current

    def call_game(self) -> Answer:
        """Has the wallet ask or tell what the scenario says."""
        return self.send("POST", "/kit/call", {})

    def tell_goods(self, id: str, count: int = 1) -> None:
        self.send("POST", "/kit/goods", {"id": id, "count": count})


@dataclass
class Game:
    """Makes single calls; right or wrong is the test's affair."""

    wallet: ScriptedWallet
    begun: Body
    login: str = "game:secret"

    def call(self, call: str, id: str = "", amount: object = None, **extra: object) -> Answer:
        """One call of the wallet API; an amount is of XAG."""
        body: Body = {"token": self.begun["token"], **extra}
        if id:
            body["mmTransactionId"] = id
        if amount is not None:
            body["amount"] = {"amount": amount, "currencyCode": "XAG"}
        return self.send(f"/wallet/{call}", body)

    def send(self, path: str, body: Body) -> Answer:
        authorization = "Basic " + b64encode(self.login.encode()).decode()
        return self.wallet.send("POST", path, body, {"Authorization": authorization})

    def order(self, id: str, **other: object) -> Answer:
        """Starts an order of gold."""
        body: Body = {"token": self.begun["token"], "cpOrderId": id, "productId": "gold"}
        body |= {"productPrice": Decimal("4.99"), "currencyCode": "EUR", "serverId": 1, **other}
        return self.send("/payments/initiate", body)

    def broken(self) -> set[str]:
        """The rules that the verdict finds broken."""
        return {one["rule"] for one in self.wallet.verdict()["findings"] if one["problem"]}


@contextmanager
def scripted_wallet(**options: Any) -> Iterator[ScriptedWallet]:
    """A wallet that listens until the block ends."""
    control = Control(Options(**{"scale": SCALE, "slack": SLACK, "delivery_secret": SECRET, **options}))
    server = Server(control, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield ScriptedWallet(server.url, control)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
