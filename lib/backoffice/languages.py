"""Operators read their pages in their language; what is stored, hashed or sent to machines is in English."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.utils import translation

if TYPE_CHECKING:
    # Of what is kept in English: marked here, and translated where a page shows it (`stored_texts`).
    def stored(text: str) -> str: ...

    # Translated whenever they are shown; all that is asked of a text can be asked of them.
    def _(text: str) -> str: ...
    def ngettext_lazy(one: str, many: str, number: int) -> str: ...
    def format_lazy(text: str, *args: object, **values: object) -> str: ...
else:
    from django.utils.text import format_lazy
    from django.utils.translation import gettext_lazy as _
    from django.utils.translation import gettext_noop as stored
    from django.utils.translation import ngettext_lazy

__all__ = ["STORED", "_", "english", "format_lazy", "ngettext_lazy", "stored"]

STORED = "en"


@contextmanager
def english() -> Iterator[None]:
    """For what is recorded or compared later, by people who may read another language: also a decorator."""
    with translation.override(STORED):
        yield
