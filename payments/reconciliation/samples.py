"""The first rows of a file, for whoever says which of its columns is what."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from payments.models import ReconciliationFile, ReconciliationSource
from payments.reconciliation.content import FileRefused, Line, lines_of
from payments.reconciliation.files import parts_of
from payments.reconciliation.first_pass import names_in
from payments.reconciliation.records import CsvReader, JsonReader, Unreadable, flat, reader_for

LINES, MOST_COLUMNS = 6, 60


class Sample(NamedTuple):
    """The names of columns, and the first rows by them. `problem` is why one cannot be read."""

    names: Sequence[str]
    rows: Sequence[dict[str, Any]]
    problem: str = ""


def newest_file(source: ReconciliationSource) -> ReconciliationFile | None:
    """The last one whose bytes are here."""
    files = ReconciliationFile.objects.filter(source=source, parts__isnull=False)
    return files.exclude(state=ReconciliationFile.State.ARRIVING).order_by("-pk").first()


def sample_of(file: ReconciliationFile) -> Sample:
    source = file.source
    lines = (line for line in lines_of(parts_of(file), source.encoding) if line.text.strip() or line.problem)
    try:
        names: list[str] = []
        if source.format == ReconciliationSource.Format.CSV:
            names = [name for line in islice(lines, 1) for name in names_in(line, source.delimiter)]
        rows, problem = rows_of(islice(lines, LINES), reader_for(source, names))
    except (FileRefused, Unreadable) as refused:
        return Sample((), (), str(refused))
    found = names or list(dict.fromkeys(name for row in rows for name in row))
    return Sample(found[:MOST_COLUMNS], rows, problem)


def rows_of(lines: Iterable[Line], reader: CsvReader | JsonReader) -> tuple[list[dict[str, Any]], str]:
    """Those that can be read, and why the last of the others cannot: one bad row hides no good ones."""
    rows, problem = [], ""
    for line in lines:
        problem = line.problem or problem
        if line.problem:
            continue
        try:
            rows.append(flat(reader.read(line.text)))
        except Unreadable as unreadable:
            problem = str(unreadable)
    return rows, problem
