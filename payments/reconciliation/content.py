"""The lines of a file: unpacked and bounded, one at a time, whatever the file is."""

import codecs
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lib.backoffice.languages import stored

GZIP = b"\x1f\x8b"
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Bytes: of one line, of all that a file unpacks to, and of what is unpacked at once.
MOST_LINE = 64 * 1024
MOST_UNPACKED = 4 * 1024**3
PIECE = 256 * 1024
TOO_LONG = stored("the line is longer than 64 KiB")
NOT_READABLE = stored("the line is not in {encoding}")
HOLDS_NUL = stored("the line holds a zero byte")
CUT_OFF = stored("The file is cut off: its gzip data ends too early.")
BROKEN = stored("The file is no intact gzip file.")
BOMB = stored("The file unpacks to more than 4 GiB.")


class FileRefused(Exception):
    """Why a whole file cannot be read; the text is for operators."""


class Line(NamedTuple):
    """A line without its end. If it cannot be read, `problem` says why."""

    number: int
    text: str
    problem: str = ""


class Meter:
    """How many bytes of a file were taken so far, as it arrived."""

    def __init__(self) -> None:
        self.taken = 0

    def measured(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            self.taken += len(part)
            yield part


def lines_of(parts: Iterable[bytes], encoding: str) -> Iterator[Line]:
    """The lines of a file that comes in parts. Raises `FileRefused`."""
    data = bounded(plain(parts))
    first = b""
    while len(first) < 4 and (piece := next(data, b"")):
        first += piece
    for mark, marked in MARKS:
        if first.startswith(mark):
            encoding, first = marked, first[len(mark) :]
    pieces = chained(first, data)
    if encoding.startswith("utf-16"):
        # In UTF-8 a line end is one byte, as everywhere else.
        pieces, encoding = transcoded(pieces, encoding), "utf-8"
    for number, line in enumerate(split(pieces), 1):
        yield decoded(number, line, encoding)


def plain(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes, unpacked if they are gzip."""
    source = iter(parts)
    first = b""
    while len(first) < 2 and (part := next(source, b"")):
        first += part
    everything = chained(first, source)
    return gunzipped(everything) if first.startswith(GZIP) else everything


def chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def gunzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Unpacked in bounded pieces; several members follow each other, as `cat a.gz b.gz` makes them."""
    member, is_open = zlib.decompressobj(wbits=31), False
    for part in parts:
        # What stands after the last member is padding.
        data = part if is_open else part.lstrip(b"\0")
        while data:
            is_open = True
            try:
                yield member.decompress(data, PIECE)
            except zlib.error as problem:
                raise FileRefused(BROKEN) from problem
            data = member.unconsumed_tail
            if member.eof:
                data = member.unused_data.lstrip(b"\0")
                member, is_open = zlib.decompressobj(wbits=31), False
    if is_open:
        raise FileRefused(CUT_OFF)


def bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_UNPACKED:
            raise FileRefused(BOMB)
        yield piece


def transcoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """In UTF-8; what cannot be read is U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def split(pieces: Iterable[bytes]) -> Iterator[bytes | None]:
    """Lines without their ends; None for one that is too long, of which nothing is kept."""
    rest, is_too_long = b"", False
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield None if is_too_long or len(line) > MOST_LINE else line
            is_too_long = False
        if len(rest) > MOST_LINE:
            rest, is_too_long = b"", True
    if rest or is_too_long:
        yield None if is_too_long else rest


def decoded(number: int, line: bytes | None, encoding: str) -> Line:
    if line is None:
        return Line(number, "", TOO_LONG)
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        return Line(number, line.decode(encoding, "replace"), NOT_READABLE.format(encoding=encoding.upper()))
    if "\0" in text:
        return Line(number, text, HOLDS_NUL)
    if "\ufffd" in text:
        return Line(number, text, NOT_READABLE.format(encoding="UTF-16"))
    return Line(number, text.removesuffix("\r"))
