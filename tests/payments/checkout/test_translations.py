"""The German of the pages for players.

It is complete, without left-overs, and compiled from what stands in the file.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.catalog import Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[3]
GERMAN = ROOT / "payments" / "locale" / "de" / "LC_MESSAGES" / "django.po"
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%")
Key = tuple[str, str | tuple[str, ...]]


def sources() -> Iterator[tuple[Path, str]]:
    """Python that has texts for players, and the templates as Python sees them."""
    for path in sorted((ROOT / "payments").rglob("*.py")):
        if "django.utils.translation import" in path.read_text():
            yield path, path.read_text()
    for path in sorted((ROOT / "templates" / "payments").rglob("*.html")):
        # Within brackets, so that the indentation of HTML is none of Python's.
        yield path, f"(\n{templatize(path.read_text())}\n)"


def used() -> set[Key]:
    """Context and text (singular and plural) of every message in use."""
    found = set()
    for _, text in sources():
        for _, message, _, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
            found.add((context or "", message if isinstance(message, str) else tuple(message)))
    return found


def texts(catalog: Catalog) -> dict[Key, tuple[str, ...]]:
    """Every message with its translations, singular and plural."""
    return {key(message): words(message.string) for message in catalog if message.id}


def key(message: Message) -> Key:
    context = message.context.decode() if isinstance(message.context, bytes) else message.context
    return context or "", message.id if isinstance(message.id, str) else tuple(message.id)


def words(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


@pytest.fixture(scope="module")
def german() -> Catalog:
    with GERMAN.open("rb") as file:
        return read_po(file, locale="de", abort_invalid=True)


def test_translation__file_has_every_text_and_nothing_else(german: Catalog) -> None:
    messages = used()
    assert len(messages) > 60
    assert set(texts(german)) == messages


def test_translation__every_text_is_done_with_same_placeholders(german: Catalog) -> None:
    for (_, original), translations in texts(german).items():
        assert all(translations), original
        wanted = set(PLACEHOLDER.findall(words(original)[-1]))
        assert all(set(PLACEHOLDER.findall(translation)) == wanted for translation in translations), original
    assert not [message.id for message in german if message.id and message.fuzzy]


def test_translation__compiled_file_matches_the_source_file(german: Catalog) -> None:
    with GERMAN.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    assert texts(compiled) == texts(german), (
        "compile it: .venv/bin/pybabel compile -D django -d payments/locale"
    )
