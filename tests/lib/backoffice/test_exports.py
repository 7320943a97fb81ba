"""Lists as CSV files."""

import pytest

from lib.backoffice.exports import cell, csv_file


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\tx", "\rx", "\nx", "\uff1d1"])
def test_cell__is_no_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_csv_file__has_headers_and_quotes() -> None:
    answer = csv_file("a.csv", ["x", "y"], [["a,b", None], [1, 'q"']])
    assert answer.content == b'x,y\r\n"a,b",\r\n1,"q"""\r\n'
    assert (answer["Content-Disposition"], answer["Cache-Control"]) == (
        'attachment; filename="a.csv"',
        "no-store",
    )
