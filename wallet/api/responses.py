"""What the wallet API and the entry API answer (contract 2 and 3); also the source of their description."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

Time = Annotated[str, Meta(description="RFC 3339, UTC.", extra_json_schema={"format": "date-time"})]
UuidText = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class Money(msgspec.Struct):
    """An amount in major units, exact, with the currency's own number of decimals."""

    amount: Annotated[Decimal, Meta(extra_json_schema={"type": "number"})]
    currencyCode: str  # noqa: N815 (the partner's name)


class ErrorAnswer(msgspec.Struct, omit_defaults=True):
    """An answer that says no."""

    errorCode: Annotated[int, Meta(ge=100, le=111)]  # noqa: N815
    errorDescription: Annotated[str, Meta(description="For debugging.")]  # noqa: N815
    balance: Money | None = None


class SessionAnswer(msgspec.Struct):
    """verifySession."""

    playerId: Annotated[str, Meta(description="The platform's uid of the player.")]  # noqa: N815
    nickname: str
    country: str
    language: str
    balance: Money


class BalanceAnswer(msgspec.Struct):
    """getBalance."""

    balance: Money


class TransactionAnswer(msgspec.Struct):
    """The six calls that open and settle; `balance` is what is spendable right after the operation."""

    mmTransactionId: str  # noqa: N815
    qwTransactionId: UuidText  # noqa: N815
    balance: Money


class QueryAnswer(msgspec.Struct):
    """queryTransaction. A rollback that overtook its opening has no amount."""

    mmTransactionId: str  # noqa: N815
    qwTransactionId: UuidText  # noqa: N815
    type: Annotated[str, Meta(extra_json_schema={"enum": ["withdrawal", "deposit"]})]
    state: Annotated[
        str, Meta(extra_json_schema={"enum": ["pending", "confirmed", "rolled_back", "expired", "declined"]})
    ]
    amount: Money | None
    openedAt: Time  # noqa: N815
    settledAt: Time | None  # noqa: N815


class PlayerAnswer(msgspec.Struct):
    """A player as the web front sees it."""

    uid: str
    nickname: str
    country: str
    language: str
    status: str


class LaunchAnswer(msgspec.Struct):
    """launch. The token is told once and stored nowhere."""

    token: UuidText
    launchUrl: Annotated[str, Meta(description="The game's entry point with token, lang and currency.")]  # noqa: N815
    expiresAt: Time  # noqa: N815


class EmptyAnswer(msgspec.Struct):
    """Done."""


class HoldingsAnswer(msgspec.Struct):
    """What a player has in one currency; zeros where no wallet was opened."""

    balance: Money
    reserved: Money
    debt: Money


class StatementLine(msgspec.Struct):
    """One change of the spendable balance; `amount` is negative where the player could spend less afterwards."""

    what: Annotated[
        str, Meta(description="The transaction's type and the event: withdrawal_opened, deposit_confirmed, …")
    ]
    game: str | None
    amount: Money
    balanceAfter: Money  # noqa: N815
    mmTransactionId: str | None  # noqa: N815
    qwTransactionId: UuidText | None  # noqa: N815
    time: Time


class StatementAnswer(msgspec.Struct):
    """Newest first; `next` is the cursor of the following page."""

    lines: list[StatementLine]
    next: str | None
