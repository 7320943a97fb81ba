"""What the wallet API and the entry API answer (contract 2 and 3); also the source of their description."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lib.http.responses import ErrorAnswer
from wallet.events.message import EventMessage
from wallet.money import Money

Time = Annotated[str, Meta(description="RFC 3339, UTC.", extra_json_schema={"format": "date-time"})]
UuidText = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class WalletErrorAnswer(ErrorAnswer, omit_defaults=True):
    """An answer that says no. From 103 on it tells what is spendable in the wallet that it is about."""

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


class LaunchAnswer(msgspec.Struct):
    """launch. The token is told once and stored nowhere."""

    token: UuidText
    launchUrl: Annotated[str, Meta(description="The game's entry point with token, lang and currency.")]  # noqa: N815
    expiresAt: Time  # noqa: N815


class HoldingsAnswer(msgspec.Struct):
    """What a player has in one currency; zeros where no wallet was opened."""

    balance: Money
    reserved: Money
    debt: Money


class StatementLine(msgspec.Struct):
    "One change of the spendable balance; `amount` is negative where the player could spend less afterwards."

    what: Annotated[
        str, Meta(description="The transaction's type and the event: withdrawal_opened, deposit_confirmed, …")
    ]
    game: str | None
    amount: Money
    balanceAfter: Money  # noqa: N815
    mmTransactionId: str | None  # noqa: N815
    qwTransactionId: UuidText | None  # noqa: N815
    time: Time


class PlayedGame(msgspec.Struct):
    """What was spent and won in a game in one month, once confirmed; corrections count in their own month."""

    game: str
    spent: Money
    won: Money


class PlayedMonth(msgspec.Struct):
    """A month in the platform's time zone, and the games that money went to or came from."""

    month: Annotated[str, Meta(description="YYYY-MM.")]
    games: list[PlayedGame]


class StatementSummary(msgspec.Struct):
    """The last 12 months, the present one first; and for life what payments credited, and what was taken
    back of that.
    """

    months: list[PlayedMonth]
    paidIn: Money  # noqa: N815
    refunded: Money


class StatementAnswer(msgspec.Struct):
    """Newest first; `next` is the cursor of the following page. The summary is there if it was asked for."""

    lines: list[StatementLine]
    next: str | None
    summary: StatementSummary | UnsetType = UNSET


class EventsAnswer(msgspec.Struct):
    """In the order of the feed; `next` is the `after` of the following call, null before anything was."""

    events: list[EventMessage]
    next: str | None


class PendingLimit(msgspec.Struct):
    """What a limit is to become: of both absent, it is to go."""

    amount: Money | None
    minutes: int | None
    countsAt: Annotated[  # noqa: N815
        str,
        Meta(
            description="When it counts, or from when on it can be confirmed. RFC 3339, UTC.",
            extra_json_schema={"format": "date-time"},
        ),
    ]
    needsConfirmation: bool  # noqa: N815


class LimitAnswer(msgspec.Struct):
    """A limit as it stands, in minutes if it is one of time; `amount` is absent if none counts yet."""

    kind: Annotated[
        str, Meta(extra_json_schema={"enum": ["deposit", "spend", "loss", "single", "balance", "time"]})
    ]
    window: str | None
    game: str | None
    setBy: Annotated[str, Meta(extra_json_schema={"enum": ["player", "operator"]})]  # noqa: N815
    amount: Money | None
    minutes: int | None
    used: Money | None
    usedMinutes: int | None  # noqa: N815
    pending: PendingLimit | None


class LimitsAnswer(msgspec.Struct):
    """limits."""

    limits: list[LimitAnswer]
