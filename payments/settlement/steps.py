"""What can follow from an event: the steps that `decide` chooses from and `plan` carries out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.backoffice.languages import stored
from payments.models import Payment, Refund
from payments.settlement.changes import Change


@dataclass(frozen=True, slots=True)
class Pay:
    """Money has come in for the order.

    `payment` is the started one, or absent if none is left to be this one.
    """

    payment: Payment | None
    reference: str
    # Of one that operators have accepted: what it names, in minor units, and why it had not counted.
    amount: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fail:
    """A payment failed; the order has failed with it if it was still open."""

    payment: Payment | None
    reference: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Money went back before the payment was told of."""

    kind: str
    amount: int
    reference: str
    payment_reference: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """Money has gone back. `payment_reference` is empty if the provider named no payment."""

    kind: str
    amount: int
    reference: str
    payment: Payment
    payment_reference: str = ""


@dataclass(frozen=True, slots=True)
class Complete:
    """A refund that we initiated is done."""

    refund: Refund
    reference: str
    # What is written about it besides, and about the total that tells of it.
    facts: Mapping[str, Any] = field(default_factory=dict)
    also: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """A refund that we initiated is refused."""

    refund: Refund
    problem: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reverse:
    """A chargeback is reversed: the money is there again."""

    refund: Refund


@dataclass(frozen=True, slots=True)
class Restate:
    """Returns of one payment stand otherwise than was known; money moves by the difference.

    `payment` is absent as long as it was not told of.
    """

    kind: str
    changes: Sequence[Change]
    payment: Payment | None
    note: str = ""
    # What a person is told, about which row.
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Nothing:
    """It changes nothing, and that is right."""

    note: str


@dataclass(frozen=True, slots=True)
class Contradict:
    """It cannot be: 422, and a person looks at it."""

    problem: str


Step = Pay | Fail | Remember | Return | Complete | Refuse | Reverse | Restate | Nothing | Contradict
TOO_EARLY = stored("more would go back than was to be paid")
TOO_MUCH = stored("more would go back than was paid")
