"""Differences as a file that people fill in, and what came of each row when it is back."""

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from lib.backoffice.languages import _, format_lazy
from payments.models import Difference, ReconciliationFile
from payments.reconciliation.decisions import accept, explain, reopen, resolve
from wallet.currencies import decimals_of
from wallet.money import to_major

# "difference", "decision" and "reason" are read; all else is for whoever fills it in.
HEADERS = (
    *("difference", "kind", "line", "id in the file", "type", "here", "state"),
    *("file amount", "file currency", "file state", "file time", "file text"),
    *("our amount", "our currency", "our state", "our time", "decision", "reason"),
)
DECISIONS = {"accept": accept, "explain": explain, "resolve": resolve, "reopen": reopen}
MOST_ROWS = 1_000
NO_TEXT = _("The file must be CSV in UTF-8, with the columns difference, decision and reason.")
TOO_MANY = _("More than {number} rows have a decision: leave the others out.")
BAD_ROW = _("Line {line}: {problem} Nothing was done.")
NO_DIFFERENCE = _("it names no difference.")
NO_DECISION = _("the decision must be accept, explain, resolve or reopen.")
NO_REASON = _("a decision needs a reason of at most 255 characters.")
TWICE = _("the difference stands there twice.")


class NotReadable(Exception):
    """Why nothing of a file of decisions was done; the text is for operators."""


class Decision(NamedTuple):
    difference: UUID
    word: str
    reason: str


def rows_of(file: ReconciliationFile) -> Iterator[list[Any]]:
    """The undecided differences of a file."""
    rows = Difference.objects.filter(file=file, state__in=Difference.UNDECIDED).order_by("line", "pk")
    for row in rows.iterator(chunk_size=500):
        theirs, ours = row.theirs, row.ours
        yield [
            *(row.pk, row.kind, row.line, row.key, row.type, row.match, row.state),
            *(
                major(theirs),
                theirs.get("currency"),
                theirs.get("state"),
                theirs.get("at"),
                theirs.get("text"),
            ),
            *(major(ours), ours.get("currency"), ours.get("state"), ours.get("at"), "", ""),
        ]


def major(side: dict[str, Any]) -> str:
    amount, decimals = side.get("amount"), decimals_of(side.get("currency") or "")
    return "" if amount is None or decimals is None else str(to_major(amount, decimals))


def read_decisions(content: bytes) -> list[Decision]:
    """What somebody has filled in. Raises `NotReadable`, before anything is done."""
    try:
        text = content.decode("utf-8-sig")
        # A spreadsheet saves with what its country has between cells.
        delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
        table = list(csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise NotReadable(NO_TEXT) from problem
    if table and not {"difference", "decision", "reason"} <= set(table[0]):
        raise NotReadable(NO_TEXT)
    found = [read_row(line, row) for line, row in enumerate(table, 2) if (row["decision"] or "").strip()]
    if len(found) > MOST_ROWS:
        raise NotReadable(format_lazy(TOO_MANY, number=f"{MOST_ROWS:,}"))
    if len({one.difference for one in found}) < len(found):
        raise NotReadable(TWICE)
    return found


def read_row(line: int, row: dict[str, Any]) -> Decision:
    word, reason = (row["decision"] or "").strip().lower(), (row["reason"] or "").strip()
    try:
        id = UUID((row["difference"] or "").strip())
    except ValueError:
        raise NotReadable(format_lazy(BAD_ROW, line=line, problem=NO_DIFFERENCE)) from None
    if word not in DECISIONS:
        raise NotReadable(format_lazy(BAD_ROW, line=line, problem=NO_DECISION))
    if not 0 < len(reason) <= 255:
        raise NotReadable(format_lazy(BAD_ROW, line=line, problem=NO_REASON))
    return Decision(id, word, reason)
