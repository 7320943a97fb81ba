"""What operators keep of lists: columns, and views by name. The kit knows no models: an app says where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class SavedView:
    """Parameters of a list under a name, of one operator or shared; whether the reader may change it."""

    id: UUID
    name: str
    is_shared: bool
    made_by: str
    params: Mapping[str, str]
    may_be_changed: bool


class Keeper(Protocol):
    """What an app provides; `name` is that of the list's model, as players.player."""

    def columns(self, request: HttpRequest, name: str) -> str:
        """The operator's choice of columns for a list, as an address has it; empty if there is none."""

    def views(self, request: HttpRequest, name: str) -> Sequence[SavedView]:
        """The operator's own views of a list, and those that are shared."""


class Keeping:
    """The keeper of this process."""

    def __init__(self) -> None:
        self.keeper: Keeper | None = None

    def use(self, keeper: Keeper) -> None:
        """From now on, choices are kept there."""
        self.keeper = keeper

    @property
    def there(self) -> Keeper:
        if self.keeper is None:
            raise RuntimeError("no app says where choices are kept")
        return self.keeper


KEEPING = Keeping()
