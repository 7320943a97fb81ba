"""Any bytes become a text that can be stored and seen."""

import random

import pytest

from lib.texts import storable

SPELLED_OUT = [
    (b'{"state": "\x00"}', '{"state": "\\x00"}'),
    ("{}".encode("utf-16"), "\\xff\\xfe{\\x00}\\x00"),
    ("{}".encode("utf-16-be"), "\\x00{\\x00}"),
    (b"\xef\xbb\xbf{}", "\\ufeff{}"),
    (b"\xff\xc3", "\\xff\\xc3"),
    ("Zoë 森\u3000小春 \U0001fa77".encode(), "Zoë 森\u3000小春 \U0001fa77"),
    ("a\tb\r\nc\x1b[31m\x7f\x85", "a\tb\r\nc\\x1b[31m\\x7f\\u0085"),
    ("\u202egnp.\u2066x\u2069", "\\u202egnp.\\u2066x\\u2069"),
    ("half \ud83d", "half \\ud83d"),
    ("C:\\new", "C:\\new"),
    (b"", ""),
]


@pytest.mark.parametrize(("given", "stored"), SPELLED_OUT)
def test_storable__spells_out_what_cannot_be_stored_or_seen(given: bytes | str, stored: str) -> None:
    assert storable(given) == stored


def test_storable__is_as_long_as_its_column_at_most() -> None:
    assert (storable(b"\x00" * 500, 500), storable("abc", 2)) == ("\\x00" * 125, "ab")


def test_storable__any_bytes_are_utf8_without_nul() -> None:
    for seed in range(200):
        text = storable(random.Random(seed).randbytes(300))
        assert "\x00" not in text
        assert text.encode()
