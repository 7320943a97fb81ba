"""Which answer each outcome of the ledger is (contract 1, Error codes)."""

from typing import Any

from lib.http.errors import ErrorCode, Refusal
from wallet.currencies import show
from wallet.ledger import Answer

REFUSALS: dict[str, tuple[ErrorCode, str]] = {
    "unknown_token": (ErrorCode.UNKNOWN_SESSION, "The session token is unknown."),
    "session_ended": (ErrorCode.UNKNOWN_SESSION, "The session has ended or expired."),
    "player_inactive": (ErrorCode.PLAYER_BARRED, "The player is blocked, self-excluded or closed."),
    "wallet_frozen": (ErrorCode.PLAYER_BARRED, "Withdrawals from this wallet are frozen."),
    "insufficient_funds": (ErrorCode.INSUFFICIENT_FUNDS, "The player has insufficient funds."),
    "foreign_currency": (ErrorCode.FOREIGN_CURRENCY, "The currency is unknown, or not the session's."),
    "not_found": (ErrorCode.TRANSACTION_NOT_FOUND, "There is no such transaction."),
    "already_confirmed": (ErrorCode.ALREADY_CONFIRMED, "The transaction is already confirmed."),
    "already_rolled_back": (ErrorCode.ALREADY_ROLLED_BACK, "The transaction is already rolled back."),
    # As the games are told of a declined withdrawal: there is nothing to settle.
    "already_declined": (
        ErrorCode.TRANSACTION_NOT_FOUND,
        "The transaction was declined: there is nothing to settle.",
    ),
    "already_expired": (ErrorCode.EXPIRED, "The transaction has expired and was settled as rolled back."),
    "other_content": (ErrorCode.OTHER_CONTENT, "The transaction id was used before with other content."),
    "limit_reached": (ErrorCode.LIMIT_REACHED, "A limit of the wallet is reached."),
}
# Refused for money: the answer shows the balance.
WITH_BALANCE = frozenset({"insufficient_funds", "limit_reached"})


def refusal(answer: Answer) -> Refusal:
    """The refusal that an outcome of the ledger is answered with."""
    code, description = REFUSALS[answer.outcome]
    members: dict[str, Any] = (
        {"balance": show(answer.balance, answer.currency)} if answer.outcome in WITH_BALANCE else {}
    )
    return Refusal(code, description, **members)
