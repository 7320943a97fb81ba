"""What the web front is answered about players and sessions (contract 3).

Also the source of its description.
"""

import msgspec


class PlayerAnswer(msgspec.Struct):
    """A player as the web front sees it."""

    uid: str
    nickname: str
    country: str
    language: str
    status: str


class EmptyAnswer(msgspec.Struct):
    """Done."""
