"""What a game backend sends, and how each part is read (contract 1 and 2)."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lib.http.errors import invalid
from players.api.requests import Token
from wallet.currencies import decimals_of
from wallet.money import MOST_DECIMALS, InvalidAmount, to_minor

CURRENCY_CODE = re.compile(r"[A-Z0-9]{2,12}\Z")

MmTransactionId = Annotated[
    str,
    Meta(
        pattern=r"^[!-~]{1,64}\Z",
        description="The game's own transaction id: 1 to 64 printable ASCII characters without spaces.",
        extra_json_schema={"pattern": "^[!-~]{1,64}$"},
    ),
]
OptionalText = Annotated[
    Any,
    Meta(
        description="Never a reason to refuse: cleaned, and 255 characters of it are kept.",
        extra_json_schema={"type": "string"},
    ),
]


class AmountIn(msgspec.Struct):
    """An amount in major units, exact."""

    amount: Annotated[
        Any,
        Meta(
            description="Greater than zero, a whole number of minor units.",
            extra_json_schema={"type": "number"},
        ),
    ]
    currencyCode: str  # noqa: N815 (the partner's name)


class SessionRequest(msgspec.Struct):
    """verifySession, getBalance."""

    token: Token


class OpenRequest(msgspec.Struct):
    """withdraw, deposit."""

    token: Token
    mmTransactionId: MmTransactionId  # noqa: N815
    amount: AmountIn
    txDescription: OptionalText = ""  # noqa: N815


class ConfirmRequest(msgspec.Struct):
    """confirmWithdrawal, confirmDeposit."""

    token: Token
    mmTransactionId: MmTransactionId  # noqa: N815
    amount: AmountIn | UnsetType = UNSET


class RollbackRequest(msgspec.Struct):
    """rollbackWithdrawal, rollbackDeposit."""

    token: Token
    mmTransactionId: MmTransactionId  # noqa: N815
    rollbackReason: OptionalText = ""  # noqa: N815


class QueryRequest(msgspec.Struct):
    """queryTransaction."""

    token: Token
    mmTransactionId: MmTransactionId  # noqa: N815
    type: Annotated[
        str, Meta(pattern=r"^(withdrawal|deposit)\Z", extra_json_schema={"enum": ["withdrawal", "deposit"]})
    ]


def read_amount(given: AmountIn) -> tuple[int, str]:
    """Minor units and currency. Raises 101.

    An unknown currency is not refused here: that comes later in the contract's order (105).
    """
    # What cannot be a code is no currency's: the ledger's columns would not take it.
    code = given.currencyCode if CURRENCY_CODE.match(given.currencyCode) else ""
    decimals = decimals_of(code)
    try:
        return to_minor(given.amount, MOST_DECIMALS if decimals is None else decimals), code
    except InvalidAmount as problem:
        raise invalid(f"amount.amount {problem}") from problem
