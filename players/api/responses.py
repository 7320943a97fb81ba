"""What the web front is answered about players and sessions (contract 3).

Also the source of its description.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class PlayerAnswer(msgspec.Struct):
    """A player as the web front sees it."""

    uid: str
    nickname: str
    country: str
    language: str
    status: str
    excludedUntil: (  # noqa: N815 (as the contract writes its members)
        Annotated[
            str,
            Meta(
                description="When a self-exclusion ends by itself; absent if there is none, or it has no end."
            ),
        ]
        | UnsetType
    ) = UNSET
    liftableAt: (  # noqa: N815
        Annotated[
            str,
            Meta(
                description="From when on the player can confirm that a self-exclusion is lifted, to which "
                "operators have agreed; absent otherwise."
            ),
        ]
        | UnsetType
    ) = UNSET


class EmptyAnswer(msgspec.Struct):
    """Done."""
