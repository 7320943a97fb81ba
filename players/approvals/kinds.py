"""What a kind of act is that needs a second person, and which kinds there are."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from django.db.models import Model

from lib.backoffice.languages import english
from players.models import Operator, Player

# What an act needs to know: a frozen struct of ids and plain values, never of secrets.
P = TypeVar("P", bound=msgspec.Struct)


class NotExecutable(Exception):
    """The act is not possible as things are; nothing has changed. The text is for operators."""


class Change(NamedTuple):
    """One thing that an act changes, in words and figures."""

    label: str
    before: str
    after: str


class Subject(NamedTuple):
    """The row that an act is about: its model's label, its key, its name, and the player whose it is."""

    type: str
    id: str
    name: str
    player_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The effect of an act, read under the locks that the act takes.

    `amount` is in minor units of `currency`, if the act moves money.
    """

    subject: Subject
    changes: Sequence[Change]
    says: Sequence[str] = ()
    amount: int | None = None
    currency: str = ""

    @property
    def digest(self) -> str:
        """The hash of all that it says, in English: two previews of one digest read the same."""
        with english():
            changes, says = [list(map(str, change)) for change in self.changes], list(map(str, self.says))
        said = (self.subject[:3], changes, says, self.amount, self.currency)
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


@dataclass(frozen=True, slots=True)
class Execution:
    """An act that is to be done now: its id, who requested it and why, who approved it, and its secret."""

    id: UUID
    requester: Operator
    approver: Operator | None
    reason: str
    secret: str = ""

    @property
    def actor(self) -> str:
        """Who acts, as journals name them: whoever wanted it."""
        return actor_of(self.requester.username)


def actor_of(username: str) -> str:
    """An operator as journals name them."""
    return f"operator:{username}"[:80]


class Kind(Generic[P]):
    """A kind of act. One object of each stands in the registry; it has no state.

    `permission` is what requesting it needs, and approving it. `about` is the label of the model whose rows
    it is about: whoever sees these sees the requests. Of a kind that `moves_money`, approval rules may let
    one person act alone, up to an amount.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    permission: ClassVar[str]
    about: ClassVar[str]
    payload: ClassVar[type[msgspec.Struct]]
    moves_money: ClassVar[bool] = False
    # Whether the secret of a request is for whoever approves it, who sees it once.
    is_secret_the_approvers: ClassVar[bool] = False

    def describe(self, payload: P) -> str:
        """The act in one line, which begins with a verb: Credit 5.00 XAG to anna."""
        raise NotImplementedError

    def preview(self, payload: P) -> Preview:
        """Locks what the act changes, and says its effect. Raises `NotExecutable`.

        Within an atomic block, whose end lets the locks go.
        """
        raise NotImplementedError

    def made(self, payload: P) -> Model | None:
        """After the act: the row that it is about, if the preview could not know its key."""
        return None

    def execute(self, payload: P, execution: Execution) -> str:
        """Does it, by the operation of the act; after `preview`, in the same atomic block.

        Returns the sentence that says what was done. Raises `NotExecutable`.
        """
        raise NotImplementedError


KINDS: dict[str, Kind[Any]] = {}


def register(*kinds: Kind[Any]) -> None:
    """Makes kinds known. Each app does so for its own, in `approvals/__init__.py`."""
    for kind in kinds:
        if kind.name in KINDS:
            raise ValueError(f"there are two kinds of the name {kind.name}")
        KINDS[kind.name] = kind


def subject_of(row: Model, name: str = "") -> Subject:
    """A row as the subject of an act."""
    player_id = row.pk if isinstance(row, Player) else getattr(row, "player_id", None)
    label = row._meta.label_lower  # noqa: SLF001 (documented)
    return Subject(label, str(row.pk), (name or str(row))[:200], player_id)
