"""How far the comparison of a file has come, for a bar on a page."""

from typing import NamedTuple

from lib.backoffice.languages import _
from lib.ids import time_of
from payments.models import ReconciliationFile
from payments.reconciliation.leftovers import covered_by

State = ReconciliationFile.State
# Where each pass begins on the bar, in percent, and how much of it is the pass's.
SPANS = {State.READING: (0, 75), State.SEARCHING: (75, 15), State.ENDING: (90, 10)}
COUNTED = _("{rows} rows read, {found} differences so far.")


class Progress(NamedTuple):
    percent: int
    words: str
    is_over: bool


def progress_of(file: ReconciliationFile) -> Progress:
    if file.state == State.ARRIVING:
        return Progress(part(file.arrived, file.size, 100), _("The file is arriving."), is_over=False)
    if file.state not in SPANS:
        return Progress(100, str(file.get_state_display()), is_over=True)
    begins, share = SPANS[State(file.state)]
    words = COUNTED.format(rows=f"{file.rows:,}", found=f"{file.found:,}")
    return Progress(begins + within(file, share), words, is_over=False)


def within(file: ReconciliationFile, share: int) -> int:
    if file.state == State.READING:
        return part(file.bytes_read, file.size, share)
    covered = covered_by(file)
    if file.state == State.SEARCHING and covered and file.cursor:
        passed = (time_of(file.cursor) - covered.since).total_seconds()
        return part(int(passed), int((covered.until - covered.since).total_seconds()), share)
    return 0


def part(done: int, of: int, share: int) -> int:
    return min(max(done, 0) * share // max(of, 1), share)
