"""What an audit finds wrong: a sentence for people, and a key that stays the same however that is worded."""

from typing import NamedTuple


class Problem(NamedTuple):
    """An operator accepts what stands behind the key: it never changes, while the words may."""

    key: str
    words: str


def problem(key: str, words: str = "") -> Problem:
    """One whose key says it well enough, unless there are better words."""
    return Problem(key, words or key)


def as_problem(given: str | Problem) -> Problem:
    return given if isinstance(given, Problem) else problem(given)


def as_sentence(words: str) -> str:
    """Words from a capital letter to a full stop."""
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"
