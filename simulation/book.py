"""The book of a game backend: what each of its calls must be answered with.

Written without looking at the platform's code.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulation.client import Reply

WITHDRAWAL, DEPOSIT = "withdrawal", "deposit"
OPEN, CONFIRM, ROLLBACK = "open", "confirm", "rollback"
ENDPOINTS = {
    (OPEN, WITHDRAWAL): "withdraw",
    (CONFIRM, WITHDRAWAL): "confirmWithdrawal",
    (ROLLBACK, WITHDRAWAL): "rollbackWithdrawal",
    (OPEN, DEPOSIT): "deposit",
    (CONFIRM, DEPOSIT): "confirmDeposit",
    (ROLLBACK, DEPOSIT): "rollbackDeposit",
}
# Both currencies of the simulation have two decimals.
DECIMALS = 2
# In minor units: the largest amount, and what a wallet's money together stays below.
LARGEST_AMOUNT = 10**17 - 1
WALLET_BOUND = 10**18


@dataclass(slots=True)
class Session:
    """A session token, and what the book knows of it; `game` is None where no game ever had it."""

    token: str
    game: int | None
    currency: str
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """One call that opens or settles.

    `amount` in minor units of `currency`; `spelled` is how the number is written, where not plainly.
    """

    verb: str
    type: str
    session: Session
    mm: str
    amount: int | None = None
    currency: str = ""
    game: int = 0
    spelled: str = ""
    malformed: bool = False

    @property
    def endpoint(self) -> str:
        return ENDPOINTS[self.verb, self.type]

    @property
    def key(self) -> tuple[int, str, str]:
        """What the transaction id names one transaction within; the player is the book's."""
        return self.game, self.type, self.mm


@dataclass(slots=True)
class Page:
    """A player's money in one currency, in minor units."""

    spendable: int = 0
    reserved: int = 0
    announced: int = 0


