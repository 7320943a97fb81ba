"""The calls of the scripted wallet: a request's bytes to an answer, as the contract has it (1, 2, 4.1)."""

import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clients.kit.wallet import amounts
from clients.kit.wallet.amounts import DECIMALS, MOST_DECIMALS, InvalidAmount, to_minor
from clients.kit.wallet.book import Body, Book, Content, Refused
from clients.kit.wallet.orders import Orders
from clients.kit.wallet.record import CONFIRMATIONS, OPENINGS, ROLLBACKS

ID = re.compile(r"[!-~]{1,64}")
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MOST_BYTES = 64 * 1024
EXTRA: Body = {"notes": None, "tags": ["new", 7], "details": {"amount": "not this one", "deep": [[]]}}


def basic(username: str, password: str) -> str:
    """The value of an `Authorization` header."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


@dataclass
class Api:
    """A player's wallet with its login; who calls holds the lock. `url` is where players would pay."""

    book: Book
    username: str
    password: str = field(repr=False)
    url: str = ""
    orders: Orders = field(default_factory=Orders)
    has_extra_fields: bool = False

    def calls(self) -> dict[str, Callable[[Body], Body]]:
        """What each path does."""
        wallet: dict[str, Callable[[Body], Body]] = {
            "verifySession": self.verify_session,
            "getBalance": self.get_balance,
            "queryTransaction": self.query_transaction,
            **{name: self.opening(type) for name, type in OPENINGS.items()},
            **{name: self.confirmation(type) for name, type in CONFIRMATIONS.items()},
            **{name: self.rollback(type) for name, type in ROLLBACKS.items()},
        }
        named = {f"/wallet/{name}": call for name, call in wallet.items()}
        return named | {"/payments/initiate": self.initiate, "/payments/query": self.orders.query}

    def objection(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> tuple[int, str]:
        """Why a request is not looked at: a status and the reason; 0 if it is (contract 1.1 to 1.6)."""
        wanted = basic(self.username, self.password).encode()
        if not hmac.compare_digest(headers.get("authorization", "").encode(), wanted):
            return 401, "Authorization is missing or wrong."
        if path not in self.calls():
            return 404, "There is no such call."
        if method != "POST":
            return 405, "Calls are POST."
        return (413, "The body is longer than 64 KiB.") if len(raw) > MOST_BYTES else (0, "")

    def answer(self, path: str, headers: Mapping[str, str], raw: bytes) -> Body:
        """The body of the answer; a refusal has an errorCode."""
        try:
            body = read_body(headers, raw)
            said = self.calls()[path](body)
        except Refused as refusal:
            said = refusal.body
        return said | EXTRA if self.has_extra_fields else said

    # --- Wallet ---

    def verify_session(self, body: Body) -> Body:
        self.require_session(body)
        told = {"playerId": self.book.player, "nickname": "Anna", "country": "AT", "language": "de"}
        return told | {"balance": self.book.balance()}

    def get_balance(self, body: Body) -> Body:
        self.require_session(body)
        return {"balance": self.book.balance()}

    def require_session(self, body: Body) -> None:
        self.require_token(body)
        self.book.check_session()

    def require_token(self, body: Body) -> None:
        token = body.get("token")
        if not isinstance(token, str) or not UUID_TEXT.fullmatch(token):
            raise Refused(101, "token must be a UUID.")
        self.book.check_token(token)

    def opening(self, type: str) -> Callable[[Body], Body]:
        def open(body: Body) -> Body:
            id, content = read_id(body), read_content(body)
            self.require_token(body)
            return self.book.open(type, id, content)

        return open

    def confirmation(self, type: str) -> Callable[[Body], Body]:
        def confirm(body: Body) -> Body:
            id, content = read_id(body), read_content(body) if "amount" in body else None
            self.require_token(body)
            return self.book.confirm(type, id, content)

        return confirm

    def rollback(self, type: str) -> Callable[[Body], Body]:
        def roll_back(body: Body) -> Body:
            id = read_id(body)
            self.require_token(body)
            return self.book.roll_back(type, id)

        return roll_back

    def query_transaction(self, body: Body) -> Body:
        id, type = read_id(body), str(body.get("type"))
        if type not in OPENINGS.values():
            raise Refused(101, "type must be withdrawal or deposit.")
        self.require_token(body)
        return self.book.query(type, id)

    # --- Payments ---

    def initiate(self, body: Body) -> Body:
        self.require_session(body)
        return self.orders.initiate(body, self.url)


def read_body(headers: Mapping[str, str], raw: bytes) -> Body:
    """The request's object. Raises 101."""
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused(101, "Content-Type must be application/json.")
    try:
        return amounts.read(raw)
    except ValueError as problem:
        raise Refused(101, f"The body is no JSON object: {problem}.") from problem


def read_id(body: Body) -> str:
    """The game's id. Raises 101."""
    id = body.get("mmTransactionId")
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise Refused(101, "mmTransactionId must be 1 to 64 printable ASCII characters without spaces.")
    return id


def read_content(body: Body) -> Content:
    """The amount that a request names. Raises 101."""
    told: Any = body.get("amount")
    code = told.get("currencyCode") if isinstance(told, dict) else None
    if not isinstance(code, str):
        raise Refused(101, "amount must be an object with amount and currencyCode.")
    try:
        return Content(to_minor(told.get("amount"), DECIMALS.get(code, MOST_DECIMALS)), code)
    except InvalidAmount as problem:
        raise Refused(101, f"amount.amount {problem}.") from problem
