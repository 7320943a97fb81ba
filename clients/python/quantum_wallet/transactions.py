"""Transactions as a game stores them: with an id before anything is sent, and with the next step."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from quantum_wallet.money import Money

# Why a client rolls back by itself.
NOT_GIVEN, NOT_OPENED = "It could not be handed out.", "The opening was not answered."


class Step(StrEnum):
    """The call that comes next, or was not answered yet."""

    OPEN = "open"
    CONFIRM = "confirm"
    ROLL_BACK = "roll_back"


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One withdrawal or deposit: all that a game has to store to repeat a call unchanged after a crash.

    Store it as it is made, and again whenever its `step` changes, each time before the call. `since` is when
    the step was decided; its schedule counts from then. The token is a secret.
    """

    type: ClassVar[str] = ""

    token: str = field(repr=False)
    amount: Money
    id: str = field(default_factory=new_id)
    description: str = ""
    step: Step = Step.OPEN
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    reason: str = ""

    def confirming(self, *, at: datetime | None = None) -> Self:
        """The same, to be confirmed (decided now, or `at`). Raises ValueError if it is being rolled back."""
        return self.to_end(Step.CONFIRM, "", at)

    def rolling_back(self, reason: str = "", *, at: datetime | None = None) -> Self:
        """The same, to be rolled back (decided now, or `at`). Raises ValueError if it is being confirmed."""
        return self.to_end(Step.ROLL_BACK, reason, at)

    def to_end(self, step: Step, reason: str, at: datetime | None) -> Self:
        if self.step == step:
            return self
        if self.step != Step.OPEN:
            raise ValueError(f"{self.id} has the step {self.step}: a transaction ends in one way")
        return replace(self, step=step, since=at or datetime.now(UTC), reason=reason)

    def to_dict(self) -> dict[str, Any]:
        """Texts alone, for a database or JSON."""
        return {
            "type": self.type,
            "id": self.id,
            "token": self.token,
            "amount": f"{self.amount.amount:f}",
            "currency": self.amount.currency,
            "description": self.description,
            "step": str(self.step),
            "since": self.since.isoformat(),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(Transaction):
    """Money that the player pays: reserved when opened, the game's when confirmed."""

    type: ClassVar[str] = "withdrawal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Transaction):
    """Money that the player gets: announced when opened, spendable when confirmed."""

    type: ClassVar[str] = "deposit"


TYPES: dict[str, type[Transaction]] = {kind.type: kind for kind in (Withdrawal, Deposit)}


def from_dict(stored: Mapping[str, Any]) -> Transaction:
    """What `to_dict` gave. Raises KeyError, ValueError."""
    return TYPES[stored["type"]](
        id=stored["id"],
        token=stored["token"],
        amount=Money.of(stored["amount"], stored["currency"]),
        description=stored["description"],
        step=Step(stored["step"]),
        since=datetime.fromisoformat(stored["since"]),
        reason=stored["reason"],
    )
