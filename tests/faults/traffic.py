"""Games that play on while everything breaks.

Each repeats a call until it is answered, and keeps a book of the answers.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from http.client import HTTPException
from typing import Any

from tests.faults.platform_processes import PATIENCE, Platform
from tests.support.callers import Answer, Caller, PlayerSession, unique
from wallet.models import Entry, Transaction

# What a game may see while servers die: an answer, or a word that there is none now. Anything else is a
# failure.
STATUSES = {200, 503}
RETRY_SECONDS = 0.1
OPENINGS = {"withdraw": "withdrawal", "deposit": "deposit"}
ENDINGS = {
    ("withdrawal", "confirmed"): "confirmWithdrawal",
    ("withdrawal", "rolled_back"): "rollbackWithdrawal",
    ("deposit", "confirmed"): "confirmDeposit",
    ("deposit", "rolled_back"): "rollbackDeposit",
}


@dataclass(frozen=True)
class Told:
    """One call that was answered with 200, and that answer."""

    endpoint: str
    mm: str
    amount: str | None
    body: dict[str, Any]
    # When the answer was there, in seconds since 1970.
    at: float


@dataclass
class Player(threading.Thread):
    """A game that plays one player's transactions, each to its end, until it is told to stop."""

    player_session: PlayerSession
    dice: random.Random
    # Between two transactions, in seconds.
    pause: float = 0.0
    book: list[Told] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    problem: str = ""

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.stopping = threading.Event()

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        try:
            while not self.stopping.wait(self.pause):
                self.play()
        except Exception as problem:  # noqa: BLE001 (told by the test, which this thread is no part of)
            self.problem = f"{type(problem).__name__}: {problem}"

    def play(self) -> None:
        """A withdrawal or a deposit, confirmed or rolled back."""
        opening = self.dice.choice(list(OPENINGS))
        mm, amount = unique("mm"), f"0.0{self.dice.randint(1, 9)}"
        self.insist(opening, mm, amount)
        self.insist(ENDINGS[OPENINGS[opening], self.dice.choice(["confirmed", "rolled_back"])], mm, None)

    def insist(self, endpoint: str, mm: str, amount: str | None) -> None:
        """Calls until there is an answer, and writes it down."""
        deadline = time.monotonic() + PATIENCE
        while (answer := self.call(endpoint, mm, amount)).status != 200:
            assert answer.status in STATUSES, (endpoint, answer)
            assert time.monotonic() < deadline, f"{endpoint} was never answered"
            time.sleep(RETRY_SECONDS)
        assert answer.error is None, (endpoint, mm, answer.raw)
        self.book.append(Told(endpoint, mm, amount, answer.body, time.time()))

    def call(self, endpoint: str, mm: str, amount: str | None) -> Answer:
        try:
            answer = self.player_session.call(endpoint, mm, amount)
        except (OSError, HTTPException):  # nobody listens, or the server died while we waited
            answer = Answer(503, {}, b"")
            self.statuses[0] += 1
        else:
            self.statuses[answer.status] += 1
            assert answer.status != 503 or int(answer.headers["retry-after"]) > 0
        return answer


@contextmanager
def playing_on(
    player_sessions: list[PlayerSession], seed: int, pause: float = 0.0, kind: type[Player] = Player
) -> Iterator[list[Player]]:
    """A player for each session until the block ends; then each has finished what it had begun."""
    players = [
        kind(player_session, random.Random(seed + number), pause)
        for number, player_session in enumerate(player_sessions)
    ]
    for player in players:
        player.start()
    try:
        yield players
    finally:
        for player in players:
            player.stopping.set()
        for player in players:
            player.join(PATIENCE)
    assert [player.problem for player in players if player.problem] == []
    assert not any(player.is_alive() for player in players)


def played(players: list[Player]) -> int:
    """How many calls have been answered so far."""
    return sum(len(player.book) for player in players)


def sit_down(platform: Platform, url: str, players: int, funds: int) -> list[PlayerSession]:
    """So many players with `funds` minor units each, who call the server at `url`."""
    return [platform.callers.player_session(funds, url=url) for _ in range(players)]


def is_ready(url: str) -> bool:
    """Whether the server there says that it can serve."""
    try:
        return Caller(None, url=url).send("GET", "/readyz").status == 200
    except OSError:
        return False


# --- Nothing that was answered is lost ----------------------------------------------------------------


def assert_all_kept(players: list[Player], before: int) -> None:
    """As `assert_nothing_lost` for each, from now on without a server in between."""
    for player in players:
        caller = replace(player.player_session.caller, url=None)
        player.player_session = replace(player.player_session, caller=caller)
        assert_nothing_lost(player, before)


def assert_nothing_lost(player: Player, before: int) -> None:
    """Every answer is in the ledger as it was given, nothing else is, and a repeated call gets it again.

    `before`: the funds, in minor units.
    """
    player_session = player.player_session
    ours = {
        (row.type, row.mm_transaction_id): row
        for row in Transaction.objects.filter(player=player_session.player, game=player_session.game)
    }
    balances = dict(Entry.objects.filter(player=player_session.player).values_list("seq", "spendable"))
    for told in player.book:
        row = ours[type_of(told.endpoint), told.mm]
        seq = row.opened_seq if told.endpoint in OPENINGS else row.settled_seq
        assert told.body["qwTransactionId"] == str(row.pk)
        assert seq is not None
        assert told.body["balance"]["amount"] == Decimal(balances[seq]).scaleb(-2), told
        assert repeated(player_session, told, row.state) == told.body
    assert sorted(ours) == sorted({(type_of(told.endpoint), told.mm) for told in player.book})
    signs = {("withdrawal", "confirmed"): -1, ("deposit", "confirmed"): 1}
    moved = sum(signs.get((row.type, row.state), 0) * (row.amount or 0) for row in ours.values())
    assert player_session.holding()[:4] == (before + moved, 0, 0, 0)


def type_of(endpoint: str) -> str:
    return "withdrawal" if "ithdraw" in endpoint else "deposit"


def repeated(player_session: PlayerSession, told: Told, state: str) -> dict[str, Any]:
    """What the same call gets now; an opening of what was rolled back gets another answer by contract 2.3."""
    if told.endpoint in OPENINGS and state == "rolled_back":
        assert player_session.call(told.endpoint, told.mm, told.amount).error == 108
        return told.body
    return player_session.done(told.endpoint, told.mm, told.amount).body
