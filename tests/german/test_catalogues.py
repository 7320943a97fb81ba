"""The German of all pages: complete, without left-overs, the same everywhere, and compiled as it stands."""

import pytest

from tests.german.catalogues import PARTS, PLACEHOLDER, Part, texts, words

each_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)


@each_part
def test_german__file_has_every_text_and_nothing_else(part: Part) -> None:
    assert set(texts(part.german())) == set(texts(part.used())), "run: make german"


@each_part
def test_german__every_text_is_done_with_same_placeholders(part: Part) -> None:
    german = part.german()
    for (_, original), translations in texts(german).items():
        assert all(translations), original
        wanted = set(PLACEHOLDER.findall(words(original)[-1]))
        assert all(set(PLACEHOLDER.findall(translation)) == wanted for translation in translations), original
    assert not [message.id for message in german if message.id and message.fuzzy]


@each_part
def test_german__compiled_file_matches_the_source_file(part: Part) -> None:
    assert texts(part.compiled()) == texts(part.to_compile()), "run: make german"


def test_german__a_text_is_the_same_in_every_part() -> None:
    """All parts are one catalogue to Django: of two translations, one would win everywhere."""
    known: dict[object, tuple[str, ...]] = {}
    for part in PARTS:
        for text, translations in texts(part.german()).items():
            assert known.setdefault(text, translations) == translations, (part.name, text)


def test_german__texts_are_found_in_code_and_templates() -> None:
    assert len(texts(PARTS[2].used())) > 60
