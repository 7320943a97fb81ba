"""Bytes and texts of others, so that a text column keeps them and a page or a terminal shows them."""

import re

# Direction embeddings, overrides and isolates: they rearrange what stands around a text.
DIRECTION_OVERRIDES = "\u202a-\u202e\u2066-\u2069"
# PostgreSQL keeps neither NUL nor halves of surrogate pairs. The others would act instead of being seen:
# control characters other than tabs and line ends, direction overrides, byte-order marks.
UNSEEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{DIRECTION_OVERRIDES}\ufeff\ud800-\udfff]")


def storable(given: bytes | str, most: int | None = None) -> str:
    r"""At most `most` characters of `given`; bytes are read as UTF-8.

    What is no UTF-8, cannot be stored or would not be seen is spelled out: \xff, \x00, \ufeff, \ud800.
    A backslash of the text itself stays one.
    """
    text = given if isinstance(given, str) else given.decode(errors="backslashreplace")
    return UNSEEN.sub(spelled_out, text)[:most]


def spelled_out(found: re.Match[str]) -> str:
    """A character as its number: two hexadecimal digits for ASCII, four for others."""
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}"
