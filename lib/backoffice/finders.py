"""What an operator's search looks through: one finder for each kind of thing, each by indexes alone."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from lib.backoffice.pages import PageAdmin, read_uuid, view_permission
from lib.id_ends import END_LENGTH, IdEnd

# Longer is no name of anything.
MOST_TEXT = 255
# Fewer characters of an id or reference are part of too much.
LEAST_PART = END_LENGTH
# What people choose themselves, such as a nickname, is known by its first letters.
LEAST_NAME = 3
# Of each kind so many are listed.
MOST_FOUND = 10
# What surrounds an id that was copied: quotation marks, spaces, the dots of a short form.
AROUND = " \t\r\n\xa0\u200b\ufeff\"'`\u2018\u2019\u201c\u201d…."
PART = re.compile(r"[0-9a-f-]{8,36}", re.ASCII | re.IGNORECASE)
# A session's token is random; our own ids are of version 7.
TOKEN_VERSION = 4

Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that is searched for; `id` if it is a UUID, `part` the digits if it may be part of one."""

    text: str
    id: UUID | None
    part: str

    @property
    def may_be_token(self) -> bool:
        """Whether it may be a secret, and so is not repeated on a page."""
        return self.id is not None and self.id.version == TOKEN_VERSION

    @property
    def is_part(self) -> bool:
        """Whether it is long enough to be looked for as the beginning of an id or reference."""
        return len(self.text) >= LEAST_PART

    @property
    def is_name(self) -> bool:
        """Whether it is long enough to be looked for as the beginning of a name."""
        return len(self.text) >= LEAST_NAME

    @property
    def span(self) -> tuple[UUID, UUID]:
        """The first and the last id that begin with `part`."""
        return UUID(self.part.ljust(32, "0")), UUID(self.part.ljust(32, "f"))


def read_asked(text: str) -> Asked:
    """What a text may be."""
    bare = text.strip(AROUND)
    digits = bare.replace("-", "").lower() if PART.fullmatch(bare) else ""
    return Asked(bare, read_uuid(bare), digits if LEAST_PART <= len(digits) < 32 else "")


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found: its kind, what a person would call it, where it is, and a word more."""

    kind: str
    title: str
    address: str
    note: str = ""


class Finder:
    """Finds rows of one model, for an operator; `by` says by what, as whoever finds nothing is told.

    It costs a fixed number of queries: what is found exactly comes first, then by a part, then what only
    mentions it.
    """

    model: ClassVar[type[Model]]
    by: ClassVar[str]
    # Whether there is an index of the ends of ids; what has none is found by a whole id or its beginning.
    has_ends: ClassVar[bool] = False

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @property
    def is_allowed(self) -> bool:
        """Whether the operator may see what it finds."""
        return bool(self.request.user.has_perm(view_permission(self.model)))

    @property
    def page(self) -> PageAdmin:
        found = admin.site._registry[self.model]  # noqa: SLF001 (there is no other way to it)
        assert isinstance(found, PageAdmin)
        return found

    @property
    def rows(self) -> Rows:
        """The rows that the operator may see, with what their titles need."""
        found: Rows = self.page.get_queryset(self.request).order_by()
        return found

    def owns(self, asked: Asked) -> bool:
        """Whether the text is a secret of such a row: no other finder gets to see it then."""
        return False

    def exactly(self, asked: Asked) -> Iterable[Any]:
        """The rows that have the whole text as a name."""
        return self.by_id(asked)

    def partly(self, asked: Asked) -> Iterable[Any]:
        """The rows that have a name of which the text is a part."""
        return self.by_part(asked)

    def otherwise(self, asked: Asked) -> Iterable[Any]:
        """The rows that only mention it, if nothing has it as a name."""
        return ()

    def by_id(self, asked: Asked) -> list[Any]:
        return list(self.rows.filter(pk=asked.id)) if asked.id else []

    def by_part(self, asked: Asked) -> list[Any]:
        """The newest rows whose id begins with the text, and those whose id ends with it."""
        if not asked.part:
            return []
        begun = list(self.rows.filter(pk__range=asked.span).order_by("-pk")[:MOST_FOUND])
        if not self.has_ends:
            return begun
        return [*begun, *(row for row in self.ended(asked.part) if row.pk.hex.endswith(asked.part))]

    def ended(self, part: str) -> Rows:
        """The rows whose id has the last digits of a text.

        Without LIMIT: with one, a planner that knows no figures of the index would read the table.
        """
        found: Rows = self.rows.alias(id_end=IdEnd("pk")).filter(id_end=part[-END_LENGTH:])
        return found

    def hit(self, row: Any) -> Hit:
        options = self.model._meta  # noqa: SLF001 (documented)
        address = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])
        return Hit(str(options.verbose_name), self.page.title_of(row), address, self.note(row))

    def note(self, row: Any) -> str:
        """What tells rows apart that have the same title."""
        return ""


def starting(rows: Rows, name: str, text: str) -> list[Any]:
    """The first rows whose `name` begins with a text, in its order: an index of `name` has both."""
    return list(rows.filter(**{f"{name}__startswith": text}).order_by(name)[:MOST_FOUND])


STAGES: tuple[Callable[[Finder, Asked], Iterable[Any]], ...] = (
    lambda finder, asked: finder.exactly(asked),
    lambda finder, asked: finder.partly(asked),
    lambda finder, asked: finder.otherwise(asked),
)


def search(finders: Iterable[Finder], asked: Asked) -> list[Hit]:
    """What the text names, else what it is a part of, else what mentions it, as far as one may see it."""
    offered = list(finders)
    owners = [finder for finder in offered if finder.owns(asked)]
    allowed = [finder for finder in owners or offered if finder.is_allowed]
    return next(filter(None, (found_by(stage, allowed, asked) for stage in STAGES)), [])


def found_by(
    stage: Callable[[Finder, Asked], Iterable[Any]], finders: list[Finder], asked: Asked
) -> list[Hit]:
    """The hits of a stage, each once: a row has several names, and a text can be more than one of them."""
    return list(dict.fromkeys(hit for finder in finders for hit in hits_of(stage, finder, asked)))


def hits_of(stage: Callable[[Finder, Asked], Iterable[Any]], finder: Finder, asked: Asked) -> Iterator[Hit]:
    return (finder.hit(row) for row in islice(stage(finder, asked), MOST_FOUND))
