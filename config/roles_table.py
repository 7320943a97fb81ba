"""The table of roles in words: for the admin's page of roles, and for docs/operators.md."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from django.apps import apps
from django.contrib import admin
from django.db.models import Model

from config.roles import OURS, PURPOSES, ROLES
from lib.backoffice.languages import _
from lib.backoffice.pages import view_permission

ALL = _("all")
BEGIN, END = "<!-- roles: written by manage.py document_roles -->", "<!-- end of roles -->"


class Right(NamedTuple):
    """A permission: its name, what it allows in words, and which roles have it."""

    name: str
    words: str
    roles: tuple[str, ...]

    @property
    def who(self) -> str:
        """The roles, as a reader needs them."""
        return ALL if len(self.roles) == len(ROLES) else ", ".join(self.roles)


def acts() -> list[Right]:
    """What can be done, by what it is about."""
    return [right(name, words) for name, words in named_acts().items()]


def pages() -> list[Right]:
    """What can be looked at."""
    return [right(name, words) for name, words in named_pages().items()]


def right(name: str, words: str) -> Right:
    return Right(name, words, tuple(role for role, names in ROLES.items() if name in names))


def named_pages() -> Mapping[str, str]:
    """The permissions to see pages, and which pages."""
    known = [model for model in [*apps.get_models(), apps.get_model("auth.group")] if has_pages(model)]
    shown = {view_permission(model): str(model._meta.verbose_name_plural) for model in known}  # noqa: SLF001 (documented)
    shown["auth.view_group"] = str(_("roles"))
    given = frozenset().union(*ROLES.values())
    listed = sorted(shown.items(), key=lambda item: item[1].lower())
    return {name: words for name, words in listed if name in given}


def has_pages(model: type[Model]) -> bool:
    """Whether to see it is a permission: of one without pages, whatever is permitted is an act."""
    return "view" in model._meta.default_permissions or admin.site.is_registered(model)  # noqa: SLF001 (documented)


def named_acts() -> Mapping[str, str]:
    """All other permissions of our models, and what they allow."""
    found = {
        f"{app}.{code}": str(words).removeprefix("Can ")
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        for code, words in model._meta.permissions  # noqa: SLF001 (documented)
    }
    looking = named_pages()
    return {name: words for name, words in found.items() if name not in looking}


def document() -> str:
    """The part of docs/operators.md that the table makes, between its two marks."""
    return "\n".join([BEGIN, *lines(), END])


def lines() -> Iterator[str]:
    yield from ("| role | is for |", "|---|---|")
    yield from (f"| {role} | {purpose} |" for role, purpose in PURPOSES.items())
    yield from ("", "| who may | permission | roles |", "|---|---|---|")
    yield from (f"| {row.words} | `{row.name}` | {row.who} |" for row in acts())
    yield from ("", "| who sees | roles |", "|---|---|")
    yield from (f"| {row.words} | {row.who} |" for row in pages())


def with_roles(text: str) -> str:
    """A document with the part between the marks as the table makes it now. Raises `ValueError`."""
    before, __, rest = text.partition(BEGIN)
    __, mark, after = rest.partition(END)
    if not mark:
        raise ValueError("the document has no marks that roles stand between")
    return before + document() + after
