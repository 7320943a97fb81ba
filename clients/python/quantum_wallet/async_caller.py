"""Calls that wait in an event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

import httpx

from quantum_wallet.errors import Unanswered
from quantum_wallet.operations import Request
from quantum_wallet.outcome import Again, Raw, judge
from quantum_wallet.schedule import Schedule, pause_before
from quantum_wallet.transport import Attempt, Credential, Settings, attempt, tell_repetition

Answer = TypeVar("Answer")


class AsyncCaller:
    """Calls the platform, and repeats what was not answered. `sleep` and `clock` can be replaced in tests.

    `transport` is httpx's: for a proxy, own certificates, or tests.
    """

    def __init__(
        self,
        url: str,
        credential: Credential,
        settings: Settings = Settings(),  # noqa: B008 (it is frozen)
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.url, self.settings, self.sleep, self.clock = url.rstrip("/"), settings, sleep, clock
        self.http = httpx.AsyncClient(
            headers={"Authorization": credential.header},
            timeout=settings.timeout,
            limits=settings.limits,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes its connections."""
        await self.http.aclose()

    async def make(self, request: Request[Answer], schedule: Schedule) -> Answer:
        """The answer to a request, sent unchanged until there is one.

        Raises Refused, NotAccepted, Unanswered.
        """
        sent = attempt(request)
        pauses = iter(schedule)
        number = 1
        while isinstance(answer := judge(request.call, request.id, await self.send(sent)), Again):
            pause = next(pauses, None)
            if pause is None:
                raise Unanswered(request.call.name, request.id, number, answer.reason)
            pause = pause_before(pause, answer.retry_after)
            tell_repetition(request, number, answer, pause)
            await self.sleep(pause)
            number += 1
        return answer

    async def send(self, sent: Attempt) -> Raw:
        """One attempt."""
        began = time.monotonic()
        try:
            response = await self.http.request(
                sent.method, self.url + sent.path, content=sent.content, headers=sent.headers
            )
            raw = sent.heard(response)
        except httpx.HTTPError as problem:
            raw = sent.unheard(problem)
        self.settings.watch(sent.exchange(raw, time.monotonic() - began))
        return raw
