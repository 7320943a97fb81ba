"""Calls of the platform, by the client that any game can use; each is written on the wire as it went."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from demo.game.messages import read, shown, write
from demo.game.settings import Settings
from demo.game.wire import STORY, Wire
from quantum_wallet import EntryClient, Exchange, WalletClient, WalletError
from quantum_wallet import Settings as ClientSettings
from quantum_wallet.schedule import ONCE
from quantum_wallet.transport import Attempt

Answer = TypeVar("Answer")
# Why a call is made, to be told beside it.
WHY: ContextVar[str] = ContextVar("why", default="")


@contextmanager
def because(why: str) -> Iterator[None]:
    """Calls in this block are told with that sentence."""
    token = WHY.set(why)
    try:
        yield
    finally:
        WHY.reset(token)


@dataclass
class PlatformClient:
    """Speaks to the platform, from any thread.

    Each call is one attempt: what has to be repeated stands in the store, and the repeater sees to it.
    """

    settings: Settings
    wire: Wire
    wallet: WalletClient = field(init=False)
    entry: EntryClient = field(init=False)

    def __post_init__(self) -> None:
        calling = ClientSettings(opening=ONCE, settling=ONCE, asking=ONCE, watch=self.watch)
        self.wallet = WalletClient(self.settings.platform, self.settings.game, calling)
        self.entry = EntryClient(self.settings.platform, self.settings.front, calling)

    def call(self, why: str, act: Callable[[], Answer]) -> Answer | WalletError:
        """The answer to one call, or what came instead of a success; `why` stands beside it on the wire."""
        with because(why):
            try:
                return act()
            except WalletError as problem:
                return problem

    def front(self, method: str, path: str, body: dict[str, Any], why: str) -> tuple[int, dict[str, Any]]:
        """Status (0 for no answer) and body of a call of the web front that the entry API does not have."""
        raw = write(body) if method == "POST" else b""
        with because(why):
            answer = self.entry.send(Attempt(method, path, raw))
        return answer.status, read(answer.body)

    def forge(self, path: str, raw: bytes, headers: Mapping[str, str], why: str) -> int:
        """The status of the answer to what somebody else might send: without our credential."""
        began, url = time.monotonic(), self.settings.platform + path
        try:
            answer = httpx.post(url, content=raw, headers={"Content-Type": "application/json", **headers})
            status, told = answer.status_code, answer.text
        except httpx.HTTPError as problem:
            status, told = 0, f"no answer: {type(problem).__name__}"
        with because(why):
            took = time.monotonic() - began
            self.watch(Exchange("POST", path, raw.decode(), status, told, took))
        return status

    def watch(self, exchange: Exchange) -> None:
        """Writes an attempt on the wire of the player whose story it is."""
        uid = STORY.get()[0]
        if uid:
            self.wire.add(
                uid,
                is_ours=True,
                method=exchange.method,
                path=exchange.path,
                request=shown(exchange.request.encode()) if exchange.request else "",
                status=exchange.status,
                answer=shown(exchange.answer.encode()),
                took_ms=round(exchange.took_seconds * 1000),
                why=WHY.get(),
            )
