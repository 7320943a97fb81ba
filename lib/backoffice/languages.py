"""Operators read their pages in their language; what is stored, hashed or sent to machines is in English."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import translation

STORED = "en"


@contextmanager
def english() -> Iterator[None]:
    """For what is recorded or compared later, by people who may read another language: also a decorator."""
    with translation.override(STORED):
        yield
