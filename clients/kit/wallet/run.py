"""A scenario under way: the wallet that plays it, and what was seen."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clients.kit.wallet.api import Api
from clients.kit.wallet.book import EXPIRED, ROLLED_BACK, Body, Book, Content
from clients.kit.wallet.faults import Act, act_for
from clients.kit.wallet.record import Record, Seen
from clients.kit.wallet.scenarios import Scenario

# What a game's tests may wait for, in seconds of the contract's schedule.
LATE_SECONDS = 60.0
RETRY_AFTER = 7
# How long the first of two answers waits for a second request.
SWAP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Options:
    """How the scripted wallet is set up.

    `scale`: how long a second of the contract's schedule lasts; `slack`: how many true seconds later than due
    a repetition may come.
    """

    username: str = "game"
    password: str = field(default="secret", repr=False)
    scale: float = 1.0
    slack: float = 2.0
    query_url: str = ""
    query_username: str = "platform"
    query_password: str = field(default="secret", repr=False)
    delivery_url: str = ""
    delivery_secret: str = field(default="", repr=False)


@dataclass
class Run:
    """One scenario, from when it was chosen."""

    scenario: Scenario
    options: Options
    api: Api
    record: Record = field(default_factory=Record)
    lock: threading.RLock = field(default_factory=threading.RLock)
    # What the game was called for last, so that a repetition is the same.
    called: dict[str, str] = field(default_factory=dict)

    @property
    def book(self) -> Book:
        return self.api.book

    def act(self, one: Seen) -> Act:
        """What the script wants of a request; answers are swapped for the first transaction alone."""
        act = act_for(self.scenario.faults, one.call, one.number)
        is_first = one.key == next(iter(self.record.transactions()), None)
        return Act.NOTHING if act == Act.SWAP_ANSWERS and not is_first else act

    def prepare(self, one: Seen, act: Act) -> None:
        """What the platform does of its own accord before it looks at a request."""
        with self.lock:
            known = self.book.transactions.get(one.key)
            if act == Act.CONTRADICT and one.type:
                self.book.open(one.type, one.id, Content(1, self.book.currency))
            elif known and act == Act.EXPIRE_FIRST:
                self.book.settle(known, EXPIRED)
            elif known and act == Act.ROLL_BACK_FIRST:
                self.book.settle(known, ROLLED_BACK)

    def answer(self, path: str, headers: Mapping[str, str], raw: bytes, act: Act) -> Body:
        """Does what a request asks, and what the script adds to it."""
        with self.lock:
            said = self.api.answer(path, headers, raw)
            if act == Act.DOUBLE_REQUEST:
                said = self.api.answer(path, headers, raw)
            if act == Act.END_SESSION:
                self.book.is_live = False
        return said

    def wait_for_next(self, one: Seen) -> None:
        """Returns when a request of another transaction has been answered, or after a while."""

        def is_answered() -> bool:
            return any(other.is_whole and other.key != one.key for other in self.record.of(one.call))

        self.record.wait(is_answered, max(1.0, SWAP_SECONDS * self.options.scale))

    def states(self) -> dict[tuple[str, str], str]:
        """How each transaction stands."""
        with self.lock:
            return {key: one.state for key, one in self.book.transactions.items()}


def start_run(scenario: Scenario, options: Options, *, url: str, tell: Callable[[Seen], None]) -> Run:
    """A new player with the scenario's money, whom the game has not seen before."""
    book = Book(spendable=scenario.funds, limit=scenario.limit, is_blocked=scenario.is_blocked)
    api = Api(book, options.username, options.password, url, has_extra_fields=scenario.has_extra_fields)
    return Run(scenario, options, api, Record(tell=tell))
