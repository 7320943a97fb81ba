"""What a planted bug is: which calls into the ledger it changes, or which answers."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

# The arguments of a call into the ledger, and the call itself.
Arguments: TypeAlias = dict[str, Any]
Call: TypeAlias = Callable[..., Any]


class Reply(NamedTuple):
    """An answer on its way out."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status[:3])

    def without(self, header: str) -> "Reply":
        return self._replace(headers=[pair for pair in self.headers if pair[0].lower() != header.lower()])

    def saying(self, body: bytes, status: str = "") -> "Reply":
        """The same with another body."""
        length = ("Content-Length", str(len(body)))
        headers = [*self.without("Content-Length").headers, length]
        return Reply(status or self.status, headers, body)


@dataclass(frozen=True)
class Fault:
    """A bug: the checks that must turn red, and the paragraph of the contract that they must name."""

    name: str
    paragraph: str
    checks: tuple[str, ...]
    # By the name of a patched function: what is done instead.
    calls: dict[str, Callable[[Call, Arguments], Any]] = field(default_factory=dict)
    # What becomes of an answer; the WSGI environ tells what was asked.
    answer: Callable[[Reply, dict[str, Any]], Reply] | None = None


ACTIVE: ContextVar[Fault | None] = ContextVar("ACTIVE", default=None)


def breakable(name: str, original: Call) -> Call:
    """`original`, or what the bug that is switched on does instead; that gets all arguments by name."""
    signature = inspect.signature(original)

    def call(*args: Any, **kwargs: Any) -> Any:
        fault = ACTIVE.get()
        instead = fault.calls.get(name) if fault else None
        if instead is None:
            return original(*args, **kwargs)
        return instead(original, dict(signature.bind(*args, **kwargs).arguments))

    return call
