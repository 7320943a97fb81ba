"""What is sent for each operation, by either client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from quantum_wallet import shapes
from quantum_wallet.calls import Call
from quantum_wallet.transactions import Step, Transaction

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Request(Generic[Answer]):
    """A call with its content. `id` is the game's own, which the answer has to name; `query` stands behind
    the path.
    """

    call: Call[Answer]
    body: Mapping[str, Any]
    id: str = ""
    uid: str = ""
    query: Mapping[str, object] = field(default_factory=dict)

    @property
    def path(self) -> str:
        path = self.call.path.replace("{uid}", quote(self.uid, safe=""))
        return f"{path}?{urlencode(self.query)}" if self.query else path


# --- Wallet ---


def session_check(token: str) -> Request[shapes.SessionAnswer]:
    return Request(shapes.WALLET_VERIFY_SESSION, shapes.SessionRequest(token=token).body())


def balance(token: str) -> Request[shapes.BalanceAnswer]:
    return Request(shapes.WALLET_GET_BALANCE, shapes.SessionRequest(token=token).body())


def opening(one: Transaction) -> Request[shapes.TransactionAnswer]:
    """withdraw or deposit."""
    call = shapes.WALLET_WITHDRAW if one.type == "withdrawal" else shapes.WALLET_DEPOSIT
    asked = shapes.OpenRequest(
        token=one.token,
        mm_transaction_id=one.id,
        amount=one.amount,
        tx_description=one.description or None,
    )
    return Request(call, asked.body(), one.id)


def settlement(one: Transaction) -> Request[shapes.TransactionAnswer]:
    """The call that ends it as its step says. Raises ValueError for one that is only to be opened."""
    match one.step:
        case Step.CONFIRM:
            return confirmation(one)
        case Step.ROLL_BACK:
            return rollback(one)
    raise ValueError(f"{one.id}: store and settle `confirming()` or `rolling_back()` of it")


def confirmation(one: Transaction) -> Request[shapes.TransactionAnswer]:
    call = shapes.WALLET_CONFIRM_WITHDRAWAL if one.type == "withdrawal" else shapes.WALLET_CONFIRM_DEPOSIT
    asked = shapes.ConfirmRequest(token=one.token, mm_transaction_id=one.id, amount=one.amount)
    return Request(call, asked.body(), one.id)


def rollback(one: Transaction) -> Request[shapes.TransactionAnswer]:
    call = shapes.WALLET_ROLLBACK_WITHDRAWAL if one.type == "withdrawal" else shapes.WALLET_ROLLBACK_DEPOSIT
    asked = shapes.RollbackRequest(
        token=one.token, mm_transaction_id=one.id, rollback_reason=one.reason or None
    )
    return Request(call, asked.body(), one.id)


def state_query(one: Transaction) -> Request[shapes.QueryAnswer]:
    asked = shapes.QueryRequest(token=one.token, mm_transaction_id=one.id, type=one.type)
    return Request(shapes.WALLET_QUERY_TRANSACTION, asked.body(), one.id)


# --- Payments ---


def order(asked: shapes.InitiateRequest) -> Request[shapes.InitiateAnswer]:
    return Request(shapes.PAYMENTS_INITIATE, asked.body(), asked.cp_order_id)


def order_query(cp_order_id: str) -> Request[shapes.OrderQueryAnswer]:
    asked = shapes.OrderQueryRequest(cp_order_id=cp_order_id)
    return Request(shapes.PAYMENTS_QUERY, asked.body(), cp_order_id)


# --- Entry ---


def player(uid: str, about: shapes.PutPlayerRequest) -> Request[shapes.PlayerAnswer]:
    return Request(shapes.ENTRY_PLAYERS, about.body(), uid=uid)


def launch(asked: shapes.LaunchRequest) -> Request[shapes.LaunchAnswer]:
    return Request(shapes.ENTRY_LAUNCH, asked.body())


def session_end(token: str) -> Request[shapes.EmptyAnswer]:
    return Request(shapes.ENTRY_END_SESSION, shapes.EndSessionRequest(token=token).body())


def holdings(uid: str, currency: str) -> Request[shapes.HoldingsAnswer]:
    asked = shapes.BalanceRequest(uid=uid, currency_code=currency)
    return Request(shapes.ENTRY_BALANCE, asked.body())


def statement(asked: shapes.StatementRequest) -> Request[shapes.StatementAnswer]:
    return Request(shapes.ENTRY_STATEMENT, asked.body())


def events(after: str | None, limit: int) -> Request[shapes.EventsAnswer]:
    query = {"after": after, "limit": limit} if after else {"limit": limit}
    return Request(shapes.ENTRY_EVENTS, {}, query=query)


def limits(asked: shapes.LimitsRequest) -> Request[shapes.LimitsAnswer]:
    return Request(shapes.ENTRY_LIMITS, asked.body())
