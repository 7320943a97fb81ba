"""What this web process answered games lately, which nobody else knows.

If another server becomes the primary, they are looked for there (wallet/takeovers.py).
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

# Of each process: some minutes at a few hundred calls per second.
MOST = 50_000
SETTLED = frozenset({"confirmed", "rolled_back"})
# An id that was declined for money or a limit stays declined.
REMEMBERED = SETTLED | {"opened", "insufficient_funds", "limit_reached"}


class Kept(NamedTuple):
    """One call of a game that was answered, and the transaction that the answer names."""

    game_id: UUID
    endpoint: str
    mm: str
    transaction_id: str
    settles: bool

    def __str__(self) -> str:
        return f"{self.endpoint} {self.mm} of game {self.game_id} ({self.transaction_id})"


class KeptAnswers:
    """Those of this process, once `begin` was called: by a web process, which alone has any."""

    def __init__(self) -> None:
        # Plain tuples of plain values, which the garbage collector does not look through again and again.
        self.answers: deque[tuple[int, str, str, str, bool]] | None = None

    def begin(self) -> None:
        """From now on they are kept."""
        self.answers = deque(maxlen=MOST)

    def note(self, parameters: Mapping[str, Any], outcome: str, transaction_id: str) -> None:
        if self.answers is None or outcome not in REMEMBERED:
            return
        game, endpoint, mm = parameters["game"].int, parameters["endpoint"], parameters["mm"]
        self.answers.append((game, endpoint, mm, transaction_id, outcome in SETTLED))

    def all(self) -> list[Kept]:
        """As they are now; others may be added meanwhile."""
        answers = self.answers.copy() if self.answers is not None else ()
        return [
            Kept(UUID(int=game), endpoint, mm, transaction_id, settles)
            for game, endpoint, mm, transaction_id, settles in answers
        ]


KEPT_ANSWERS = KeptAnswers()
