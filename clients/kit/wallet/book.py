"""The scripted wallet's money: one player's wallet and transactions, in memory (contract 2.1 to 2.3)."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clients.kit.wallet.amounts import WALLET_BOUND, show

Body = dict[str, Any]
WITHDRAWAL, DEPOSIT = "withdrawal", "deposit"
PENDING, CONFIRMED, ROLLED_BACK, EXPIRED, DECLINED = (
    *("pending", "confirmed", "rolled_back", "expired"),
    "declined",
)
TEXTS = {
    100: "An unexpected internal error occurred.",
    101: "The request is invalid.",
    102: "The session token is unknown, ended or expired.",
    103: "The player is blocked.",
    104: "The player has insufficient funds.",
    105: "The currency is unknown, or not the session's.",
    106: "There is no such transaction.",
    107: "The transaction is already confirmed.",
    108: "The transaction is already rolled back.",
    109: "The transaction has expired and was settled as rolled back.",
    110: "The transaction id was used before with other content.",
    111: "A limit is reached.",
}


class Refused(Exception):
    """An answer that says no; `members` stand beside the code."""

    def __init__(self, code: int, text: str = "", **members: Any) -> None:
        super().__init__(code)
        self.code = code
        self.body: Body = {"errorCode": code, "errorDescription": text or TEXTS[code], **members}


@dataclass(frozen=True, slots=True)
class Content:
    """What an opening asks for; minor units."""

    amount: int
    currency: str


@dataclass
class Transaction:
    """One withdrawal or deposit, with the answers that later calls get. A tombstone has no content."""

    type: str
    id: str
    content: Content | None
    state: str = PENDING
    qw_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    opened: Body = field(default_factory=dict)
    settled: Body = field(default_factory=dict)
    opened_at: str = field(default_factory=lambda: timestamp())
    settled_at: str | None = None


def timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Book:
    """A player with a session and a wallet; who calls holds the lock. Amounts are minor units.

    `limit`: what exceeds it is refused with 111.
    """

    currency: str = "XAG"
    spendable: int = 100_00
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    player: str = "anna"
    is_live: bool = True
    is_blocked: bool = False
    limit: int | None = None
    reserved: int = 0
    announced: int = 0
    transactions: dict[tuple[str, str], Transaction] = field(default_factory=dict)

    # --- Sessions ---

    def check_token(self, token: object) -> None:
        """Raises 102 for a token that never was."""
        if not isinstance(token, str) or token.lower() != self.token:
            raise Refused(102)

    def check_session(self) -> None:
        """Raises 102 if the session has ended."""
        if not self.is_live:
            raise Refused(102)

    def balance(self) -> Body:
        return show(self.spendable, self.currency)

    def refused(self, code: int) -> Refused:
        """A refusal with the balance of now, as all have it from 103 on."""
        return Refused(code, balance=self.balance())

    # --- Opening ---

    def open(self, type: str, id: str, content: Content) -> Body:
        """The answer to withdraw or deposit. Raises Refused."""
        known = self.transactions.get((type, id))
        if known:
            return self.open_again(known, content)
        if type == WITHDRAWAL:
            self.check_session()
        if content.currency != self.currency:
            raise self.refused(105)
        if type == WITHDRAWAL and self.is_blocked:
            raise self.refused(103)
        made = self.transactions[type, id] = Transaction(type, id, content)
        code = self.objection(type, content.amount)
        if code:
            made.state, made.settled_at = DECLINED, timestamp()
            made.opened = self.refused(code).body
            raise remembered(made.opened)
        self.move(made, opening=True)
        made.opened = self.success(made)
        return made.opened

    def open_again(self, known: Transaction, content: Content) -> Body:
        """The answer for an id that is known, by the table of contract 2.3. Raises Refused."""
        if known.state in (ROLLED_BACK, EXPIRED):
            raise self.refused(108 if known.state == ROLLED_BACK else 109)
        if known.content != content:
            raise self.refused(110)
        if known.state == DECLINED:
            raise remembered(known.opened)
        return known.opened

    def objection(self, type: str, amount: int) -> int:
        """Why that much money cannot move: 111, 104, or 0."""
        held = self.spendable + self.reserved + self.announced
        is_beyond = type == DEPOSIT and held + amount >= WALLET_BOUND
        if is_beyond or (self.limit is not None and amount > self.limit):
            return 111
        return 104 if type == WITHDRAWAL and amount > self.spendable else 0

    def success(self, one: Transaction) -> Body:
        return {"mmTransactionId": one.id, "qwTransactionId": one.qw_id, "balance": self.balance()}

    # --- Ending ---

    def confirm(self, type: str, id: str, content: Content | None) -> Body:
        """The answer to a confirmation; `content` if it names an amount. Raises Refused."""
        known = self.transactions.get((type, id))
        if known is None or known.state == DECLINED:
            raise self.refused(106)
        if known.state in (ROLLED_BACK, EXPIRED):
            raise self.refused(108 if known.state == ROLLED_BACK else 109)
        if content is not None and content != known.content:
            raise self.refused(110)
        return self.settle(known, CONFIRMED)

    def roll_back(self, type: str, id: str) -> Body:
        """The answer to a rollback. Raises Refused."""
        known = self.transactions.get((type, id))
        if known is None:
            # A rollback can overtake its opening.
            known = self.transactions[type, id] = Transaction(type, id, None, ROLLED_BACK)
            known.settled, known.settled_at = self.success(known), known.opened_at
        if known.state == CONFIRMED:
            raise self.refused(107)
        if known.state == DECLINED:
            known.settled = known.settled or self.success(known)
        return known.settled if known.state != PENDING else self.settle(known, ROLLED_BACK)

    def settle(self, known: Transaction, state: str) -> Body:
        """Ends what is pending, whoever wants it; the answer of whoever ended it."""
        if known.state == PENDING:
            known.state, known.settled_at = state, timestamp()
            self.move(known, opening=False)
            known.settled = self.success(known)
        return known.settled

    def move(self, one: Transaction, *, opening: bool) -> None:
        """Moves the money of one step."""
        amount = one.content.amount if one.content else 0
        if one.type == WITHDRAWAL:
            self.reserved += amount if opening else -amount
        else:
            self.announced += amount if opening else -amount
        if one.type == WITHDRAWAL and opening:
            self.spendable -= amount
        elif not opening and (one.type == WITHDRAWAL) != (one.state == CONFIRMED):
            self.spendable += amount

    def query(self, type: str, id: str) -> Body:
        """The answer to queryTransaction. Raises Refused."""
        known = self.transactions.get((type, id))
        if known is None:
            raise self.refused(106)
        told = {"mmTransactionId": id, "qwTransactionId": known.qw_id, "type": type, "state": known.state}
        amount = show(known.content.amount, known.content.currency) if known.content else None
        return told | {"amount": amount, "openedAt": known.opened_at, "settledAt": known.settled_at}


def remembered(body: Body) -> Refused:
    """A refusal as it was given the first time."""
    again = Refused(body["errorCode"])
    again.body = body
    return again
