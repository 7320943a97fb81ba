"""The German of each part of the platform: where its texts stand, and where their translations do."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages import Catalog
from babel.messages.catalog import Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "stored": None,
    "_": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# What a module imports that marks texts.
MARKING = re.compile("^ *from (django.utils.translation|lib.backoffice.languages) import ", re.MULTILINE)
# What is put into a text: %(name)s, as templates have it, and {name}.
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|\{\w*\}")
Key = tuple[str, str | tuple[str, ...]]


class Part(NamedTuple):
    """A part of the platform, with the folders (or patterns of files) that have its texts."""

    name: str
    code: tuple[str, ...]
    templates: tuple[str, ...]

    @property
    def file(self) -> Path:
        return ROOT / self.name / "locale" / "de" / "LC_MESSAGES" / "django.po"

    def sources(self) -> Iterator[tuple[Path, str]]:
        """Python that has texts for people, and the templates as Python sees them."""
        for folder in self.code:
            for path in sorted((ROOT / folder).rglob("*.py")):
                if MARKING.search(path.read_text()):
                    yield path, path.read_text()
        for pattern in self.templates:
            for path in sorted((ROOT / "templates").glob(pattern)):
                # Within brackets, so that the indentation of HTML is none of Python's.
                yield path, f"(\n{templatize(path.read_text())}\n)"

    def used(self) -> Catalog:
        """Every message in use, with the files that have it."""
        found = Catalog()
        for path, text in self.sources():
            known = extract("python", io.BytesIO(text.encode()), KEYWORDS, ["Translators:"])
            for _, message, comments, context in known:
                place = (str(path.relative_to(ROOT)), 0)
                found.add(message, locations=[place], auto_comments=comments, context=context)
        return found

    def german(self) -> Catalog:
        with self.file.open("rb") as file:
            return read_po(file, locale="de", abort_invalid=True)

    def to_compile(self) -> Catalog:
        """The German with each plural by itself as well: a stored text is found by what it says."""
        german = self.german()
        for message in [one for one in german if one.pluralizable]:
            (_, plural), (_, translation) = words(message.id), words(message.string)
            if plural not in german:
                german.add(plural, translation)
        return german

    def compiled(self) -> Catalog:
        with self.file.with_suffix(".mo").open("rb") as file:
            return read_mo(file)


PARTS = (
    Part("players", ("players",), ("admin/players/**/*.html", "admin/account/**/*.html")),
    Part("wallet", ("wallet",), ("admin/wallet/**/*.html",)),
    Part("payments", ("payments",), ("payments/**/*.html", "admin/payments/**/*.html")),
    # And what all pages share, libraries' texts among them.
    Part("config", ("config", "lib"), ("admin/*.html", "unfold/**/*.html")),
)


def texts(catalog: Catalog) -> dict[Key, tuple[str, ...]]:
    """Every message with its translations, singular and plural."""
    return {key(message): words(message.string) for message in catalog if message.id}


def key(message: Message) -> Key:
    context = message.context.decode() if isinstance(message.context, bytes) else message.context
    return context or "", message.id if isinstance(message.id, str) else tuple(message.id)


def words(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ("",))
