"""The conditions of a list, entered in a form above it; those that no index has look at the newest rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from lib.backoffice.languages import _
from lib.ids import id_at

Rows = QuerySet[Any]
Given = Mapping[str, str]
# Conditions that no index has look through so many rows, the newest of the chosen time.
MOST_LOOKED_THROUGH = 20_000


@dataclass(frozen=True, slots=True)
class Condition:
    """One field of the form: its name in the address, its label, and what it leaves of the rows.

    `narrow` gets the rows, the value, and all values that are given. `choices` are read when the page is
    made. `bounds` says that it is a time, which the primary key has.
    """

    name: str
    label: str
    narrow: Callable[[Rows, str, Given], Rows]
    choices: Callable[[], Iterable[tuple[str, str]]] | None = None
    type: str = "text"
    bounds: bool = False


def since(field: str = "pk") -> Condition:
    """Rows of a time or later. Ids begin with the time that rows were made at."""
    return Condition("since", _("From (UTC)"), moments(field, "gte"), type="datetime-local", bounds=True)


def until(field: str = "pk") -> Condition:
    """Rows of before a time."""
    return Condition("until", _("Before (UTC)"), moments(field, "lt"), type="datetime-local", bounds=True)


def moments(field: str, lookup: str) -> Callable[[Rows, str, Given], Rows]:
    """Rows whose time compares so with the one that is given."""

    def narrow(rows: Rows, value: str, given: Given) -> Rows:
        moment = read_moment(value)
        if moment is None:
            return rows.none()
        return rows.filter(**{f"{field}__{lookup}": id_at(moment) if field == "pk" else moment})

    return narrow


def choice(name: str, label: str, field: str, choices: Callable[[], Iterable[tuple[str, str]]]) -> Condition:
    """Rows whose `field` has the chosen value; of a value that is not offered, none."""

    def narrow(rows: Rows, value: str, given: Given) -> Rows:
        return rows.filter(**{field: value}) if value in dict(choices()) else rows.none()

    return Condition(name, label, narrow, choices)


def word(name: str, label: str, field: str) -> Condition:
    """Rows whose `field` is the word, in capitals as it is stored."""
    return Condition(name, label, lambda rows, value, given: rows.filter(**{field: value.upper()}))


def slugs(model: Any, field: str = "slug") -> Callable[[], list[tuple[str, str]]]:
    """The names of all rows of a small table, as choices: by key."""

    def read() -> list[tuple[str, str]]:
        return [(str(key), str(name)) for key, name in model.objects.order_by(field).values_list("pk", field)]

    return read


def read_moment(text: str) -> datetime | None:
    """A time of an address or a form; without a zone it is UTC."""
    try:
        moment = parse_datetime(text) or parse_datetime(f"{text}T00:00")
    except ValueError:
        return None
    if moment is None or not 1970 < moment.year < 9999:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def wanted(conditions: Iterable[Condition], given: Mapping[str, Any]) -> dict[str, str]:
    """The conditions that an address names, and their values."""
    return {one.name: value for one in conditions if (value := str(given.get(one.name, "")).strip())}


def filters_of(conditions: Iterable[Condition]) -> tuple[Any, ...]:
    """Each condition as Django's admin has it: in the address, and of nothing else."""
    return tuple(
        type(f"{one.name.capitalize()}Condition", (ConditionFilter,), attributes(one)) for one in conditions
    )


def attributes(condition: Condition) -> dict[str, Any]:
    return {"title": condition.label, "parameter_name": condition.name, "condition": condition}


class ConditionFilter(SimpleListFilter):
    """A condition in the address of a list."""

    condition: Condition

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        value = str(self.value() or "").strip()
        return self.condition.narrow(queryset, value, request.GET.dict()) if value else queryset


def in_bounds(rows: Rows, all_rows: Rows, conditions: Iterable[Condition], given: Given) -> tuple[Rows, Any]:
    """Rows that meet conditions without an index, of the newest `MOST_LOOKED_THROUGH` of the chosen time.

    Returns the key of the newest row that was left out, or None if all were looked through.
    """
    known = list(conditions)
    named = wanted(known, given)
    if not any(one.name in named for one in known if not one.bounds):
        return rows, None
    for one in known:
        if one.bounds and one.name in named:
            all_rows = one.narrow(all_rows, named[one.name], given)
    keys = all_rows.order_by("-pk").values_list("pk", flat=True)
    last = keys[MOST_LOOKED_THROUGH : MOST_LOOKED_THROUGH + 1].first()
    return (rows.filter(pk__gt=last), last) if last else (rows, None)


def made_at(id: UUID) -> datetime | None:
    """The time with which an id of version 7 begins; None for one of another version."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC) if id.version == 7 else None
