"""An act of a kind in some state of what it is about, drawn by Hypothesis."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import assume
from hypothesis import strategies as st

from players.approvals.configuration import NONE, ConfigurationChange
from tests.support.callers import Callers
from tests.support.shop import ShopSetup

Words = dict[str, str]
Others = list[Callable[[], object]]


@dataclass(frozen=True)
class Draw:
    """What a case is made of: values that Hypothesis draws, and what is there anyway."""

    data: st.DataObject
    callers: Callers
    shop_setup: ShopSetup

    def one(self, *choices: Any) -> Any:
        return self.data.draw(st.sampled_from(choices))

    def number(self, least: int, most: int) -> int:
        return self.data.draw(st.integers(least, most))

    def text(self, most: int = 20) -> str:
        letters = st.characters(codec="utf-8", categories=["L", "N", "P", "S"])
        return self.data.draw(st.text(letters, min_size=1, max_size=most))

    def url(self, *, may_be_empty: bool = True) -> str:
        host = self.one("a.example", "b.example:8443", "192.0.2.7")
        url = f"{self.one('https', 'http')}://{host}/{self.number(0, 9)}"
        return self.one("", url) if may_be_empty else url

    def some(self, *choices: str, most: int = 3) -> list[str]:
        """A few of them, each once."""
        return self.data.draw(st.lists(st.sampled_from(choices), unique=True, max_size=most))

    def networks(self) -> list[str]:
        return self.some("192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "10.0.0.0/8")


@dataclass(frozen=True)
class Case:
    """`shows` reads from the database what the labels of the effect are about, in the effect's words.

    `others` are acts of others that matter to it; `told` says sentences that must have stood in the preview,
    read after the act.
    """

    payload: msgspec.Struct
    shows: Callable[[], Words]
    others: Others
    secret: str = ""
    told: Callable[[], list[str]] = field(default=list)


def configured(
    kind: ConfigurationChange,
    row: Any,
    after: dict[str, Any],
    *others: Callable[[], object],
    is_new: bool = False,
    secret: str = "",
) -> Case:
    """A change of a row to these values, or a new row."""
    before = None if is_new else kind.values(row)
    payload = kind.payload_of(row, before, after)
    assume(payload.after)

    def shows() -> Words:
        found = kind.model._base_manager.filter(pk=payload.row_id).first()
        if found is None:
            return {kind.label(name): NONE for name in payload.after}
        values = kind.values(found)
        return {kind.label(name): kind.words(name, values) for name in payload.after}

    return Case(payload, shows, [*others], secret)
