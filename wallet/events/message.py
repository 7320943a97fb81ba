"""An event as others are told of it, in the feed and in pushes."""

from typing import Annotated

import msgspec
from msgspec import Meta

from wallet.money import Money

Id = Annotated[str, Meta(description="The same whenever and however the event is told.")]
Type = Annotated[
    str,
    Meta(
        description="What it is about and what happened: withdrawal.opened, wallet.frozen, "
        "order.paid, player.status_changed, … There will be more."
    ),
]
Time = Annotated[
    str,
    Meta(
        description="RFC 3339, UTC. Events are in the order of the feed, not of times.",
        extra_json_schema={"format": "date-time"},
    ),
]
Uid = Annotated[str, Meta(description="The platform's uid of the player.")]
IsTest = Annotated[bool, Meta(description="Whether the player is one for tests: not in reports.")]
Line = Annotated[
    int, Meta(description="The number of the line in the wallet's journal: 1, 2, 3, … without a gap.")
]
Account = Annotated[
    str,
    Meta(
        description="spendable, reserved, debt: the wallet's. game_revenue, game_payout, adjustments, "
        "provider_clearing, issuance, write_off: the house's."
    ),
]
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class LimitMessage(msgspec.Struct, omit_defaults=True):
    """A player's limit that has changed, in minutes if it is one of time: neither is no limit."""

    kind: Annotated[str, Meta(description="deposit, spend, loss, single, balance or time.")]
    setBy: Annotated[str, Meta(description="Whose it is: player or operator.")]  # noqa: N815
    currencyCode: str  # noqa: N815
    window: Annotated[str, Meta(description="day, week, month or rolling, if it has one.")] | None = None
    oldAmount: Money | None = None  # noqa: N815
    oldMinutes: int | None = None  # noqa: N815
    amount: Money | None = None
    minutes: int | None = None
    countsAt: Annotated[Time, Meta(description="Of what waits: from when on it counts.")] | None = None  # noqa: N815


class EventMessage(msgspec.Struct, omit_defaults=True):
    """Something that happened. Members that say nothing of it are absent."""

    id: Id
    type: Type
    time: Time
    playerId: Uid  # noqa: N815
    isTest: IsTest  # noqa: N815
    # A line of a wallet's journal: what moved from where to where, and what the wallet holds after it.
    line: Line | None = None
    amount: Money | None = None
    debit: Account | None = None
    credit: Account | None = None
    balance: Annotated[Money, Meta(description="Spendable after it.")] | None = None
    reserved: Money | None = None
    announced: Money | None = None
    debt: Money | None = None
    game: str | None = None
    mmTransactionId: str | None = None  # noqa: N815
    qwTransactionId: Uuid | None = None  # noqa: N815
    orderId: Uuid | None = None  # noqa: N815
    cpOrderId: str | None = None  # noqa: N815
    oldState: str | None = None  # noqa: N815
    state: str | None = None
    limit: LimitMessage | None = None
