"""A line as a record: the cells of CSV by their names, or the members of a JSON object."""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from lib.backoffice.languages import stored
from payments.models import ReconciliationSource

Record = Mapping[str, Any]
# Members of members that are offered as columns.
DEPTH = 3
NOT_CSV = stored("the line is no CSV: {problem}")
OTHER_COUNT = stored("the line has {number} cells, and the first line {names} names")
NOT_JSON = stored("the line is no JSON object")
DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Unreadable(Exception):
    """Why a row cannot be read; the text is for operators and partners."""


class CsvReader:
    """Each line is a record of its own: a quotation mark that nobody closes makes one row unreadable, and
    not all that follow.
    """

    def __init__(self, names: Sequence[str], delimiter: str) -> None:
        self.names, self.delimiter = names, delimiter

    def read(self, text: str) -> Record:
        cells = cells_of(text, self.delimiter)
        if len(cells) != len(self.names):
            raise Unreadable(OTHER_COUNT.format(number=len(cells), names=len(self.names)))
        return dict(zip(self.names, cells, strict=True))


class JsonReader:
    def read(self, text: str) -> Record:
        try:
            return DECODER.decode(text)
        except (msgspec.DecodeError, ArithmeticError, RecursionError) as problem:
            raise Unreadable(NOT_JSON) from problem


def cells_of(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as problem:
        raise Unreadable(NOT_CSV.format(problem=problem)) from problem


def names_of(text: str, delimiter: str) -> list[str]:
    """The names in the first line of CSV. Raises `Unreadable`."""
    return [cell.strip() for cell in cells_of(text, delimiter)]


def reader_for(source: ReconciliationSource, names: Sequence[str]) -> CsvReader | JsonReader:
    """How the lines of a source's files are read; `names` are the first line's, of CSV."""
    is_csv = source.format == ReconciliationSource.Format.CSV
    return CsvReader(names, source.delimiter) if is_csv else JsonReader()


def cell_of(record: Record, name: str) -> Any:
    """The value of a column; a member of a member is named with a dot. None if there is none."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def flat(record: Record, before: str = "", depth: int = DEPTH) -> dict[str, Any]:
    """A record's members by the names that columns have."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and depth > 1:
            found |= flat(value, f"{before}{name}.", depth - 1)
        else:
            found[f"{before}{name}"] = value
    return found
