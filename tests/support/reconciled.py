"""Files that tests reconcile: a source of a game or a provider, and what a comparison finds."""

from collections.abc import Iterable
from typing import Any

from benchmarks.seeded_file import COLUMNS, Known
from payments.models import Difference, ReconciliationFile, ReconciliationSource
from payments.reconciliation.files import PART_SIZE, add_part, begin_file, end_file
from payments.reconciliation.run import compare_file
from tests.support.callers import PlayerSession, unique
from wallet.models import Transaction

WORDS = {"type": {"BET": "withdrawal", "WIN": "deposit"}}


def game_source(game: Any, **changes: Any) -> ReconciliationSource:
    values = {"columns": COLUMNS, "words": WORDS} | changes
    return ReconciliationSource.objects.create(name=unique("s"), game=game, **values)


def arrived(
    source: ReconciliationSource, content: bytes | str, name: str = "day.csv", **period: Any
) -> ReconciliationFile:
    """A file that has arrived in its parts."""
    data = content.encode() if isinstance(content, str) else content
    file = begin_file(source, name=name, size=len(data), actor="operator:test", **period)
    for number, first in enumerate(range(0, len(data), PART_SIZE), 1):
        add_part(file, number, data[first : first + PART_SIZE])
    return end_file(file)


def compared(source: ReconciliationSource, content: bytes | str, **period: Any) -> ReconciliationFile:
    """The same, compared to its end."""
    file = arrived(source, content, **period)
    compare_file(file.pk, float("inf"))
    file.refresh_from_db()
    return file


def found(file: ReconciliationFile) -> set[tuple[str, str]]:
    """Kind and id of what it shows; of unreadable rows kind and line."""
    rows = Difference.objects.filter(file=file)
    return {(row.kind, row.key or str(row.line)) for row in rows}


def confirmed_of(session: PlayerSession) -> list[Known]:
    """A session's confirmed transactions in the order in which they were opened."""
    rows = Transaction.objects.filter(player=session.player, game=session.game, state="confirmed")
    return [
        Known(
            str(row.mm_transaction_id),
            row.type,
            session.player.uid,
            row.amount or 0,
            row.wallet.currency_id,
            row.settled_at or row.opened_at,
        )
        for row in rows.select_related("wallet").order_by("id")
    ]


def text_of(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
