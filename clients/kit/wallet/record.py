"""What was seen on the wire: every request of the game, and what became of it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]
OPENINGS = {"withdraw": "withdrawal", "deposit": "deposit"}
CONFIRMATIONS = {"confirmWithdrawal": "withdrawal", "confirmDeposit": "deposit"}
ROLLBACKS = {"rollbackWithdrawal": "withdrawal", "rollbackDeposit": "deposit"}
SETTLING = CONFIRMATIONS | ROLLBACKS
TRANSACTING = OPENINGS | SETTLING
RETRIED = 100
REST_SECONDS = 2.0


@dataclass
class Seen:
    """One request. Times are seconds of a monotonic clock.

    `number` counts the requests of the same call and id from 0. `code` is the errorCode of the answer, 0 for
    success; `is_whole`: the game could read the answer to its end; `ended_at` is just before it was sent.
    `text` is the body as it came.
    """

    call: str
    id: str
    number: int
    body: Body
    text: str
    began_at: float
    ended_at: float = 0.0
    status: int = 0
    code: int = 0
    is_whole: bool = False
    is_over: bool = False
    retry_after: int = 0
    problem: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether the game knows now what became of it: a whole answer with HTTP 200 that is not 100."""
        return self.is_whole and self.status == 200 and self.code != RETRIED

    @property
    def is_yes(self) -> bool:
        return self.is_answered and self.code == 0

    @property
    def type(self) -> str:
        """withdrawal, deposit, or nothing."""
        return TRANSACTING.get(self.call, "")

    @property
    def key(self) -> tuple[str, str]:
        """The transaction that it is about."""
        return self.type, self.id


@dataclass(frozen=True, slots=True)
class Heard:
    """What the game answered when the wallet called it; `status` 0 for no answer."""

    what: str
    expected: str
    is_right: bool
    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Goods:
    """What the game's tests say of goods: how many were given (or, negative, taken back) for an id."""

    id: str
    count: int
    at: float


@dataclass
class Record:
    """All of one run, in order. Used by several threads."""

    seen: list[Seen] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    goods: list[Goods] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    tell: Callable[[Seen], None] = lambda _: None

    def begin(self, call: str, body: Body, text: str) -> Seen:
        """Notes a request that came in."""
        id = str(body.get("mmTransactionId") or body.get("cpOrderId") or "")
        with self.changed:
            number = sum(1 for one in self.seen if (one.call, one.id) == (call, id))
            one = Seen(call, id, number, body, text, time.monotonic())
            self.seen.append(one)
            self.changed.notify_all()
        return one

    def end(self, one: Seen, *, at: float, is_whole: bool) -> None:
        """Notes that nothing more will be sent; the last was sent `at`."""
        with self.changed:
            one.ended_at, one.is_whole, one.is_over = at, is_whole, True
            self.changed.notify_all()
        self.tell(one)

    def wait(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Whether it came to be so in that time; looks whenever something was noted."""
        with self.changed:
            return self.changed.wait_for(is_so, seconds)

    def wait_for_rest(self) -> None:
        """Returns when no request is under way, or after a while: whoever has an answer may ask at once."""
        self.wait(lambda: all(one.is_over for one in self.seen), REST_SECONDS)

    @contextmanager
    def reading(self) -> Iterator["Record"]:
        """The record at rest."""
        with self.changed:
            yield self

    def of(self, *calls: str) -> list[Seen]:
        """The requests of these calls, in the order in which they came."""
        return [one for one in self.seen if one.call in calls]

    def transactions(self) -> list[tuple[str, str]]:
        """Type and id of every transaction that was named, each once."""
        return list(dict.fromkeys(one.key for one in self.seen if one.type))
