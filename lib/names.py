"""Names that people give themselves, in any script."""

import re
import unicodedata

from lib.texts import DIRECTION_OVERRIDES

# Fixed ranges, so that a character newer than Python's tables is taken like any other.
REFUSED = re.compile(f"[\x00-\x1f\x7f-\x9f{DIRECTION_OVERRIDES}\ud800-\udfff]")
# No character of NFC comes of more than so many.
MOST_DECOMPOSED = 4
KEY_LENGTH = 255


def holds_refused(text: str) -> bool:
    """Whether `text` holds a control character, a direction override or half a character."""
    return REFUSED.search(text) is not None


def normal_form(text: str) -> str:
    """`text` as names are stored (NFC): whatever keyboard wrote it, the same name is the same text."""
    return unicodedata.normalize("NFC", text)


def search_key(text: str) -> str:
    """What names that a search takes for the same have in common: neither case nor width tells them apart."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).strip()[:KEY_LENGTH]
