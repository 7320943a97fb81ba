"""What a game sends about orders, and what it is answered (contract 4.1)."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lib.http.errors import invalid
from lib.names import holds_refused
from players.api.requests import Token
from wallet.api.responses import Time, UuidText

STATES = ["created", "paid", "delivered", "failed", "expired", "refunded", "charged_back"]
CpOrderId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="The game's own id of the order: 1 to 64 characters, none of control.",
    ),
]
ProductId = Annotated[str, Meta(min_length=1, max_length=64)]
Number = Annotated[
    Any, Meta(description="A JSON number, exact, in major units.", extra_json_schema={"type": "number"})
]
State = Annotated[str, Meta(extra_json_schema={"enum": STATES})]


class InitiateRequest(msgspec.Struct):
    """initiate."""

    token: Token
    cpOrderId: CpOrderId  # noqa: N815 (the partner's names)
    productId: ProductId  # noqa: N815
    productPrice: Number  # noqa: N815
    currencyCode: str  # noqa: N815
    serverId: Annotated[Any, Meta(extra_json_schema={"type": "integer"})]  # noqa: N815
    extParams: (  # noqa: N815
        Annotated[str, Meta(max_length=1024, description="Handed on to the game with the delivery.")]
        | UnsetType
    ) = UNSET
    returnUrl: (  # noqa: N815
        Annotated[
            str,
            Meta(
                max_length=2000,
                description=(
                    "Where the player comes back to: https, an origin that is registered for the game."
                ),
            ),
        ]
        | UnsetType
    ) = UNSET


class InitiateAnswer(msgspec.Struct):
    """initiate."""

    orderId: UuidText  # noqa: N815
    paymentUrl: Annotated[str, Meta(description="Where the player pays.")]  # noqa: N815
    state: State
    expiresAt: Time  # noqa: N815


class OrderQueryRequest(msgspec.Struct):
    """query."""

    cpOrderId: CpOrderId  # noqa: N815


class OrderQueryAnswer(msgspec.Struct):
    """query. `refunded` is what has been refunded of the price; chargebacks show in the state."""

    orderId: UuidText  # noqa: N815
    cpOrderId: str  # noqa: N815
    state: State
    productId: str  # noqa: N815
    productPrice: Annotated[Decimal, Meta(extra_json_schema={"type": "number"})]  # noqa: N815
    currencyCode: str  # noqa: N815
    refunded: Annotated[Decimal, Meta(extra_json_schema={"type": "number"})]
    deliveredAt: Time | None  # noqa: N815


def printable(text: str, name: str) -> str:
    """`text`, if it holds no control character and no direction override. Raises 101."""
    if holds_refused(text):
        raise invalid(f"{name} holds a control character or a direction override.")
    return text


def storable(text: str, name: str) -> str:
    """`text`, where the database can keep all of it: no zero byte, and no half characters. Raises 101."""
    if any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in text):
        raise invalid(f"{name} holds a character that cannot be kept.")
    return text
