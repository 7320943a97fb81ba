"""Requests and answers of the API. Generated from its OpenAPI document: `make client-types`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from quantum_wallet import reading
from quantum_wallet.calls import Call
from quantum_wallet.money import Money


def present(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without what is absent."""
    return {name: value for name, value in body.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRequest:
    """balance."""

    uid: str
    currency_code: str

    def body(self) -> dict[str, Any]:
        return present({"uid": self.uid, "currencyCode": self.currency_code})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRequest:
    """confirmWithdrawal, confirmDeposit."""

    token: str = field(repr=False)
    mm_transaction_id: str
    amount: Money | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {"token": self.token, "mmTransactionId": self.mm_transaction_id, "amount": self.amount}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionRequest:
    """endSession."""

    token: str = field(repr=False)

    def body(self) -> dict[str, Any]:
        return present({"token": self.token})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeRequest:
    """exclude."""

    uid: str
    until: datetime | None = None
    confirm: bool | None = None

    def body(self) -> dict[str, Any]:
        return present({"uid": self.uid, "until": self.until, "confirm": self.confirm})


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateRequest:
    """initiate."""

    token: str = field(repr=False)
    cp_order_id: str
    product_id: str
    product_price: Decimal
    currency_code: str
    server_id: int
    ext_params: str | None = None
    return_url: str | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {
                "token": self.token,
                "cpOrderId": self.cp_order_id,
                "productId": self.product_id,
                "productPrice": self.product_price,
                "currencyCode": self.currency_code,
                "serverId": self.server_id,
                "extParams": self.ext_params,
                "returnUrl": self.return_url,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """launch."""

    uid: str
    game: str
    currency_code: str
    language: str | None = None
    ttl_seconds: int | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {
                "uid": self.uid,
                "game": self.game,
                "currencyCode": self.currency_code,
                "language": self.language,
                "ttlSeconds": self.ttl_seconds,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSet:
    """Which limit, and what it is to be: minutes of a limit of time, an amount of any other."""

    kind: str
    window: str | None = None
    game: str | None = None
    amount: Money | None = None
    minutes: int | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {
                "kind": self.kind,
                "window": self.window,
                "game": self.game,
                "amount": self.amount,
                "minutes": self.minutes,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitNamed:
    """Which limit: of all games, if it names none."""

    kind: str
    window: str | None = None
    game: str | None = None

    def body(self) -> dict[str, Any]:
        return present({"kind": self.kind, "window": self.window, "game": self.game})


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsRequest:
    """limits: at most one of the four changes."""

    uid: str
    currency_code: str
    set: LimitSet | None = None
    remove: LimitNamed | None = None
    confirm: LimitNamed | None = None
    cancel: LimitNamed | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {
                "uid": self.uid,
                "currencyCode": self.currency_code,
                "set": self.set and self.set.body(),
                "remove": self.remove and self.remove.body(),
                "confirm": self.confirm and self.confirm.body(),
                "cancel": self.cancel and self.cancel.body(),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """withdraw, deposit."""

    token: str = field(repr=False)
    mm_transaction_id: str
    amount: Money
    tx_description: str | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {
                "token": self.token,
                "mmTransactionId": self.mm_transaction_id,
                "amount": self.amount,
                "txDescription": self.tx_description,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQueryRequest:
    """query."""

    cp_order_id: str

    def body(self) -> dict[str, Any]:
        return present({"cpOrderId": self.cp_order_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPlayerRequest:
    """PUT /entry/players/<uid>."""

    nickname: str | None = None
    country: str | None = None
    language: str | None = None
    status: str | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {
                "nickname": self.nickname,
                "country": self.country,
                "language": self.language,
                "status": self.status,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRequest:
    """queryTransaction."""

    token: str = field(repr=False)
    mm_transaction_id: str
    type: str

    def body(self) -> dict[str, Any]:
        return present({"token": self.token, "mmTransactionId": self.mm_transaction_id, "type": self.type})


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """rollbackWithdrawal, rollbackDeposit."""

    token: str = field(repr=False)
    mm_transaction_id: str
    rollback_reason: str | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {
                "token": self.token,
                "mmTransactionId": self.mm_transaction_id,
                "rollbackReason": self.rollback_reason,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """verifySession, getBalance."""

    token: str = field(repr=False)

    def body(self) -> dict[str, Any]:
        return present({"token": self.token})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRequest:
    """statement."""

    uid: str
    currency_code: str
    before: str | None = None
    limit: int | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {"uid": self.uid, "currencyCode": self.currency_code, "before": self.before, "limit": self.limit}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAnswer:
    """getBalance."""

    balance: Money

    @classmethod
    def read(cls, given: object) -> "BalanceAnswer":
        body = reading.members(given)
        return cls(balance=reading.member(body, "balance", reading.money))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyAnswer:
    """Done."""

    @classmethod
    def read(cls, given: object) -> "EmptyAnswer":
        return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitMessage:
    """A player's limit that has changed, in minutes if it is one of time: neither is no limit."""

    kind: str
    set_by: str
    currency_code: str
    window: str | None = None
    old_amount: Money | None = None
    old_minutes: int | None = None
    amount: Money | None = None
    minutes: int | None = None
    counts_at: datetime | None = None

    @classmethod
    def read(cls, given: object) -> "LimitMessage":
        body = reading.members(given)
        return cls(
            kind=reading.member(body, "kind", reading.text),
            set_by=reading.member(body, "setBy", reading.text),
            currency_code=reading.member(body, "currencyCode", reading.text),
            window=reading.possible(body, "window", reading.optional(reading.text)),
            old_amount=reading.possible(body, "oldAmount", reading.optional(reading.money)),
            old_minutes=reading.possible(body, "oldMinutes", reading.optional(reading.whole)),
            amount=reading.possible(body, "amount", reading.optional(reading.money)),
            minutes=reading.possible(body, "minutes", reading.optional(reading.whole)),
            counts_at=reading.possible(body, "countsAt", reading.optional(reading.time)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage:
    """Something that happened. Members that say nothing of it are absent."""

    id: str
    type: str
    time: datetime
    player_id: str
    is_test: bool
    line: int | None = None
    amount: Money | None = None
    debit: str | None = None
    credit: str | None = None
    balance: Money | None = None
    reserved: Money | None = None
    announced: Money | None = None
    debt: Money | None = None
    game: str | None = None
    mm_transaction_id: str | None = None
    qw_transaction_id: str | None = None
    order_id: str | None = None
    cp_order_id: str | None = None
    old_state: str | None = None
    state: str | None = None
    limit: LimitMessage | None = None

    @classmethod
    def read(cls, given: object) -> "EventMessage":
        body = reading.members(given)
        return cls(
            id=reading.member(body, "id", reading.text),
            type=reading.member(body, "type", reading.text),
            time=reading.member(body, "time", reading.time),
            player_id=reading.member(body, "playerId", reading.text),
            is_test=reading.member(body, "isTest", reading.truth),
            line=reading.possible(body, "line", reading.optional(reading.whole)),
            amount=reading.possible(body, "amount", reading.optional(reading.money)),
            debit=reading.possible(body, "debit", reading.optional(reading.text)),
            credit=reading.possible(body, "credit", reading.optional(reading.text)),
            balance=reading.possible(body, "balance", reading.optional(reading.money)),
            reserved=reading.possible(body, "reserved", reading.optional(reading.money)),
            announced=reading.possible(body, "announced", reading.optional(reading.money)),
            debt=reading.possible(body, "debt", reading.optional(reading.money)),
            game=reading.possible(body, "game", reading.optional(reading.text)),
            mm_transaction_id=reading.possible(body, "mmTransactionId", reading.optional(reading.text)),
            qw_transaction_id=reading.possible(body, "qwTransactionId", reading.optional(reading.text)),
            order_id=reading.possible(body, "orderId", reading.optional(reading.text)),
            cp_order_id=reading.possible(body, "cpOrderId", reading.optional(reading.text)),
            old_state=reading.possible(body, "oldState", reading.optional(reading.text)),
            state=reading.possible(body, "state", reading.optional(reading.text)),
            limit=reading.possible(body, "limit", reading.optional(LimitMessage.read)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsAnswer:
    """In the order of the feed; `next` is the `after` of the following call, null before anything was."""

    events: list[EventMessage]
    next: str | None

    @classmethod
    def read(cls, given: object) -> "EventsAnswer":
        body = reading.members(given)
        return cls(
            events=reading.member(body, "events", reading.many(EventMessage.read)),
            next=reading.member(body, "next", reading.optional(reading.text)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsAnswer:
    """What a player has in one currency; zeros where no wallet was opened."""

    balance: Money
    reserved: Money
    debt: Money

    @classmethod
    def read(cls, given: object) -> "HoldingsAnswer":
        body = reading.members(given)
        return cls(
            balance=reading.member(body, "balance", reading.money),
            reserved=reading.member(body, "reserved", reading.money),
            debt=reading.member(body, "debt", reading.money),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateAnswer:
    """initiate."""

    order_id: str
    payment_url: str
    state: str
    expires_at: datetime

    @classmethod
    def read(cls, given: object) -> "InitiateAnswer":
        body = reading.members(given)
        return cls(
            order_id=reading.member(body, "orderId", reading.text),
            payment_url=reading.member(body, "paymentUrl", reading.text),
            state=reading.member(body, "state", reading.text),
            expires_at=reading.member(body, "expiresAt", reading.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchAnswer:
    """launch. The token is told once and stored nowhere."""

    token: str = field(repr=False)
    launch_url: str
    expires_at: datetime

    @classmethod
    def read(cls, given: object) -> "LaunchAnswer":
        body = reading.members(given)
        return cls(
            token=reading.member(body, "token", reading.text),
            launch_url=reading.member(body, "launchUrl", reading.text),
            expires_at=reading.member(body, "expiresAt", reading.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLimit:
    """What a limit is to become: of both absent, it is to go."""

    amount: Money | None
    minutes: int | None
    counts_at: datetime
    needs_confirmation: bool

    @classmethod
    def read(cls, given: object) -> "PendingLimit":
        body = reading.members(given)
        return cls(
            amount=reading.member(body, "amount", reading.optional(reading.money)),
            minutes=reading.member(body, "minutes", reading.optional(reading.whole)),
            counts_at=reading.member(body, "countsAt", reading.time),
            needs_confirmation=reading.member(body, "needsConfirmation", reading.truth),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitAnswer:
    """A limit as it stands, in minutes if it is one of time; `amount` is absent if none counts yet."""

    kind: str
    window: str | None
    game: str | None
    set_by: str
    amount: Money | None
    minutes: int | None
    used: Money | None
    used_minutes: int | None
    pending: PendingLimit | None

    @classmethod
    def read(cls, given: object) -> "LimitAnswer":
        body = reading.members(given)
        return cls(
            kind=reading.member(body, "kind", reading.text),
            window=reading.member(body, "window", reading.optional(reading.text)),
            game=reading.member(body, "game", reading.optional(reading.text)),
            set_by=reading.member(body, "setBy", reading.text),
            amount=reading.member(body, "amount", reading.optional(reading.money)),
            minutes=reading.member(body, "minutes", reading.optional(reading.whole)),
            used=reading.member(body, "used", reading.optional(reading.money)),
            used_minutes=reading.member(body, "usedMinutes", reading.optional(reading.whole)),
            pending=reading.member(body, "pending", reading.optional(PendingLimit.read)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsAnswer:
    """limits."""

    limits: list[LimitAnswer]

    @classmethod
    def read(cls, given: object) -> "LimitsAnswer":
        body = reading.members(given)
        return cls(limits=reading.member(body, "limits", reading.many(LimitAnswer.read)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQueryAnswer:
    """query. `refunded` is what has been refunded of the price; chargebacks show in the state."""

    order_id: str
    cp_order_id: str
    state: str
    product_id: str
    product_price: Decimal
    currency_code: str
    refunded: Decimal
    delivered_at: datetime | None

    @classmethod
    def read(cls, given: object) -> "OrderQueryAnswer":
        body = reading.members(given)
        return cls(
            order_id=reading.member(body, "orderId", reading.text),
            cp_order_id=reading.member(body, "cpOrderId", reading.text),
            state=reading.member(body, "state", reading.text),
            product_id=reading.member(body, "productId", reading.text),
            product_price=reading.member(body, "productPrice", reading.number),
            currency_code=reading.member(body, "currencyCode", reading.text),
            refunded=reading.member(body, "refunded", reading.number),
            delivered_at=reading.member(body, "deliveredAt", reading.optional(reading.time)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerAnswer:
    """A player as the web front sees it."""

    uid: str
    nickname: str
    country: str
    language: str
    status: str
    excluded_until: str | None = None
    liftable_at: str | None = None

    @classmethod
    def read(cls, given: object) -> "PlayerAnswer":
        body = reading.members(given)
        return cls(
            uid=reading.member(body, "uid", reading.text),
            nickname=reading.member(body, "nickname", reading.text),
            country=reading.member(body, "country", reading.text),
            language=reading.member(body, "language", reading.text),
            status=reading.member(body, "status", reading.text),
            excluded_until=reading.possible(body, "excludedUntil", reading.text),
            liftable_at=reading.possible(body, "liftableAt", reading.text),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAnswer:
    """queryTransaction. A rollback that overtook its opening has no amount."""

    mm_transaction_id: str
    qw_transaction_id: str
    type: str
    state: str
    amount: Money | None
    opened_at: datetime
    settled_at: datetime | None

    @classmethod
    def read(cls, given: object) -> "QueryAnswer":
        body = reading.members(given)
        return cls(
            mm_transaction_id=reading.member(body, "mmTransactionId", reading.text),
            qw_transaction_id=reading.member(body, "qwTransactionId", reading.text),
            type=reading.member(body, "type", reading.text),
            state=reading.member(body, "state", reading.text),
            amount=reading.member(body, "amount", reading.optional(reading.money)),
            opened_at=reading.member(body, "openedAt", reading.time),
            settled_at=reading.member(body, "settledAt", reading.optional(reading.time)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAnswer:
    """verifySession."""

    player_id: str
    nickname: str
    country: str
    language: str
    balance: Money

    @classmethod
    def read(cls, given: object) -> "SessionAnswer":
        body = reading.members(given)
        return cls(
            player_id=reading.member(body, "playerId", reading.text),
            nickname=reading.member(body, "nickname", reading.text),
            country=reading.member(body, "country", reading.text),
            language=reading.member(body, "language", reading.text),
            balance=reading.member(body, "balance", reading.money),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One change of the spendable balance; `amount` is negative where the player could spend less afterwards."""

    what: str
    game: str | None
    amount: Money
    balance_after: Money
    mm_transaction_id: str | None
    qw_transaction_id: str | None
    time: datetime

    @classmethod
    def read(cls, given: object) -> "StatementLine":
        body = reading.members(given)
        return cls(
            what=reading.member(body, "what", reading.text),
            game=reading.member(body, "game", reading.optional(reading.text)),
            amount=reading.member(body, "amount", reading.money),
            balance_after=reading.member(body, "balanceAfter", reading.money),
            mm_transaction_id=reading.member(body, "mmTransactionId", reading.optional(reading.text)),
            qw_transaction_id=reading.member(body, "qwTransactionId", reading.optional(reading.text)),
            time=reading.member(body, "time", reading.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementAnswer:
    """Newest first; `next` is the cursor of the following page."""

    lines: list[StatementLine]
    next: str | None

    @classmethod
    def read(cls, given: object) -> "StatementAnswer":
        body = reading.members(given)
        return cls(
            lines=reading.member(body, "lines", reading.many(StatementLine.read)),
            next=reading.member(body, "next", reading.optional(reading.text)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionAnswer:
    """The six calls that open and settle; `balance` is what is spendable right after the operation."""

    mm_transaction_id: str
    qw_transaction_id: str
    balance: Money

    @classmethod
    def read(cls, given: object) -> "TransactionAnswer":
        body = reading.members(given)
        return cls(
            mm_transaction_id=reading.member(body, "mmTransactionId", reading.text),
            qw_transaction_id=reading.member(body, "qwTransactionId", reading.text),
            balance=reading.member(body, "balance", reading.money),
        )


ENTRY_BALANCE = Call("balance", "POST", "/entry/balance", HoldingsAnswer.read)
ENTRY_END_SESSION = Call("endSession", "POST", "/entry/endSession", EmptyAnswer.read)
ENTRY_EVENTS = Call("events", "GET", "/entry/events", EventsAnswer.read)
ENTRY_EXCLUDE = Call("exclude", "POST", "/entry/exclude", PlayerAnswer.read)
ENTRY_LAUNCH = Call("launch", "POST", "/entry/launch", LaunchAnswer.read)
ENTRY_LIMITS = Call("limits", "POST", "/entry/limits", LimitsAnswer.read)
ENTRY_PLAYERS = Call("players", "PUT", "/entry/players/{uid}", PlayerAnswer.read)
ENTRY_STATEMENT = Call("statement", "POST", "/entry/statement", StatementAnswer.read)
PAYMENTS_INITIATE = Call("initiate", "POST", "/payments/initiate", InitiateAnswer.read)
PAYMENTS_QUERY = Call("query", "POST", "/payments/query", OrderQueryAnswer.read)
WALLET_CONFIRM_DEPOSIT = Call("confirmDeposit", "POST", "/wallet/confirmDeposit", TransactionAnswer.read)
WALLET_CONFIRM_WITHDRAWAL = Call(
    "confirmWithdrawal", "POST", "/wallet/confirmWithdrawal", TransactionAnswer.read
)
WALLET_DEPOSIT = Call("deposit", "POST", "/wallet/deposit", TransactionAnswer.read)
WALLET_GET_BALANCE = Call("getBalance", "POST", "/wallet/getBalance", BalanceAnswer.read)
WALLET_QUERY_TRANSACTION = Call("queryTransaction", "POST", "/wallet/queryTransaction", QueryAnswer.read)
WALLET_ROLLBACK_DEPOSIT = Call("rollbackDeposit", "POST", "/wallet/rollbackDeposit", TransactionAnswer.read)
WALLET_ROLLBACK_WITHDRAWAL = Call(
    "rollbackWithdrawal", "POST", "/wallet/rollbackWithdrawal", TransactionAnswer.read
)
WALLET_VERIFY_SESSION = Call("verifySession", "POST", "/wallet/verifySession", SessionAnswer.read)
WALLET_WITHDRAW = Call("withdraw", "POST", "/wallet/withdraw", TransactionAnswer.read)
