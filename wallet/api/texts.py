"""Optional texts from outside: cleaned, never a reason to refuse (contract 1, Reading a request)."""

import unicodedata
from typing import Any

LONGEST = 255
# Bidirectional marks, overrides and isolates: they would let a text rearrange what stands around it.
BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(value: Any) -> str:
    """`value` without control, bidirectional and broken characters, cut to 255.

    Empty where it is no string.
    """
    if not isinstance(value, str):
        return ""
    if value.isascii() and value.isprintable():
        return value[:LONGEST]
    kept = (c for c in value if c not in BIDIRECTIONAL and unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(kept)[:LONGEST]
