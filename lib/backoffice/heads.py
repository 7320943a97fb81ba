"""The head of a page of one thing: what it is, its state, why, and what else matters at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib.admin.utils import label_for_field, lookup_field
from django.db.models import Model
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING


class HeadColumns(NamedTuple):
    """The columns of a page that its head shows: badges, sentences, and what stands beside its label."""

    states: Sequence[str] = ()
    why: Sequence[str] = ()
    beside: Sequence[str] = ()


class Head(NamedTuple):
    """What stands above everything else on a page.

    `beside` are labels and values. `money` is one line for each wallet of a player, as the wallet's admin
    knows it.
    """

    title: str
    badges: Sequence[SafeString] = ()
    why: Sequence[Any] = ()
    beside: Sequence[tuple[str, Any]] = ()
    id: str = ""
    money: Sequence[Any] = ()


def head_of(admin: Any, row: Model) -> Head:
    """The head of a row's page by the columns that its admin names for it; empty ones are left out."""
    columns: HeadColumns = admin.head_columns
    said = [(name, shown(admin, row, name)) for name in columns.beside]
    return Head(
        admin.title_of(row),
        [value for name in columns.states if (value := shown(admin, row, name))],
        [value for name in columns.why if (value := shown(admin, row, name))],
        [(str(label_for_field(name, type(row), admin)), value) for name, value in said if value],
    )


def shown(admin: Any, row: Model, name: str) -> Any:
    """A column's value as the page shows it; nothing if it says that there is none."""
    _, _, value = lookup_field(name, row, admin)
    return "" if value in (None, NOTHING) else value
