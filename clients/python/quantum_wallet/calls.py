"""A call of the API, as the generated shapes name it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """Its name in the API, its method and path, and how its answer is read."""

    name: str
    method: str
    path: str
    read: Callable[[object], Answer]
