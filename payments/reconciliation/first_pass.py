"""The first pass: every row is read, looked up by its id, and compared."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction

from lib.backoffice.languages import stored
from lib.clock import now
from payments.models import ReconciliationFile
from payments.reconciliation import staged
from payments.reconciliation.columns import Columns, Row
from payments.reconciliation.comparison import Ours, best, candidates, kinds_of, matters_here
from payments.reconciliation.content import FileRefused, Line, Meter, lines_of
from payments.reconciliation.differences import Found, between, keep, missing_here, repeated, unreadable
from payments.reconciliation.files import parts_of
from payments.reconciliation.records import CsvReader, JsonReader, Unreadable, names_of, reader_for
from payments.reconciliation.sides import side_of
from payments.reconciliation.staged import Name, Staged, name_of
from players.models import Player

BATCH = 5_000
# A file with more is read by the wrong columns.
MOST_FOUND = 100_000
MOST_ROWS = 10_000_000
TOO_MANY_ROWS = stored("The file has more than {most} rows: split it.")
TOO_MANY = stored("More than {most} rows differ: are these the right columns, time zone and source?")
NO_NAME = stored("The first line has no column “{name}”: choose the columns again.")
NO_LINES = stored("The file has no lines.")
PROGRESS = (
    *("lines_read", "bytes_read", "rows", "matched", "found", "decided_before", "first_at", "last_at"),
    "state",
)


class Reading:
    """The rows of a file from where an earlier worker has come to."""

    def __init__(self, file: ReconciliationFile) -> None:
        self.file, self.source = file, file.source
        self.side, self.columns = side_of(file.source), Columns(file.source)
        self.tolerance = timedelta(seconds=file.source.tolerance_seconds)
        self.meter = Meter()
        self.lines = lines_of(self.meter.measured(parts_of(file)), self.source.encoding)
        self.reader = self.made_ready()

    def made_ready(self) -> CsvReader | JsonReader:
        """Reads the first line of CSV, and goes to where the next batch begins. Raises `FileRefused`."""
        names: Sequence[str] = ()
        begin = self.file.lines_read
        if self.source.format == self.source.Format.CSV:
            first = next((line for line in self.lines if line.text.strip() or line.problem), None)
            if first is None:
                raise FileRefused(NO_LINES)
            names = names_in(first, self.source.delimiter)
            for name in self.source.columns.values():
                if name and name not in names:
                    raise FileRefused(NO_NAME.format(name=name))
            begin = max(begin - first.number, 0)
        next(islice(self.lines, begin, begin), None)
        return reader_for(self.source, names)

    def go_on(self) -> bool:
        """The next batch, in an atomic block of its own. False after the last. Raises `FileRefused`."""
        lines = list(islice(self.lines, BATCH))
        with transaction.atomic():
            if lines:
                self.compare(lines)
            else:
                self.file.state = ReconciliationFile.State.SEARCHING
            self.file.save(update_fields=PROGRESS)
        return bool(lines)

    def compare(self, lines: Sequence[Line]) -> None:
        rows, found = self.read(lines)
        matches, more = self.looked_up(rows)
        found += more
        staged.stage(self.file.pk, matches)
        file, at = self.file, now()
        file.decided_before += keep(file, found, at)
        file.found += len(found)
        file.rows += sum(1 for line in lines if line.text.strip() or line.problem)
        file.matched += sum(one.match is not None for one in matches)
        file.lines_read, file.bytes_read = lines[-1].number, self.meter.taken
        times = [row.at for row in rows if row.at]
        if times:
            file.first_at = min([*times, *([file.first_at] if file.first_at else [])])
            file.last_at = max([*times, *([file.last_at] if file.last_at else [])])
        if file.rows > MOST_ROWS:
            raise FileRefused(TOO_MANY_ROWS.format(most=f"{MOST_ROWS:,}"))
        if file.found > MOST_FOUND:
            raise FileRefused(TOO_MANY.format(most=f"{MOST_FOUND:,}"))

    def read(self, lines: Sequence[Line]) -> tuple[list[Row], list[Found]]:
        """The rows, and those that cannot be read."""
        rows, found = [], []
        for line in lines:
            if not line.text.strip() and not line.problem:
                continue
            try:
                rows.append(self.columns.read(line.number, self.reader.read(readable(line))))
            except Unreadable as problem:
                found.append(unreadable(line.number, line.text, str(problem)))
        return rows, found

    def looked_up(self, rows: Sequence[Row]) -> tuple[list[Staged], list[Found]]:
        """What each row is here, and where they differ."""
        known = self.known(rows)
        taken = staged.matched(self.file.pk, {one.id for ours in known for one in ours})
        lost = {row.name for row, ours in zip(rows, known, strict=True) if row.name and not ours}
        names = staged.named_before(self.file.pk, lost)
        players = self.players(rows, known)
        matches, found = [], []
        for row, ours in zip(rows, known, strict=True):
            match = best(row, ours, taken)
            if match:
                taken.add(match.id)
                found += [between(kind, row, match) for kind in kinds_of(row, match, self.tolerance)]
            elif row.name:
                found += self.lost(row, ours, names, players)
            matches.append(Staged(row, match.id if match else None))
        return matches, found

    def lost(
        self, row: Row, ours: Sequence[Ours], names: set[Name], players: dict[str, Player]
    ) -> Iterator[Found]:
        """Of a row with an id that is nothing here, or was it in an earlier row."""
        if ours or name_of(row) in names:
            yield repeated(row, ours[0] if ours else None)
        elif matters_here(row):
            player = players.get(row.player)
            yield missing_here(row, player.pk if player else None)
        names.add(name_of(row))

    def known(self, rows: Sequence[Row]) -> list[list[Ours]]:
        """What each row can be here, by our id, or else by theirs."""
        by_key: dict[str, list[Ours]] = defaultdict(list)
        by_id: dict[UUID, list[Ours]] = defaultdict(list)
        keys = {row.key for row in rows if row.key}
        for one in self.side.named(list(keys), list({row.our_id for row in rows if row.our_id})):
            for key in one.keys:
                by_key[key].append(one)
            by_id[one.id].append(one)
            if one.order:
                by_id[one.order].append(one)
        return [
            (candidates(row, by_id.get(row.our_id, ())) if row.our_id else [])
            or (candidates(row, by_key.get(row.key, ())) if row.key else [])
            for row in rows
        ]

    def players(self, rows: Sequence[Row], known: Sequence[Sequence[Ours]]) -> dict[str, Player]:
        """Those whom rows name that are nothing here."""
        uids = {row.player for row, ours in zip(rows, known, strict=True) if row.player and not ours}
        return {player.uid: player for player in Player.objects.filter(uid__in=uids)} if uids else {}


def names_in(line: Line, delimiter: str) -> list[str]:
    """The names in the first line. Raises `FileRefused`."""
    try:
        return names_of(readable(line), delimiter)
    except Unreadable as problem:
        raise FileRefused(str(problem)) from problem


def readable(line: Line) -> str:
    """Its text. Raises `Unreadable`."""
    if line.problem:
        raise Unreadable(line.problem)
    return line.text
