"""Lists as CSV files, to be opened by spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from lib.backoffice.languages import english

# With one of these a cell begins that a spreadsheet would take for a formula; the last ones are full-width.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@english()
def csv_file(name: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """The answer that a browser keeps as a file. UTF-8, comma-separated, lines end in CR LF (RFC 4180).

    Programs read it, too: it is in English.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headers)
    writer.writerows([cell(value) for value in row] for row in rows)
    disposition = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(text.getvalue().encode(), content_type="text/csv; charset=utf-8", headers=disposition)


def cell(value: Any) -> str:
    """A value that no spreadsheet takes for a formula: an apostrophe stands before what looks like one.

    A number keeps its sign: it is one to spreadsheets as well.
    """
    if isinstance(value, int | Decimal):
        return str(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_stream(name: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """As `csv_file`, but sent while the rows are read: after the request, when no language is on."""
    writer: Any = csv.writer(Echo())
    lines = (writer.writerow([cell(value) for value in row]).encode() for row in chain([headers], rows))
    disposition = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=disposition)
