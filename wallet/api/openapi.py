"""The wallet API's examples and refusals for the OpenAPI document; amounts as the partner prints them."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from lib.http.errors import ErrorCode as Code
from lib.http.openapi import View, described
from lib.http.responses import ErrorAnswer
from players.api.openapi import ENTRY, TOKEN
from wallet.api import requests, responses
from wallet.api.errors import WITHOUT_BALANCE

MM_ID = "6f1ad9f4-3d0c-4b59-a0a5-0a2c0fa4a7a1"
QW_ID = "01a1fd11-a0e1-7d3a-88a2-ae2720c2b199"
AMOUNT = {"amount": 230.00, "currencyCode": "XAG"}
BALANCE = {"amount": 770.00, "currencyCode": "XAG"}
SETTLED = {"mmTransactionId": MM_ID, "qwTransactionId": QW_ID, "balance": BALANCE}

OPEN_REFUSALS = (
    Code.INVALID_REQUEST,
    Code.UNKNOWN_SESSION,
    Code.FOREIGN_CURRENCY,
    Code.ALREADY_ROLLED_BACK,
    Code.EXPIRED,
    Code.OTHER_CONTENT,
    Code.LIMIT_REACHED,
)
WITHDRAW_REFUSALS = (*OPEN_REFUSALS, Code.PLAYER_BARRED, Code.INSUFFICIENT_FUNDS)
CONFIRM_REFUSALS = (
    *(Code.INVALID_REQUEST, Code.UNKNOWN_SESSION, Code.TRANSACTION_NOT_FOUND),
    *(Code.ALREADY_ROLLED_BACK, Code.EXPIRED, Code.OTHER_CONTENT),
)
ROLLBACK_REFUSALS = (Code.INVALID_REQUEST, Code.UNKNOWN_SESSION, Code.ALREADY_CONFIRMED)
SESSION_REFUSALS = (Code.INVALID_REQUEST, Code.UNKNOWN_SESSION)

Decorator = Callable[[View], View]


def wallet_call(**parts: Any) -> Decorator[Any]:
    """A call of a game backend."""
    return described(tag="Wallet API", error=responses.WalletErrorAnswer, adds=example_balance, **parts)


def example_balance(code: Code) -> dict[str, Any]:
    """The balance in the example of a refusal."""
    return {} if code in WITHOUT_BALANCE else {"balance": {"amount": 10.0, "currencyCode": "XAG"}}


def entry_call(**parts: Any) -> Decorator[Any]:
    """A call of the platform's web front."""
    return described(tag=ENTRY, error=ErrorAnswer, **parts)


verify_session = wallet_call(
    request=requests.SessionRequest,
    answer=responses.SessionAnswer,
    refusals=SESSION_REFUSALS,
    sends={"token": TOKEN},
    gets={"playerId": "demo-anna", "nickname": "Anna", "country": "AT", "language": "de", "balance": BALANCE},
)
get_balance = wallet_call(
    request=requests.SessionRequest,
    answer=responses.BalanceAnswer,
    refusals=SESSION_REFUSALS,
    sends={"token": TOKEN},
    gets={"balance": BALANCE},
)
withdraw = wallet_call(
    request=requests.OpenRequest,
    answer=responses.TransactionAnswer,
    refusals=WITHDRAW_REFUSALS,
    sends={"token": TOKEN, "mmTransactionId": MM_ID, "amount": AMOUNT, "txDescription": "A pack of gems"},
    gets=SETTLED,
)
deposit = wallet_call(
    request=requests.OpenRequest,
    answer=responses.TransactionAnswer,
    refusals=OPEN_REFUSALS,
    sends={"token": TOKEN, "mmTransactionId": MM_ID, "amount": AMOUNT, "txDescription": "Daily bonus"},
    gets=SETTLED,
)
confirm = wallet_call(
    request=requests.ConfirmRequest,
    answer=responses.TransactionAnswer,
    refusals=CONFIRM_REFUSALS,
    sends={"token": TOKEN, "mmTransactionId": MM_ID, "amount": AMOUNT},
    gets=SETTLED,
)
rollback = wallet_call(
    request=requests.RollbackRequest,
    answer=responses.TransactionAnswer,
    refusals=ROLLBACK_REFUSALS,
    sends={"token": TOKEN, "mmTransactionId": MM_ID, "rollbackReason": "The goods could not be handed out"},
    gets=SETTLED,
)
query_transaction = wallet_call(
    request=requests.QueryRequest,
    answer=responses.QueryAnswer,
    refusals=(Code.INVALID_REQUEST, Code.UNKNOWN_SESSION, Code.TRANSACTION_NOT_FOUND),
    sends={"token": TOKEN, "mmTransactionId": MM_ID, "type": "withdrawal"},
    gets={
        "mmTransactionId": MM_ID,
        "qwTransactionId": QW_ID,
        "type": "withdrawal",
        "state": "pending",
        "amount": AMOUNT,
        "openedAt": "2026-11-21T12:00:00.000Z",
        "settledAt": None,
    },
)


