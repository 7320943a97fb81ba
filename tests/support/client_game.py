"""A game's backend as one would write it with the client: right in every scenario of the kit."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from quantum_wallet import (
    AlreadyRolledBack,
    AsyncWalletClient,
    Credential,
    Deposit,
    Expired,
    Malformed,
    Money,
    NotGenuine,
    Schedule,
    Settings,
    Transaction,
    WalletClient,
    WalletError,
    Withdrawal,
    final_state,
    query_answer,
    verify_delivery,
    verify_query,
)
from quantum_wallet.shapes import InitiateRequest
from tests.support.scripted_wallet import SCALE, SECRET, Body, ScriptedWallet

GAME, PLATFORM = Credential("game", "secret"), Credential("platform", "secret")
# Five repetitions, for nobody waits for 48 hours here.
SETTINGS = Settings(settling=Schedule((0, 5, 10, 20, 40)))


class NothingToGive(Exception):
    """What was bought cannot be handed out."""


@dataclass
class Backend:
    """What the game keeps, and its server, which the platform calls."""

    url: str = ""
    kept: dict[str, Transaction] = field(default_factory=dict)
    delivered: dict[str, str] = field(default_factory=dict)

    def save(self, one: Transaction) -> None:
        self.kept[one.id] = one

    async def save_later(self, one: Transaction) -> None:
        self.save(one)

    def take(self, path: str, headers: Mapping[str, str], raw: bytes) -> tuple[int, bytes]:
        """What the platform's calls are answered."""
        try:
            if path == "/state":
                query = verify_query(headers, raw, PLATFORM)
                return 200, query_answer(final_state(self.kept.get(query.mm_transaction_id)))
            delivery = verify_delivery(headers, raw, [SECRET])
        except NotGenuine:
            return 401, b"{}"
        except Malformed:
            return 400, b"{}"
        self.delivered.setdefault(delivery.id, delivery.product_id)
        return 200, b"{}"


@contextmanager
def backend() -> Iterator[Backend]:
    """A game's server until the block ends."""
    game = Backend()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status, said = game.take(self.path, dict(self.headers.items()), raw)
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *values: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    game.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield game
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Play:
    """One scenario: what the game does for its task. Errors of the wallet are the game's everyday life."""

    wallet: ScriptedWallet
    begun: Body
    game: Backend

    @property
    def money(self) -> Money:
        return Money(self.begun["amount"]["amount"], self.begun["amount"]["currencyCode"])

    @property
    def order(self) -> InitiateRequest:
        return InitiateRequest(
            token=self.begun["token"],
            cp_order_id="o-1",
            product_id="gold",
            product_price=Decimal("4.99"),
            currency_code="EUR",
            server_id=1,
        )

    def withdrawal(self) -> Withdrawal:
        return Withdrawal(token=self.begun["token"], amount=self.money, description="A lantern")

    def hand_out(self, one: Transaction) -> None:
        if "fail to give" in self.begun["task"]:
            raise NothingToGive
        self.wallet.tell_goods(one.id)

    # --- In threads ---

    def run(self) -> None:
        """Does the task."""
        with WalletClient(
            self.wallet.url, GAME, SETTINGS, sleep=lambda seconds: time.sleep(seconds * SCALE)
        ) as client:
            task = self.begun["task"]
            if task.startswith("Buy two"):
                with ThreadPoolExecutor(2) as pool:
                    list(pool.map(self.buy, [client] * 2))
            elif task.startswith("Buy"):
                self.buy(client)
            elif task.startswith("Pay out"):
                self.win(client)
            elif task.startswith("Start an order"):
                assert client.initiate_order(self.order).state == "created"

    def buy(self, client: WalletClient) -> None:
        one = self.withdrawal()
        try:
            client.purchase(one, lambda: self.hand_out(one), self.game.save)
        except (AlreadyRolledBack, Expired):
            self.wallet.tell_goods(one.id, -1)
        except (WalletError, NothingToGive):
            pass

    def win(self, client: WalletClient) -> None:
        with suppress(WalletError):
            client.pay_out(Deposit(token=self.begun["token"], amount=self.money), self.game.save)

    # --- In an event loop ---

    def run_in_loop(self) -> None:
        """The same, by the other client."""
        asyncio.run(self.arun())

    async def arun(self) -> None:
        async def sleep(seconds: float) -> None:
            await asyncio.sleep(seconds * SCALE)

        async with AsyncWalletClient(self.wallet.url, GAME, SETTINGS, sleep=sleep) as client:
            task = self.begun["task"]
            if task.startswith("Buy"):
                await asyncio.gather(*(self.abuy(client) for _ in range(2 if "two" in task else 1)))
            elif task.startswith("Pay out"):
                await self.awin(client)
            elif task.startswith("Start an order"):
                assert (await client.initiate_order(self.order)).state == "created"

    async def abuy(self, client: AsyncWalletClient) -> None:
        one = self.withdrawal()

        async def hand_out() -> None:
            self.hand_out(one)

        try:
            await client.purchase(one, hand_out, self.game.save_later)
        except (AlreadyRolledBack, Expired):
            self.wallet.tell_goods(one.id, -1)
        except (WalletError, NothingToGive):
            pass

    async def awin(self, client: AsyncWalletClient) -> None:
        with suppress(WalletError):
            await client.pay_out(Deposit(token=self.begun["token"], amount=self.money), self.game.save_later)
