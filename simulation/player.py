"""One player of the simulation.

Makes the calls of the games and of the web front, and checks each answer against the book.
"""

import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulation.book import OPEN, ROLLBACK, Book, Expected, Move, Session, complaint, major, shown
from simulation.client import Connection, Party, Reply
from simulation.tally import Tally

CURRENCIES = ("XAG", "EUR")
# A session of a second, and when it has surely expired.
SHORT_TTL_SECONDS, EXPIRED_AFTER_SECONDS = 1, 1.3
# The largest everyday amount, what a player begins with at least, and what is paid in when that runs out; in
# minor units.
EVERYDAY, FUNDS, TOP_UP = 20_000, 100_000, 100_000
COUNTRIES, LANGUAGES = ("AT", "DE", "FR", "GB"), ("de", "de-AT", "fr", "en")


class Wrong(Exception):
    """The server's answer is not what the book expects."""


@dataclass(frozen=True, slots=True)
class World:
    """Who speaks in a simulation, and what its ids begin with."""

    run: str
    games: tuple[Party, Party]
    platform: Party
    tally: Tally


@dataclass(frozen=True, slots=True)
class Hands:
    """A worker's connections: one for its calls, and one more for what is sent at the same instant."""

    first: Connection
    second: Connection


class Player:
    """A player, the sessions that are open, and the book. Amounts are in minor units."""

    def __init__(self, number: int, world: World, seed: int) -> None:
        self.uid = f"sim-{world.run}-{number}"
        self.world = world
        self.book = Book(CURRENCIES)
        self.rng = random.Random(f"{seed}/{number}")  # noqa: S311 (a game, not a secret)
        self.nickname = f"Simulated {number}"
        self.country, self.language = self.rng.choice(COUNTRIES), self.rng.choice(LANGUAGES)
        self.sessions: dict[tuple[int, str], Session] = {}
        self.short: dict[str, tuple[Session, float]] = {}
        self.left: list[Move] = []
        self.ids = 0
        self.is_made = self.is_ready = False
        self.hands: Hands

    # --- the web front ---

    def make(self) -> None:
        """Creates the player, and a wallet with money in each currency."""
        attributes = {
            "nickname": self.nickname,
            "country": self.country,
            "language": self.language,
            "status": "active",
        }
        reply = self.front("PUT", f"players/{self.uid}", **attributes)
        self.require(
            reply.body == {"uid": self.uid, **attributes},
            reply,
            "PUT players",
            "expected the player as it was sent",
        )
        self.is_made = True
        for currency in CURRENCIES:
            self.pay_in(currency, FUNDS + int(self.rng.random() * FUNDS))
            self.short[currency] = self.short_session(currency)
        self.is_ready = True

    def front(self, method: str, call: str, **members: Any) -> Reply:
        """A call of the web front that must succeed."""
        reply = self.hands.first.call(self.world.platform, f"/entry/{call}", json.dumps(members), method)
        self.require(reply.status == 200 and reply.code is None, reply, call, "expected success")
        return reply

    def launch(self, game: int, currency: str, ttl_seconds: int | None = None) -> Session:
        """A new session."""
        ttl = {} if ttl_seconds is None else {"ttlSeconds": ttl_seconds}
        reply = self.front(
            "POST", "launch", uid=self.uid, game=self.world.games[game].slug, currencyCode=currency, **ttl
        )
        token = reply.body.get("token")
        self.require(
            isinstance(token, str) and token in str(reply.body.get("launchUrl")),
            reply,
            "launch",
            "expected a token, in the launchUrl too",
        )
        return Session(str(token), game, currency)

    def session(self, game: int, currency: str) -> Session:
        """A live session, launched where there is none."""
        found = self.sessions.get((game, currency))
        if found is None or found.ended:
            found = self.sessions[game, currency] = self.launch(game, currency)
        return found

    def end(self, session: Session) -> None:
        """Ends a session; twice, for that is the same."""
        for _ in range(2):
            reply = self.front("POST", "endSession", token=session.token)
            self.require(reply.body == {}, reply, "endSession", "expected {}")
        session.ended = True

    def set_status(self, status: str) -> None:
        reply = self.front("PUT", f"players/{self.uid}", status=status)
        self.require(
            reply.body.get("status") == status, reply, "PUT players", f"expected the status {status}"
        )
        self.book.blocked = status != "active"

    def expired_session(self, currency: str) -> Session:
        """A session of the first game whose time is over.

        The next one is begun ahead, so that nobody waits for it.
        """
        session, over_at = self.short[currency]
        self.short[currency] = self.short_session(currency)
        time.sleep(max(0.0, over_at - time.monotonic()))
        session.ended = True
        return session

    def short_session(self, currency: str) -> tuple[Session, float]:
        """A session that expires at once, and the moment (monotonic) when it surely has."""
        return self.launch(0, currency, SHORT_TTL_SECONDS), time.monotonic() + EXPIRED_AFTER_SECONDS

    # --- the games ---

    def new_id(self) -> str:
        """A transaction id that was never used."""
        self.ids += 1
        return f"{self.uid}-{self.ids}"

    def amount(self, currency: str) -> int:
        """An everyday amount that the wallet can pay."""
        if self.book.pages[currency].spendable < EVERYDAY:
            self.pay_in(currency, TOP_UP)
        # One draw, whatever the balance: so a seed tells the same story however a race before it ended.
        return 1 + int(self.rng.random() * EVERYDAY)

    def pay_in(self, currency: str, amount: int) -> None:
        """A deposit and its confirmation, beside the story."""
        move = self.opening("deposit", self.session(0, currency), amount)
        self.play(move)
        self.play(self.settling("confirm", move))

    def opening(self, type_: str, session: Session, amount: int, mm: str = "") -> Move:
        """The call that opens a transaction, under a new id where none is given."""
        return Move(OPEN, type_, session, mm or self.new_id(), amount, session.currency, session.game or 0)

    def settling(self, verb: str, opening: Move, *, with_amount: bool = True) -> Move:
        """The call that confirms or rolls back what `opening` opens."""
        amount = opening.amount if with_amount and verb != ROLLBACK else None
        return Move(verb, opening.type, opening.session, opening.mm, amount, opening.currency, opening.game)

    def play(self, move: Move) -> Reply:
        """Sends a move, and checks its answer."""
        reply = self.send(self.hands.first, move)
        self.judge(move, reply)
        return reply

    def send(self, connection: Connection, move: Move) -> Reply:
        members: dict[str, str] = {"token": move.session.token, "mmTransactionId": move.mm}
        members |= {"rollbackReason": "The round was cancelled."} if move.verb == ROLLBACK else {}
        members |= {"txDescription": "Round of a simulated game"} if move.verb == OPEN else {}
        body = json.dumps(members)
        if move.spelled or move.amount is not None:
            number = move.spelled or major(move.amount or 0)
            body = f'{body[:-1]}, "amount": {{"amount": {number}, "currencyCode": "{move.currency}"}}}}'
        return connection.call(self.world.games[move.game], f"/wallet/{move.endpoint}", body)

    def judge(self, move: Move, reply: Reply) -> Expected:
        """Writes a move into the book and compares the answer. Raises Wrong."""
        expected = self.book.enter(move)
        problem = complaint(move, expected, reply)
        self.require(problem is None, reply, f"{move.endpoint} {move.mm}", problem or "")
        return expected

    def at_once(self, first: Move, second: Move, first_won: Callable[[Reply, Reply], bool]) -> None:
        """Sends two moves at the same instant over two connections.

        `first_won` tells from the answers which came first.
        """
        replies: list[Reply | BaseException] = [Wrong("nothing was sent"), Wrong("nothing was sent")]
        start = threading.Barrier(2)

        def send(place: int, connection: Connection, move: Move) -> None:
            start.wait()
            try:
                replies[place] = self.send(connection, move)
            except BaseException as problem:  # noqa: BLE001 (raised again by the thread that asked)
                replies[place] = problem

        beside = threading.Thread(target=send, args=(1, self.hands.second, second), daemon=True)
        beside.start()
        send(0, self.hands.first, first)
        beside.join()
        one, other = replies
        if isinstance(one, BaseException):
            raise one
        if isinstance(other, BaseException):
            raise other
        pairs = [(first, one), (second, other)]
        for move, reply in pairs if first_won(one, other) else reversed(pairs):
            self.judge(move, reply)

    def twice_at_once(self, move: Move) -> None:
        """One move, sent twice at the same instant: both answers are the same, byte by byte."""
        self.at_once(move, move, lambda one, other: True)

    def read(self, call: str, session: Session, game: int | None = None, **members: str) -> Reply:
        """A call that only reads, with the error checked.

        102 for a token that is not that game's or not live.
        """
        caller = session.game or 0 if game is None else game
        reply = self.hands.first.call(
            self.world.games[caller], f"/wallet/{call}", json.dumps({"token": session.token, **members})
        )
        is_dead = session.game != caller or (session.ended and call != "queryTransaction")
        right = reply.status == 200 and reply.code == (102 if is_dead else None)
        self.require(right, reply, call, "expected errorCode 102" if is_dead else "expected success")
        return reply

    def check_session(self, session: Session) -> None:
        """getBalance and verifySession say what the book says."""
        balance = f"{major(self.book.pages[session.currency].spendable)} {session.currency}"
        for call in ("getBalance", "verifySession"):
            reply = self.read(call, session)
            self.require(shown(reply) == balance, reply, call, f"expected the balance {balance}")
        who = [reply.body.get(name) for name in ("playerId", "nickname", "country", "language")]
        self.require(
            who == [self.uid, self.nickname, self.country, self.language],
            reply,
            "verifySession",
            "expected the player",
        )

    def check_query(self, move: Move) -> None:
        """queryTransaction says what the book says."""
        record = self.book.records[move.key]
        reply = self.read(
            "queryTransaction", move.session, move.game, mmTransactionId=move.mm, type=move.type
        )
        known = [reply.body.get(name) for name in ("mmTransactionId", "type", "state")]
        self.require(
            known == [move.mm, move.type, record.state],
            reply,
            "queryTransaction",
            f"expected the state {record.state}",
        )
        amount = "no amount" if record.amount is None else f"{major(record.amount)} {record.currency}"
        self.require(
            shown(reply, "amount") == amount, reply, "queryTransaction", f"expected the amount {amount}"
        )
        is_open = reply.body.get("settledAt") is None
        self.require(
            is_open == (record.state == "pending"),
            reply,
            "queryTransaction",
            "expected settledAt where it is settled",
        )
        same = not record.qw or reply.body.get("qwTransactionId") == record.qw
        self.require(same, reply, "queryTransaction", f"expected the qwTransactionId {record.qw}")

    # --- the end ---

    def compare(self) -> list[str]:
        """The differences between the book's balances and the server's, as sentences."""
        return [problem for currency in CURRENCIES for problem in self.compare_wallet(currency)]

    def compare_wallet(self, currency: str) -> list[str]:
        page, found = self.book.pages[currency], {}
        reply = self.front("POST", "balance", uid=self.uid, currencyCode=currency)
        found["spendable by the entry API"] = shown(reply), page.spendable
        found["reserved"] = shown(reply, "reserved"), page.reserved
        found["debt"] = shown(reply, "debt"), 0
        if not self.book.blocked:
            found["spendable by getBalance"] = (
                shown(self.read("getBalance", self.session(0, currency))),
                page.spendable,
            )
        self.world.tally.compared(len(found))
        return [
            f"{self.uid}: {name} is {said} at the server, {major(expected)} {currency} in the book"
            for name, (said, expected) in found.items()
            if said != f"{major(expected)} {currency}"
        ]

    def require(self, right: bool, reply: Reply, what: str, wanted: str) -> None:
        """Counts a check. Raises Wrong where it fails."""
        self.world.tally.checked()
        if not right:
            raise Wrong(
                f"{self.uid}: {what}: {wanted}, got HTTP {reply.status} "
                f"{reply.raw[:300].decode(errors='replace')}"
            )


def unknown_session(rng: random.Random, currency: str) -> Session:
    """A token that nobody ever had."""
    return Session(str(uuid.UUID(int=rng.getrandbits(128), version=4)), None, currency)
