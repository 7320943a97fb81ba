"""Requests and answers of the API. Generated from its OpenAPI document: `make client-types`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from quantum_wallet import wire
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
    summary: bool | None = None

    def body(self) -> dict[str, Any]:
        return present(
            {
                "uid": self.uid,
                "currencyCode": self.currency_code,
                "before": self.before,
                "limit": self.limit,
                "summary": self.summary,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAnswer:
    """getBalance."""

    balance: Money

    @classmethod
    def read(cls, given: object) -> "BalanceAnswer":
        body = wire.members(given)
        return cls(balance=wire.member(body, "balance", wire.money))


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
        body = wire.members(given)
        return cls(
            kind=wire.member(body, "kind", wire.text),
            set_by=wire.member(body, "setBy", wire.text),
            currency_code=wire.member(body, "currencyCode", wire.text),
            window=wire.possible(body, "window", wire.optional(wire.text)),
            old_amount=wire.possible(body, "oldAmount", wire.optional(wire.money)),
            old_minutes=wire.possible(body, "oldMinutes", wire.optional(wire.whole)),
            amount=wire.possible(body, "amount", wire.optional(wire.money)),
            minutes=wire.possible(body, "minutes", wire.optional(wire.whole)),
            counts_at=wire.possible(body, "countsAt", wire.optional(wire.time)),
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
        body = wire.members(given)
        return cls(
            id=wire.member(body, "id", wire.text),
            type=wire.member(body, "type", wire.text),
            time=wire.member(body, "time", wire.time),
            player_id=wire.member(body, "playerId", wire.text),
            is_test=wire.member(body, "isTest", wire.truth),
            line=wire.possible(body, "line", wire.optional(wire.whole)),
            amount=wire.possible(body, "amount", wire.optional(wire.money)),
            debit=wire.possible(body, "debit", wire.optional(wire.text)),
            credit=wire.possible(body, "credit", wire.optional(wire.text)),
            balance=wire.possible(body, "balance", wire.optional(wire.money)),
            reserved=wire.possible(body, "reserved", wire.optional(wire.money)),
            announced=wire.possible(body, "announced", wire.optional(wire.money)),
            debt=wire.possible(body, "debt", wire.optional(wire.money)),
            game=wire.possible(body, "game", wire.optional(wire.text)),
            mm_transaction_id=wire.possible(body, "mmTransactionId", wire.optional(wire.text)),
            qw_transaction_id=wire.possible(body, "qwTransactionId", wire.optional(wire.text)),
            order_id=wire.possible(body, "orderId", wire.optional(wire.text)),
            cp_order_id=wire.possible(body, "cpOrderId", wire.optional(wire.text)),
            old_state=wire.possible(body, "oldState", wire.optional(wire.text)),
            state=wire.possible(body, "state", wire.optional(wire.text)),
            limit=wire.possible(body, "limit", wire.optional(LimitMessage.read)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsAnswer:
    """In the order of the feed; `next` is the `after` of the following call, null before anything was."""

    events: list[EventMessage]
    next: str | None

    @classmethod
    def read(cls, given: object) -> "EventsAnswer":
        body = wire.members(given)
        return cls(
            events=wire.member(body, "events", wire.many(EventMessage.read)),
            next=wire.member(body, "next", wire.optional(wire.text)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsAnswer:
    """What a player has in one currency; zeros where no wallet was opened."""

    balance: Money
    reserved: Money
    debt: Money

    @classmethod
    def read(cls, given: object) -> "HoldingsAnswer":
        body = wire.members(given)
        return cls(
            balance=wire.member(body, "balance", wire.money),
            reserved=wire.member(body, "reserved", wire.money),
            debt=wire.member(body, "debt", wire.money),
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
        body = wire.members(given)
        return cls(
            order_id=wire.member(body, "orderId", wire.text),
            payment_url=wire.member(body, "paymentUrl", wire.text),
            state=wire.member(body, "state", wire.text),
            expires_at=wire.member(body, "expiresAt", wire.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchAnswer:
    """launch. The token is told once and stored nowhere."""

    token: str = field(repr=False)
    launch_url: str
    expires_at: datetime

    @classmethod
    def read(cls, given: object) -> "LaunchAnswer":
        body = wire.members(given)
        return cls(
            token=wire.member(body, "token", wire.text),
            launch_url=wire.member(body, "launchUrl", wire.text),
            expires_at=wire.member(body, "expiresAt", wire.time),
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
        body = wire.members(given)
        return cls(
            amount=wire.member(body, "amount", wire.optional(wire.money)),
            minutes=wire.member(body, "minutes", wire.optional(wire.whole)),
            counts_at=wire.member(body, "countsAt", wire.time),
            needs_confirmation=wire.member(body, "needsConfirmation", wire.truth),
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
        body = wire.members(given)
        return cls(
            kind=wire.member(body, "kind", wire.text),
            window=wire.member(body, "window", wire.optional(wire.text)),
            game=wire.member(body, "game", wire.optional(wire.text)),
            set_by=wire.member(body, "setBy", wire.text),
            amount=wire.member(body, "amount", wire.optional(wire.money)),
            minutes=wire.member(body, "minutes", wire.optional(wire.whole)),
            used=wire.member(body, "used", wire.optional(wire.money)),
            used_minutes=wire.member(body, "usedMinutes", wire.optional(wire.whole)),
            pending=wire.member(body, "pending", wire.optional(PendingLimit.read)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsAnswer:
    """limits."""

    limits: list[LimitAnswer]

    @classmethod
    def read(cls, given: object) -> "LimitsAnswer":
        body = wire.members(given)
        return cls(limits=wire.member(body, "limits", wire.many(LimitAnswer.read)))


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
        body = wire.members(given)
        return cls(
            order_id=wire.member(body, "orderId", wire.text),
            cp_order_id=wire.member(body, "cpOrderId", wire.text),
            state=wire.member(body, "state", wire.text),
            product_id=wire.member(body, "productId", wire.text),
            product_price=wire.member(body, "productPrice", wire.number),
            currency_code=wire.member(body, "currencyCode", wire.text),
            refunded=wire.member(body, "refunded", wire.number),
            delivered_at=wire.member(body, "deliveredAt", wire.optional(wire.time)),
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
        body = wire.members(given)
        return cls(
            uid=wire.member(body, "uid", wire.text),
            nickname=wire.member(body, "nickname", wire.text),
            country=wire.member(body, "country", wire.text),
            language=wire.member(body, "language", wire.text),
            status=wire.member(body, "status", wire.text),
            excluded_until=wire.possible(body, "excludedUntil", wire.text),
            liftable_at=wire.possible(body, "liftableAt", wire.text),
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
        body = wire.members(given)
        return cls(
            mm_transaction_id=wire.member(body, "mmTransactionId", wire.text),
            qw_transaction_id=wire.member(body, "qwTransactionId", wire.text),
            type=wire.member(body, "type", wire.text),
            state=wire.member(body, "state", wire.text),
            amount=wire.member(body, "amount", wire.optional(wire.money)),
            opened_at=wire.member(body, "openedAt", wire.time),
            settled_at=wire.member(body, "settledAt", wire.optional(wire.time)),
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
        body = wire.members(given)
        return cls(
            player_id=wire.member(body, "playerId", wire.text),
            nickname=wire.member(body, "nickname", wire.text),
            country=wire.member(body, "country", wire.text),
            language=wire.member(body, "language", wire.text),
            balance=wire.member(body, "balance", wire.money),
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
        body = wire.members(given)
        return cls(
            what=wire.member(body, "what", wire.text),
            game=wire.member(body, "game", wire.optional(wire.text)),
            amount=wire.member(body, "amount", wire.money),
            balance_after=wire.member(body, "balanceAfter", wire.money),
            mm_transaction_id=wire.member(body, "mmTransactionId", wire.optional(wire.text)),
            qw_transaction_id=wire.member(body, "qwTransactionId", wire.optional(wire.text)),
            time=wire.member(body, "time", wire.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedGame:
    """What was spent and won in a game in one month, once confirmed; corrections count in their own month."""

    game: str
    spent: Money
    won: Money

    @classmethod
    def read(cls, given: object) -> "PlayedGame":
        body = wire.members(given)
        return cls(
            game=wire.member(body, "game", wire.text),
            spent=wire.member(body, "spent", wire.money),
            won=wire.member(body, "won", wire.money),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedMonth:
    """A month in the platform's time zone, and the games that money went to or came from."""

    month: str
    games: list[PlayedGame]

    @classmethod
    def read(cls, given: object) -> "PlayedMonth":
        body = wire.members(given)
        return cls(
            month=wire.member(body, "month", wire.text),
            games=wire.member(body, "games", wire.many(PlayedGame.read)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementSummary:
    """The last 12 months, the present one first; and for life what payments credited, and what was taken
    back of that."""

    months: list[PlayedMonth]
    paid_in: Money
    refunded: Money

    @classmethod
    def read(cls, given: object) -> "StatementSummary":
        body = wire.members(given)
        return cls(
            months=wire.member(body, "months", wire.many(PlayedMonth.read)),
            paid_in=wire.member(body, "paidIn", wire.money),
            refunded=wire.member(body, "refunded", wire.money),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementAnswer:
    """Newest first; `next` is the cursor of the following page. The summary is there if it was asked for."""

    lines: list[StatementLine]
    next: str | None
    summary: StatementSummary | None = None

    @classmethod
    def read(cls, given: object) -> "StatementAnswer":
        body = wire.members(given)
        return cls(
            lines=wire.member(body, "lines", wire.many(StatementLine.read)),
            next=wire.member(body, "next", wire.optional(wire.text)),
            summary=wire.possible(body, "summary", StatementSummary.read),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionAnswer:
    """The six calls that open and settle; `balance` is what is spendable right after the operation."""

    mm_transaction_id: str
    qw_transaction_id: str
    balance: Money

    @classmethod
    def read(cls, given: object) -> "TransactionAnswer":
        body = wire.members(given)
        return cls(
            mm_transaction_id=wire.member(body, "mmTransactionId", wire.text),
            qw_transaction_id=wire.member(body, "qwTransactionId", wire.text),
            balance=wire.member(body, "balance", wire.money),
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
