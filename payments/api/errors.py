"""The answer to each outcome of operations on orders (contract 4.1)."""

from lib.http.errors import ErrorCode, Refusal
from payments.orders.outcomes import OrderOutcome, OrderRefused
from wallet.api.errors import refusal as refusal_about_wallets

REFUSALS: dict[OrderOutcome, tuple[ErrorCode, str]] = {
    OrderOutcome.UNKNOWN_SESSION: (ErrorCode.UNKNOWN_SESSION, "The session token is unknown."),
    OrderOutcome.SESSION_ENDED: (ErrorCode.UNKNOWN_SESSION, "The session has ended or expired."),
    OrderOutcome.OTHER_CONTENT: (
        ErrorCode.OTHER_CONTENT,
        "The order id was used before with other content.",
    ),
    OrderOutcome.UNKNOWN_PRODUCT: (ErrorCode.INVALID_REQUEST, "The product is unknown."),
    OrderOutcome.NOT_ON_SALE: (ErrorCode.INVALID_REQUEST, "The product is not on sale."),
    OrderOutcome.PRICE_MISMATCH: (
        ErrorCode.INVALID_REQUEST,
        "Price mismatch: the product is not sold at this price in this currency.",
    ),
    OrderOutcome.UNDELIVERABLE: (
        ErrorCode.INVALID_REQUEST,
        "The product cannot be delivered: the game has no order URL.",
    ),
    OrderOutcome.FOREIGN_RETURN_URL: (
        ErrorCode.INVALID_REQUEST,
        "returnUrl must be https, of an origin that is registered for this game.",
    ),
    OrderOutcome.LIMIT_REACHED: (ErrorCode.LIMIT_REACHED, "A limit of the player is reached."),
    OrderOutcome.WALLET_FULL: (ErrorCode.LIMIT_REACHED, "The wallet cannot hold that much more."),
    OrderOutcome.NOT_FOUND: (ErrorCode.TRANSACTION_NOT_FOUND, "There is no such order."),
}


def refusal(problem: Exception) -> Exception:
    """The Refusal that an outcome is answered with; any other failure as it is."""
    if isinstance(problem, OrderRefused):
        return Refusal(*REFUSALS[problem.outcome])
    return refusal_about_wallets(problem)
