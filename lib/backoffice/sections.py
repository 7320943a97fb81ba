"""The tables below the head of a page, and which page of them an address asks for."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Model


class Condition(NamedTuple):
    """A field of a form above a table: its name in the address, and the values that it offers, if it does."""

    name: str
    label: str
    value: str
    choices: Sequence[tuple[str, str]] = ()
    type: str = "text"


class Conditions(NamedTuple):
    """A form above a table. `problem` says what of it could not be read.

    `export` is the address to which the conditions are sent for a file or a page to print, if there is one.
    """

    fields: Sequence[Condition]
    anchor: str
    problem: str = ""
    export: str = ""

    @property
    def are_given(self) -> bool:
        return any(field.value for field in self.fields)


class Section(NamedTuple):
    """A table below the head of a page, for whoever may see the pages of `of`, whose data it shows.

    `more` is a link to the rest: its text and its address. `form` are conditions that narrow it, and `note` a
    sentence below the table. `acts` are links to what can be done about it.
    """

    of: type[Model]
    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str
    more: tuple[str, str] | None = None
    back: tuple[str, str] | None = None
    form: "Conditions | None" = None
    note: str = ""
    acts: Sequence[tuple[str, str]] = ()

    @property
    def labelled(self) -> list[list[tuple[str, Any]]]:
        """The rows, each cell with its header, which a narrow screen shows beside it, if there are any."""
        headers = self.headers or [""] * max(map(len, self.rows), default=0)
        return [list(zip(headers, row, strict=True)) for row in self.rows]


def read_page(text: str) -> int:
    """The number of a page in an address; 1 if it is none."""
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) <= 4 else 1