@dataclass(slots=True)
class Record:
    """A transaction as the book knows it, with the first answer to its opening and to its end."""

    state: str
    amount: int | None
    currency: str
    qw: str = ""
    answers: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer to a move must say; `balance` in minor units of `currency`.

    `slot` is where the record keeps the answer; one that is there already must come again byte by byte.
    """

    code: int | None = None
    balance: int | None = None
    currency: str = ""
    record: Record | None = None
    slot: str = ""


class Book:
    """The wallets and transactions of one player, all games together."""

    def __init__(self, currencies: tuple[str, ...]) -> None:
        self.pages = {currency: Page() for currency in currencies}
        self.records: dict[tuple[int, str, str], Record] = {}
        self.blocked = False
        self.rules: dict[str, Callable[[Move], Expected]] = {
            OPEN: self.open,
            CONFIRM: self.confirm,
            ROLLBACK: self.roll_back,
        }

    def enter(self, move: Move) -> Expected:
        """Writes down what a move does, and says how it must be answered."""
        if move.malformed:
            return Expected(101)
        if move.session.game != move.game:
            return Expected(102)
        return self.rules[move.verb](move)

    def open(self, move: Move) -> Expected:
        record = self.records.get(move.key)
        if record:
            return self.open_again(move, record)
        leaving = move.type == WITHDRAWAL
        if leaving and move.session.ended:
            return Expected(102)
        if move.currency != move.session.currency:
            return Expected(105)
        if leaving and self.blocked:
            return Expected(103)
        page, amount = self.pages[move.currency], move.amount or 0
        code = self.money_refusal(page, amount, leaving=leaving)
        record = self.records[move.key] = Record("declined" if code else "pending", amount, move.currency)
        if code is None and leaving:
            page.spendable, page.reserved = page.spendable - amount, page.reserved + amount
        elif code is None:
            page.announced += amount
        return Expected(code, page.spendable, move.currency, record, OPEN)

    def money_refusal(self, page: Page, amount: int, *, leaving: bool) -> int | None:
        """104 or 111 where the money, or the room for it, is not there."""
        if leaving:
            return 104 if amount > page.spendable else None
        return 111 if page.spendable + page.reserved + page.announced + amount >= WALLET_BOUND else None

    def open_again(self, move: Move, record: Record) -> Expected:
        if record.state == "rolled_back":
            return Expected(108)
        if (move.currency, move.amount) != (record.currency, record.amount):
            return Expected(110)
        code = None
        if record.state == "declined":
            code = 104 if move.type == WITHDRAWAL else 111
        return Expected(code, None, record.currency, record, OPEN)

    def confirm(self, move: Move) -> Expected:
        record = self.records.get(move.key)
        if record is None or record.state == "declined":
            return Expected(106)
        if record.state == "rolled_back":
            return Expected(108)
        if move.amount is not None and (move.amount, move.currency) != (record.amount, record.currency):
            return Expected(110)
        if record.state == "confirmed":
            return Expected(None, None, record.currency, record, CONFIRM)
        page, amount = self.pages[record.currency], record.amount or 0
        record.state = "confirmed"
        if move.type == WITHDRAWAL:
            page.reserved -= amount
        else:
            page.announced, page.spendable = page.announced - amount, page.spendable + amount
        return Expected(None, page.spendable, record.currency, record, CONFIRM)

    def roll_back(self, move: Move) -> Expected:
        record = self.records.get(move.key)
        if record is None:
            # It overtook its opening, which must now be refused.
            record = self.records[move.key] = Record("rolled_back", None, move.session.currency)
        elif record.state == "confirmed":
            return Expected(107)
        elif record.state == "pending":
            self.give_back(move.type, record)
        known = ROLLBACK in record.answers
        return Expected(
            None, None if known else self.pages[record.currency].spendable, record.currency, record, ROLLBACK
        )

    def give_back(self, type_: str, record: Record) -> None:
        page, amount = self.pages[record.currency], record.amount or 0
        record.state = "rolled_back"
        if type_ == WITHDRAWAL:
            page.reserved, page.spendable = page.reserved - amount, page.spendable + amount
        else:
            page.announced -= amount


def major(minor: int) -> str:
    """Minor units as the text of major units, with the decimals that answers print."""
    return f"{minor // 10**DECIMALS}.{minor % 10**DECIMALS:0{DECIMALS}d}"


def shown(reply: Reply, name: str = "balance") -> str:
    """An amount of an answer as text, such as `770.00 XAG`; exactly the digits that were sent."""
    money = reply.body.get(name)
    return f"{money.get('amount')} {money.get('currencyCode')}" if isinstance(money, dict) else "no amount"


def complaint(move: Move, expected: Expected, reply: Reply) -> str | None:
    """What is wrong with the answer to a move, or None. A right one is filed in the record."""
    if reply.status != 200 or reply.code != expected.code:
        return f"expected {'success' if expected.code is None else f'errorCode {expected.code}'}"
    if expected.balance is not None and shown(reply) != f"{major(expected.balance)} {expected.currency}":
        return f"expected the balance {major(expected.balance)} {expected.currency}"
    record = expected.record
    if record is None:
        return None
    first = record.answers.setdefault(expected.slot, reply.raw)
    if first != reply.raw:
        return f"expected the first answer again, {first.decode(errors='replace')}"
    return None if expected.code else complaint_of_ids(move, record, reply)


def complaint_of_ids(move: Move, record: Record, reply: Reply) -> str | None:
    """Both ids of a success: the game's own, and ours, the same in every answer about one transaction."""
    if reply.body.get("mmTransactionId") != move.mm:
        return f"expected the mmTransactionId {move.mm}"
    qw = reply.body.get("qwTransactionId")
    if not isinstance(qw, str) or not qw:
        return "expected a qwTransactionId"
    record.qw = record.qw or qw
    return None if qw == record.qw else f"expected the qwTransactionId {record.qw}"