def launch(request: type[Any]) -> Decorator[Any]:
    """POST /entry/launch."""
    return entry_call(
        request=request,
        answer=responses.LaunchAnswer,
        refusals=(Code.INVALID_REQUEST, Code.PLAYER_BARRED),
        sends={"uid": "demo-anna", "game": "starfall", "currencyCode": "XAG", "language": "de"},
        gets={
            "token": TOKEN,
            "launchUrl": f"https://starfall.example/play?token={TOKEN}&lang=de&currency=XAG",
            "expiresAt": "2026-11-22T12:00:00.000Z",
        },
    )


def balance(request: type[Any]) -> Decorator[Any]:
    """POST /entry/balance."""
    zero = {"amount": 0.00, "currencyCode": "XAG"}
    return entry_call(
        request=request,
        answer=responses.HoldingsAnswer,
        refusals=(Code.INVALID_REQUEST,),
        sends={"uid": "demo-anna", "currencyCode": "XAG"},
        gets={"balance": BALANCE, "reserved": AMOUNT, "debt": zero},
    )


def statement(request: type[Any]) -> Decorator[Any]:
    """POST /entry/statement."""
    line = {
        "what": "withdrawal_opened",
        "game": "starfall",
        "amount": {"amount": -230.00, "currencyCode": "XAG"},
        "balanceAfter": BALANCE,
        "mmTransactionId": MM_ID,
        "qwTransactionId": QW_ID,
        "time": "2026-11-21T12:00:00.000Z",
    }
    return entry_call(
        request=request,
        answer=responses.StatementAnswer,
        refusals=(Code.INVALID_REQUEST,),
        sends={"uid": "demo-anna", "currencyCode": "XAG", "limit": 50},
        gets={"lines": [line], "next": "17"},
    )


EVENT = {
    "id": "01a1fd11-a0e0-7c11-9c55-3f2a9d1e0a44-17",
    "type": "withdrawal.opened",
    "time": "2026-11-21T12:00:00.000Z",
    "playerId": "demo-anna",
    "isTest": False,
    "line": 17,
    "amount": AMOUNT,
    "debit": "spendable",
    "credit": "reserved",
    "balance": BALANCE,
    "reserved": AMOUNT,
    "announced": {"amount": 0.00, "currencyCode": "XAG"},
    "debt": {"amount": 0.00, "currencyCode": "XAG"},
    "game": "starfall",
    "mmTransactionId": MM_ID,
    "qwTransactionId": QW_ID,
}
events = described(
    tag=ENTRY,
    method="get",
    request=None,
    answer=responses.EventsAnswer,
    error=ErrorAnswer,
    refusals=(Code.INVALID_REQUEST,),
    parameters=(
        OpenApiParameter(
            "after", str, description="The `next` of an earlier answer; absent: all that is kept."
        ),
        OpenApiParameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
            description="At most.",
        ),
    ),
    sends={},
    gets={"events": [EVENT], "next": "20261121-48213-5c0a7e11"},
)


def limits(request: type[Any]) -> Decorator[Any]:
    """POST /entry/limits."""
    bound = {"kind": "spend", "window": "day", "amount": AMOUNT}
    shown = {
        "kind": "spend",
        "window": "day",
        "game": None,
        "setBy": "player",
        "amount": {"amount": 100.00, "currencyCode": "XAG"},
        "minutes": None,
        "used": {"amount": 40.00, "currencyCode": "XAG"},
        "usedMinutes": None,
        "pending": {
            "amount": AMOUNT,
            "minutes": None,
            "countsAt": "2026-11-22T12:00:00.000Z",
            "needsConfirmation": False,
        },
    }
    return entry_call(
        request=request,
        answer=responses.LimitsAnswer,
        refusals=(Code.INVALID_REQUEST,),
        sends={"uid": "demo-anna", "currencyCode": "XAG", "set": bound},
        gets={"limits": [shown]},
    )
