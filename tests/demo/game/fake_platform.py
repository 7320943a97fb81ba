"""A platform on a real socket that holds one player's money, and fails as a test says."""

import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from demo.game.__main__ import make_game
from demo.game.messages import read, write
from demo.game.play import Game
from demo.game.settings import Product, Settings
from quantum_wallet import Credential

TOKEN = "0fabcdc4-fe07-44f2-b968-93da3b324898"
SECRET = "whsec_" + b64encode(b"twenty-four bytes of it!").decode()
GAME, FRONT = Credential("starfall", "pa55"), Credential("lobby", "fr0nt")
QUERY = Credential("platform", "qu3ry")
PRODUCT = Product("coins-500", Decimal("4.99"), "EUR", "500.00 XAG")
SETTLED = {"confirm": "confirmed", "rollback": "rolled_back"}


@dataclass
class FakePlatform:
    """`failures` says for each path which answers come instead of the right ones: a status, or 0 for none.

    `is_late`: what fails has happened all the same.
    """

    url: str = ""
    balance: Decimal = Decimal("100.00")
    states: dict[str, str] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    answers: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    heard: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_late: bool = True
    is_live: bool = True
    # How far the clock was moved; at 0 there is none to move.
    ahead: int = 0

    def answer(self, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, bytes]:
        with self.lock:
            body = read(raw)
            self.calls.append((path, body))
            self.heard.append(headers)
            failures = self.failures[path]
            if failures and not self.is_late:
                return failures.pop(0), b""
            status, said = self.right(path, body)
            return (failures.pop(0), b"") if failures else (status, write(said))

    def right(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What a platform answers."""
        if path == "/wallet/verifySession" and self.is_live:
            about = {"playerId": "anna", "nickname": "Anna <b>", "country": "AT", "language": "de"}
            return 200, about | {"balance": self.money()}
        if path == "/wallet/getBalance" and self.is_live:
            return 200, {"balance": self.money()}
        if path.startswith("/wallet/") and "mmTransactionId" in body:
            return 200, self.move(path.removeprefix("/wallet/"), body)
        if path == "/payments/initiate":
            order = f"{self.url}/checkout/page-key-of-the-order"
            return 200, {
                "orderId": "019a1fd1-1a0e-7d3a-88a2-ae2720c2b199",
                "state": "created",
                "paymentUrl": order,
                "expiresAt": "2026-11-30T12:00:00.000Z",
            }
        if path == "/payments/query":
            return 200, self.order(body)
        if path == "/demo/clock" and self.ahead:
            return 200, {"movedBySeconds": self.ahead}
        if path.startswith("/pay/"):
            return 401, {"errorCode": 101, "errorDescription": "not genuine"}
        return (200, {"errorCode": 102}) if path.startswith("/wallet/") else (404, {})

    def order(self, body: dict[str, Any]) -> dict[str, Any]:
        about = {"orderId": "o", "cpOrderId": body["cpOrderId"], "state": "created", "productId": PRODUCT.id}
        price = {"productPrice": PRODUCT.price, "currencyCode": PRODUCT.currency}
        return about | price | {"refunded": Decimal("0.00"), "deliveredAt": None}

    def move(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """The two-phase table, as far as the game gets into it."""
        kind = "deposit" if "eposit" in verb else "withdrawal"
        id = f"{kind} {body['mmTransactionId']}"
        state, is_opening = self.states.get(id), verb in ("withdraw", "deposit")
        known = self.answers.get((id, "open" if is_opening else str(state)))
        if is_opening:
            if state == "rolled_back":
                return {"errorCode": 108, "balance": self.money()}
            return known or self.open(id, kind, Decimal(body["amount"]["amount"]))
        wanted = SETTLED["confirm" if verb.startswith("confirm") else "rollback"]
        if state == wanted and known:
            return known
        if state in ("confirmed", "rolled_back"):
            return {"errorCode": 107 if state == "confirmed" else 108, "balance": self.money()}
        if state is None and wanted == "confirmed":
            return {"errorCode": 106, "balance": self.money()}
        return self.settle(id, wanted)

    def open(self, id: str, kind: str, amount: Decimal) -> dict[str, Any]:
        if kind == "withdrawal" and amount > self.balance:
            return {"errorCode": 104, "balance": self.money()}
        self.balance -= amount if kind == "withdrawal" else 0
        self.states[id], self.amounts[id] = "pending", amount
        return self.remember(id, "open")

    def settle(self, id: str, state: str) -> dict[str, Any]:
        gives = {("withdrawal", "rolled_back"), ("deposit", "confirmed")}
        if (id.split()[0], state) in gives:
            self.balance += self.amounts.get(id, Decimal(0))
        self.states[id] = state
        return self.remember(id, state)

    def remember(self, id: str, state: str) -> dict[str, Any]:
        told = {
            "mmTransactionId": id.split()[1],
            "qwTransactionId": f"qw-{id.split()[1]}",
            "balance": self.money(),
        }
        self.answers[id, state] = told
        return told

    def money(self) -> dict[str, Any]:
        return {"amount": self.balance, "currencyCode": "XAG"}

    def paths(self) -> list[str]:
        """What was called, in order."""
        return [path for path, _ in self.calls]

    def ids(self) -> set[str]:
        """The transaction ids of all calls."""
        return {body["mmTransactionId"] for _, body in self.calls if "mmTransactionId" in body}


@contextmanager
def playing(directory: Path) -> Iterator[tuple[FakePlatform, Game]]:
    """A platform, and a game whose state is in `directory`, until the block ends."""
    platform = FakePlatform()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"] or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = platform.answer(self.path, headers, raw)
            if status:
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *values: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    platform.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    game = game_of(platform, directory)
    try:
        yield platform, game
    finally:
        game.store.close()
        server.shutdown()
        server.server_close()


def game_of(platform: FakePlatform, directory: Path) -> Game:
    """A game as a start of the process makes it."""
    settings = Settings(
        platform=platform.url,
        data=directory,
        host="127.0.0.1",
        port=0,
        game=GAME,
        front=FRONT,
        query=QUERY,
        delivery_secret=SECRET,
        products=(PRODUCT,),
    )
    return make_game(settings)
