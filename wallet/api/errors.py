"""The answer to each outcome of operations on wallets.

Code, sentence and balance (contract 1, Error codes).
"""

from typing import Any

from django.utils.translation import gettext_noop

from lib.http.errors import ErrorCode, Refusal, invalid
from players.api.errors import refusal as refusal_about_players
from players.outcomes import InMaintenance
from wallet.currencies import show
from wallet.outcomes import LedgerRefused, LimitRefused, UnknownCurrency

REFUSALS: dict[str, tuple[ErrorCode, str]] = {
    "unknown_token": (ErrorCode.UNKNOWN_SESSION, gettext_noop("The session token is unknown.")),
    "session_ended": (ErrorCode.UNKNOWN_SESSION, gettext_noop("The session has ended or expired.")),
    "gaming_off": (ErrorCode.PLAYER_BARRED, gettext_noop("Gaming is switched off.")),
    "player_inactive": (
        ErrorCode.PLAYER_BARRED,
        gettext_noop("The player is blocked, self-excluded or closed."),
    ),
    "wallet_frozen": (ErrorCode.PLAYER_BARRED, gettext_noop("Withdrawals from this wallet are frozen.")),
    "insufficient_funds": (ErrorCode.INSUFFICIENT_FUNDS, gettext_noop("The player has insufficient funds.")),
    "foreign_currency": (
        ErrorCode.FOREIGN_CURRENCY,
        gettext_noop("The currency is unknown, or not the session's."),
    ),
    "not_found": (ErrorCode.TRANSACTION_NOT_FOUND, gettext_noop("There is no such transaction.")),
    "already_confirmed": (ErrorCode.ALREADY_CONFIRMED, gettext_noop("The transaction is already confirmed.")),
    "already_rolled_back": (
        ErrorCode.ALREADY_ROLLED_BACK,
        gettext_noop("The transaction is already rolled back."),
    ),
    "already_expired": (
        ErrorCode.EXPIRED,
        gettext_noop("The transaction has expired and was settled as rolled back."),
    ),
    "other_content": (
        ErrorCode.OTHER_CONTENT,
        gettext_noop("The transaction id was used before with other content."),
    ),
    "limit_reached": (ErrorCode.LIMIT_REACHED, gettext_noop("A limit of the wallet is reached.")),
}
# Refused before the ledger is asked, as the call log has it.
MALFORMED = (ErrorCode.INVALID_REQUEST, gettext_noop("The request is malformed."))
# No answer of the contract: HTTP 503, and the call is made again later.
MAINTENANCE = (503, gettext_noop("New transactions are stopped; what has begun is settled."))
# Why a player's limit was not changed.
LIMIT_REFUSALS = {
    "not_found": "There is no such limit.",
    "too_early": "The change cannot be confirmed before its countsAt.",
    "too_many": "The player has too many limits in this currency.",
}
# Whoever may not know of a wallet is told of none.
WITHOUT_BALANCE = frozenset({ErrorCode.OTHER, ErrorCode.INVALID_REQUEST, ErrorCode.UNKNOWN_SESSION})


def answer_to(outcome: str) -> tuple[int, str] | None:
    """The number and the words with which a call of this outcome was answered; None if it succeeded."""
    found = {"malformed": MALFORMED, "maintenance": MAINTENANCE}.get(outcome) or REFUSALS.get(outcome)
    return (int(found[0]), found[1]) if found else None


def refusal(problem: Exception) -> Exception:
    """The Refusal that an outcome is answered with; any other failure as it is."""
    if isinstance(problem, LedgerRefused) and problem.outcome == "maintenance":
        return InMaintenance()
    if isinstance(problem, LedgerRefused):
        return ledger_refusal(problem)
    if isinstance(problem, LimitRefused):
        return invalid(LIMIT_REFUSALS[problem.outcome])
    if isinstance(problem, UnknownCurrency):
        return invalid(f"The currency {problem.code} is unknown.")
    return refusal_about_players(problem)


def ledger_refusal(refused: LedgerRefused) -> Refusal:
    """Code and sentence of the ledger's outcome, with the balance of the wallet, if one is known."""
    code, description = REFUSALS[refused.outcome]
    members: dict[str, Any] = {}
    if refused.balance is not None and code not in WITHOUT_BALANCE:
        members["balance"] = show(refused.balance, refused.currency)
    return Refusal(code, description, **members)
