"""The second pass: what is here and in no row is looked for by amount and time, or is missing there. Then the
third: what rows are left is missing here, and earlier differences that are no more are closed.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from lib.backoffice.languages import stored
from lib.clock import now
from lib.ids import id_at
from payments.models import Difference, ReconciliationFile
from payments.reconciliation import staged
from payments.reconciliation.columns import PENDING, Row
from payments.reconciliation.comparison import (
    Ours,
    apart,
    has_to_be_there,
    is_like,
    kinds_of,
    matters_here,
)
from payments.reconciliation.differences import Found, between, keep, missing_here, missing_there
from payments.reconciliation.sides import side_of

State = ReconciliationFile.State
BATCH = 5_000
# Rows of one amount on each side in time.
MOST_LOOKED_AT = 100
SEARCHED = ("cursor", "matched", "matched_by_amount", "at_edges", "found", "decided_before", "state")
NO_MORE = stored("A later comparison shows it no more: {file}.")
MOMENT = timedelta(microseconds=1)


class Covered(NamedTuple):
    """The time in which everything has to be in the file."""

    since: datetime
    until: datetime

    def has(self, ours: Ours) -> bool:
        return self.since <= ours.opened_at and (ours.settled_at or ours.opened_at) < self.until

    def touches(self, ours: Ours) -> bool:
        return self.since <= (ours.settled_at or ours.opened_at) and ours.opened_at < self.until


def covered_by(file: ReconciliationFile) -> Covered | None:
    """As it was said, or else from the first time in the file to the last; None if nobody says any."""
    since = file.covers_from or file.first_at
    until = file.covers_until or (file.last_at + MOMENT if file.last_at else None)
    return Covered(since, until) if since and until else None


class Search:
    """What is here, in the order of time, from where an earlier worker has come to."""

    def __init__(self, file: ReconciliationFile) -> None:
        self.file, self.source, self.side = file, file.source, side_of(file.source)
        self.tolerance = timedelta(seconds=file.source.tolerance_seconds)
        self.covered = covered_by(file)

    def go_on(self) -> bool:
        """The next batch, in an atomic block of its own. False after the last."""
        batch = self.batch() if self.covered else []
        with transaction.atomic():
            if batch:
                self.search(batch)
                self.file.cursor = batch[-1].id
            if len(batch) < BATCH:
                self.file.state = State.ENDING
            self.file.save(update_fields=SEARCHED)
        return len(batch) == BATCH

    def batch(self) -> list[Ours]:
        assert self.covered
        since = min(filter(None, (self.covered.since, self.file.first_at))) - self.tolerance
        until = max(filter(None, (self.covered.until, self.file.last_at))) + self.tolerance
        return self.side.opened_between(self.file.cursor or id_at(since), id_at(until), BATCH)

    def search(self, batch: Sequence[Ours]) -> None:
        there = staged.matched(self.file.pk, [one.id for one in batch])
        left = [one for one in batch if one.id not in there and self.is_sought(one)]
        if not left:
            return
        rows = self.rows_near(left)
        pairs, found = [], []
        for ours in left:
            row = rows.nearest(ours, has_id=False)
            if row:
                rows.take(row)
                pairs.append((row.line, ours.id))
                found += [between(kind, row, ours) for kind in kinds_of(row, ours, self.tolerance)]
            elif has_to_be_there(ours, self.source.lists_all):
                found += self.missing(ours, rows.nearest(ours, has_id=True))
        self.write(pairs, found)

    def is_sought(self, ours: Ours) -> bool:
        return has_to_be_there(ours, self.source.lists_all) or ours.state == PENDING

    def rows_near(self, left: Sequence[Ours]) -> "Unmatched":
        """The rows that they could be."""
        since = min(one.opened_at for one in left) - self.tolerance
        until = max(one.settled_at or one.opened_at for one in left) + self.tolerance
        amounts = {one.amount for one in left if one.amount is not None}
        return Unmatched(staged.unmatched(self.file.pk, since, until, amounts), self.tolerance)

    def missing(self, ours: Ours, likely: Row | None) -> list[Found]:
        assert self.covered
        if self.covered.has(ours):
            return [missing_there(ours, likely.line if likely else None)]
        self.file.at_edges += self.covered.touches(ours)
        return []

    def write(self, pairs: Sequence[tuple[int, UUID]], found: Sequence[Found]) -> None:
        staged.match_rows(self.file.pk, pairs)
        self.file.matched += len(pairs)
        self.file.matched_by_amount += len(pairs)
        self.file.decided_before += keep(self.file, found, now())
        self.file.found += len(found)


class Unmatched:
    """Rows that nothing here is so far, in the order of their times."""

    def __init__(self, rows: Sequence[Row], tolerance: timedelta) -> None:
        self.tolerance = tolerance
        self.rows: dict[tuple[bool, str, int | None, str], list[Row]] = defaultdict(list)
        for row in rows:
            self.rows[bool(row.name), row.type, row.amount, row.currency].append(row)

    def nearest(self, ours: Ours, *, has_id: bool) -> Row | None:
        """The row of the same type and amount that is nearest in time; of very many, among the next ones."""
        rows = self.rows[has_id, ours.type, ours.amount, ours.currency]
        middle = bisect_left(rows, ours.opened_at, key=time_of)
        around = rows[max(middle - MOST_LOOKED_AT, 0) : middle + MOST_LOOKED_AT]
        like = [row for row in around if is_like(row, ours, self.tolerance)]
        return min(like, key=lambda row: (apart(row, ours), row.line), default=None)

    def take(self, row: Row) -> None:
        self.rows[bool(row.name), row.type, row.amount, row.currency].remove(row)


def time_of(row: Row) -> datetime:
    assert row.at is not None
    return row.at


class Ending:
    """Goes through the rows once more, and deletes them."""

    def __init__(self, file: ReconciliationFile) -> None:
        self.file = file

    def go_on(self) -> bool:
        """The next batch, in an atomic block of its own. False after the last."""
        rows = staged.next_rows(self.file.pk)
        with transaction.atomic():
            if rows:
                self.end(rows)
            else:
                self.close(kind=Difference.Kind.UNREADABLE, file=self.file)
                self.file.state, self.file.ended_at = State.DONE, now()
            self.file.save(update_fields=["found", "decided_before", "state", "ended_at"])
        return bool(rows)

    def end(self, rows: Sequence[staged.Staged]) -> None:
        nameless = [row for row, match in rows if not (match or row.name) and matters_here(row)]
        found = [missing_here(row) for row in nameless]
        self.file.decided_before += keep(self.file, found, now())
        self.file.found += len(found)
        self.close(match__in=[match for _, match in rows if match])
        self.close(
            kind=Difference.Kind.MISSING_HERE, key__in=[row.name for row, match in rows if match and row.name]
        )
        staged.remove_until(self.file.pk, rows[-1].row.line)

    def close(self, **which: Any) -> None:
        """Undecided differences of the source that this comparison has not shown again."""
        undecided = Q(state__in=(Difference.State.OPEN, Difference.State.EXPLAINED))
        rows = Difference.objects.filter(undecided, source_id=self.file.source_id, **which)
        rows.filter(last_seen_at__lt=self.file.compared_since).update(
            state=Difference.State.RESOLVED,
            decided_at=now(),
            decided_by="",
            note=NO_MORE.format(file=self.file.name)[:255],
        )
