"""Aims are met, or missed by so much; a time should be short, a ratio large."""

import pytest

from benchmarks.aims import Aim, judge


@pytest.mark.parametrize(
    ("value", "aim", "at_most", "expected"),
    [
        (8.0, 8, False, "8: met"),
        (6.0, 8, False, "8: missed by 25%"),
        (15.0, 15, True, "15: met"),
        (30.0, 15, True, "15: missed by 100%"),
    ],
)
def test_judge__says_whether_it_is_met(value: float, aim: float, at_most: bool, expected: str) -> None:
    assert judge(value, aim, at_most=at_most) == expected


def test_aim__tells_what_is_wanted_beyond_it() -> None:
    text = str(Aim("p99", 12.0, 15, 10, "ms", at_most=True))
    assert "12.00 ms" in text
    assert "aim 15: met; wanted 10: missed by 20%" in text
    assert "wanted" not in str(Aim("one wallet", 0.7, 0.6))
