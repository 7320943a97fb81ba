"""What operations on orders end with instead of success, in the domain's words."""

from enum import StrEnum


class OrderOutcome(StrEnum):
    """Why no order was started or found."""

    UNKNOWN_SESSION = "unknown_session"
    SESSION_ENDED = "session_ended"
    OTHER_CONTENT = "other_content"
    UNKNOWN_PRODUCT = "unknown_product"
    NOT_ON_SALE = "not_on_sale"
    PRICE_MISMATCH = "price_mismatch"
    UNDELIVERABLE = "undeliverable"
    FOREIGN_RETURN_URL = "foreign_return_url"
    WALLET_FULL = "wallet_full"
    LIMIT_REACHED = "limit_reached"
    NOT_FOUND = "not_found"


class OrderRefused(Exception):
    """Nothing has changed."""

    def __init__(self, outcome: OrderOutcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome
