"""Lines of whatever file arrives: unpacked, bounded, each by itself."""

import gzip
from collections.abc import Iterator

import pytest

from payments.reconciliation import content
from payments.reconciliation.content import MOST_LINE, FileRefused, Line, Meter, lines_of


def in_parts(data: bytes, size: int = 3) -> Iterator[bytes]:
    for first in range(0, len(data), size):
        yield data[first : first + size]


def read(data: bytes, encoding: str = "utf-8", size: int = 3) -> list[Line]:
    return list(lines_of(in_parts(data, size), encoding))


@pytest.mark.parametrize(
    ("data", "encoding"),
    ids=range(8),
    argvalues=[
        ("a;ü\r\nb;€\n".encode(), "utf-8"),
        ("a;ü\r\nb;€\n".encode("utf-8-sig"), "cp1252"),
        ("a;ü\r\nb;€\n".encode("cp1252"), "cp1252"),
        ("\ufeffa;ü\r\nb;€\n".encode("utf-16-le"), "utf-8"),
        ("\ufeffa;ü\r\nb;€".encode("utf-16-be"), "utf-8"),
        ("a;ü\r\nb;€".encode("utf-16-le"), "utf-16-le"),
        (gzip.compress("a;ü\r\nb;€\n".encode()), "utf-8"),
        (gzip.compress("a;ü\r\n".encode()) + gzip.compress("b;€\n".encode()) + b"\0\0", "utf-8"),
    ],
)
def test_lines__are_the_same_in_every_encoding(data: bytes, encoding: str) -> None:
    for size in (1, 3, 1000):
        assert read(data, encoding, size) == [Line(1, "a;ü"), Line(2, "b;€")]


def test_line__that_cannot_be_read_leaves_the_others() -> None:
    found = read(b"a\n\xff\nb\0c\n" + b"x" * (MOST_LINE + 1) + b"\nd", size=1000)
    assert [line.problem for line in found] == [
        "",
        "the line is not in UTF-8",
        "the line holds a zero byte",
        "the line is longer than 64 KiB",
        "",
    ]
    assert (found[0].text, found[4]) == ("a", Line(5, "d"))


def test_line__of_a_million_bytes_is_not_kept() -> None:
    found = list(lines_of((b"x" * 1000 for _ in range(1000)), "utf-8"))
    assert found == [Line(1, "", "the line is longer than 64 KiB")]


@pytest.mark.parametrize("cut", [1, 9, 20])
def test_gzip__that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(FileRefused, match="cut off"):
        read(gzip.compress(b"a\n" * 100)[:-cut])


def test_gzip__that_is_broken_is_refused() -> None:
    data = bytearray(gzip.compress(b"abc\n" * 100))
    data[-6] ^= 1
    with pytest.raises(FileRefused, match="no intact gzip"):
        read(bytes(data))


def test_gzip__that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MOST_UNPACKED", 1_000_000)
    with pytest.raises(FileRefused, match="unpacks to more"):
        read(gzip.compress(b"\n" * 1_000_001), size=1000)


def test_meter__counts_the_bytes_as_they_arrived() -> None:
    meter, data = Meter(), gzip.compress(b"a\nb\n")
    assert len(list(lines_of(meter.measured(in_parts(data)), "utf-8"))) == 2
    assert meter.taken == len(data)
