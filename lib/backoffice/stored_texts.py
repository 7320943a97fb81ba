"""Stored texts in the operator's language: what is kept in English is found again among the marked texts.

A stored text is a marked one with values put into it: "Refund 4.99 EUR to anna" is made of
"Refund {amount} to {uid}". Its English is the key to its translation, as that of every text is; one that no
marked text fits is shown as it is stored. Only for what the platform has worded: what people write is theirs.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext
from django.utils.translation.trans_real import translation

from lib.backoffice.languages import STORED

PLACEHOLDER = re.compile(r"\{(\w*)\}")
# What a call failed by: `lib.outbound` has these words.
KIND = re.compile(r"[a-z]+(_[a-z]+)*")
SENTENCE_END = re.compile(r"(?<=[.?!]) (?=[A-Z0-9{])")
LETTER = re.compile(r"[^\W\d_]")
# A text with fewer letters of its own fits too much.
LEAST_LETTERS = 5
# Values that are texts of ours again, or several of them with commas; all others are names and figures.
WORDS = frozenset(
    {"after", "before", "done", "label", "labels", "problem", "said", "state", "status", "what", "why"}
)
# No stored text is longer.
LONGEST = 1000


class Pattern(NamedTuple):
    """A marked text with placeholders, and what it looks like filled in.

    `longest` is the longest piece of its own, and `letters` is how many letters are its own in all.
    """

    text: str
    filled: re.Pattern[str]
    longest: str
    letters: int


def reworded(text: str) -> str:
    """A stored text in the present language, or as it is stored if no marked text fits it."""
    language = get_language() or STORED
    if language == STORED or not text or len(text) > LONGEST:
        return text
    found = translated(text, language)
    if found is None:
        sentences = [translated(sentence, language) for sentence in SENTENCE_END.split(text)]
        found = None if None in sentences else " ".join(map(str, sentences))
    return text if found is None else found


def translated(text: str, language: str) -> str | None:
    """The translation of the marked text that a stored one is made of, with the same values."""
    lowered = text[:1].lower() + text[1:]
    if text in known_texts(language):
        return gettext(text)
    if lowered in known_texts(language):
        return str(capfirst(gettext(lowered)))
    for pattern in patterns(language):
        fit = pattern.filled.fullmatch(text) if pattern.longest in text else None
        if fit and all(is_one(name, value) for name, value in fit.groupdict().items()):
            values = {name: value_of(name, value) for name, value in fit.groupdict().items()}
            return gettext(pattern.text).format(**values)
    return None


def is_one(name: str, value: str) -> bool:
    """Whether a value can be one: no sentence ends within it, unless it is a text of ours."""
    return name in WORDS or not SENTENCE_END.search(value)


def reworded_failure(text: str) -> str:
    """Why a call failed, as it is stored: a word for programs, which stays, and a text after it."""
    kind, mark, words = text.partition(": ")
    return f"{kind}{mark}{reworded_failure(words)}" if mark and KIND.fullmatch(kind) else reworded(text)


if TYPE_CHECKING:
    # The same, whenever it is shown: what an act returns is recorded in another language than it is told in.
    def reworded_later(text: str) -> str: ...
else:
    reworded_later = lazy(reworded, str)


def value_of(name: str, value: str) -> str:
    """A value as it stands in the present language."""
    return ", ".join(map(reworded, value.split(", "))) if name in WORDS else value


@lru_cache(maxsize=4)
def known_texts(language: str) -> frozenset[str]:
    """The texts that a language has translations of. Django has no other way to ask for them."""
    catalogue: Any = translation(language)._catalog  # type: ignore[attr-defined]  # noqa: SLF001
    # What has a plural stands there with the number of each form; its plural stands there by itself, too.
    texts = (text if isinstance(text, str) else text[0] for text, __ in catalogue.items())
    return frozenset(text for text in texts if text)


@lru_cache(maxsize=4)
def patterns(language: str) -> list[Pattern]:
    """The marked texts with placeholders; first those that say the most of their own."""
    found = [pattern_of(text) for text in known_texts(language) if PLACEHOLDER.search(text)]
    fit = [pattern for pattern in found if pattern and pattern.letters >= LEAST_LETTERS]
    return sorted(fit, key=lambda pattern: (-pattern.letters, pattern.text))


def pattern_of(text: str) -> Pattern | None:
    """What a text looks like with values in it; none if they have no names, as those of libraries have."""
    parts = PLACEHOLDER.split(text)
    own, names = parts[::2], parts[1::2]
    if not all(name.isidentifier() for name in names):
        return None
    filled = re.escape(own[0])
    for number, name in enumerate(names):
        # What stands there twice is the same twice.
        is_new = name not in names[:number]
        filled += f"(?P<{name}>.+?)" if is_new else f"(?P={name})"
        filled += re.escape(own[number + 1])
    letters = len(LETTER.findall("".join(own)))
    return Pattern(text, re.compile(filled, re.DOTALL), max(own, key=len), letters)
