"""What a check is, and how a category gathers its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from clients.kit.trial import Trial

Body: TypeAlias = Callable[[Trial], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the contract promises. `body` raises `Unmet` if the server does not keep it."""

    id: str
    title: str
    # Of the contract: what it proves.
    paragraph: str
    body: Body

    @property
    def category(self) -> str:
        return self.id.partition(".")[0]


@dataclass
class Category:
    """Checks of one kind, in the order in which they run."""

    name: str
    title: str
    checks: list[Check] = field(default_factory=list)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def check(self, name: str, title: str, paragraph: str) -> Callable[[Body], Body]:
        """Adds a function as the check `category.name`."""

        def add(body: Body) -> Body:
            self.add(name, title, paragraph, body)
            return body

        return add

    def add(self, name: str, title: str, paragraph: str, body: Body) -> None:
        self.checks.append(Check(f"{self.name}.{name}", title, paragraph, body))
