"""`make german`: brings the German up to date with the texts, compiles it, and tells what is missing."""

import io
import sys

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

from tests.german.catalogues import PARTS, Part, texts

WIDTH = 150
# What Babel writes of itself, and of whom nobody is.
NOISE = (b'"Project-Id-Version', b'"Report-Msgid-Bugs-To', b'"Last-Translator', b'"Generated-By')


def main() -> int:
    """The exit code: 1 if a text has no German yet."""
    are_missing = [refresh(part) for part in PARTS]
    return int(any(are_missing))


def refresh(part: Part) -> bool:
    """Adds new texts to a part's file and drops what nobody uses any more. Returns whether one is missing."""
    german = part.german()
    german.update(part.used(), no_fuzzy_matching=True, update_creation_date=False)
    german.obsolete.clear()
    part.file.write_bytes(as_file(german))
    with part.file.with_suffix(".mo").open("wb") as file:
        write_mo(file, part.to_compile())
    missing = [text for (_, text), translations in texts(german).items() if not all(translations)]
    for text in missing:
        print(f"{part.name}: {text!r}")
    return bool(missing)


def as_file(german: Catalog) -> bytes:
    """A catalogue in the order of its texts, so that those who add some seldom meet."""
    text = io.BytesIO()
    write_po(text, german, width=WIDTH, sort_output=True, include_lineno=False, ignore_obsolete=True)
    lines = text.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(NOISE))


if __name__ == "__main__":
    sys.exit(main())
