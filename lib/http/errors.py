"""The error codes of the contract (section 1), and the exception that carries one to the answer."""

from enum import IntEnum
from typing import Any


class ErrorCode(IntEnum):
    """What `errorCode` means; 100 is the partner's, the others are ours."""

    OTHER = 100
    INVALID_REQUEST = 101
    UNKNOWN_SESSION = 102
    PLAYER_BARRED = 103
    INSUFFICIENT_FUNDS = 104
    FOREIGN_CURRENCY = 105
    TRANSACTION_NOT_FOUND = 106
    ALREADY_CONFIRMED = 107
    ALREADY_ROLLED_BACK = 108
    EXPIRED = 109
    OTHER_CONTENT = 110
    LIMIT_REACHED = 111


INTERNAL_ERROR = "An unexpected internal error occurred."


class Refusal(Exception):
    """An answer that says no: HTTP 200 with a code, a text for debugging, and further members of the body."""

    def __init__(self, code: ErrorCode, description: str, **members: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.members = members


def invalid(description: str) -> Refusal:
    """The refusal of a request that is malformed (101)."""
    return Refusal(ErrorCode.INVALID_REQUEST, description)
