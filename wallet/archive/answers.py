"""Writes down with each transaction what a repeated call is answered, before the entry goes that says so."""

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from wallet.archive.parts import Part

AT_ONCE = 10_000
# The entry that is so many entries further on; none at the end.
FURTHER = """
    SELECT player_id, wallet_id, seq FROM {part}
    WHERE (player_id, wallet_id, seq) > (%s, %s, %s)
    ORDER BY player_id, wallet_id, seq LIMIT 1 OFFSET %s
"""
LAST = """
    SELECT player_id, wallet_id, seq FROM {part}
    ORDER BY player_id DESC, wallet_id DESC, seq DESC LIMIT 1
"""
BETWEEN = """
    FROM {part} e
    WHERE (e.player_id, e.wallet_id, e.seq) > (%s, %s, %s)
        AND (e.player_id, e.wallet_id, e.seq) <= (%s, %s, %s)
        AND t.player_id = e.player_id AND t.id = e.transaction_id
"""
OPENED = (
    "t.opened_seq = e.seq AND t.opened_balance IS NULL AND e.event IN ('opened', 'declined') "
    "AND t.type IN ('withdrawal', 'deposit')"
)
SETTLED = "t.settled_seq = e.seq AND t.settled_balance IS NULL"
FILL = (
    f"UPDATE wallet_transaction t SET opened_balance = e.spendable {BETWEEN} AND {OPENED}",  # noqa: S608
    f"UPDATE wallet_transaction t SET settled_balance = e.spendable {BETWEEN} AND {SETTLED}",  # noqa: S608
)
UNANSWERED = f"""
    SELECT count(*) FROM {{part}} e JOIN wallet_transaction t
        ON t.player_id = e.player_id AND t.id = e.transaction_id AND (({OPENED}) OR ({SETTLED}))
"""  # noqa: S608 (our own constants)
NIL = "00000000-0000-0000-0000-000000000000"


def fill_answers(part: Part, tell: Callable[[int], object] = lambda filled: None) -> int:
    """Fills the answers of transactions from before answers were kept, in batches that are each committed.

    Returns how many; a second time there are none.
    """
    name, filled = connection.ops.quote_name(part.name), 0
    after: tuple[Any, ...] | None = (NIL, NIL, 0)
    last = one(LAST.format(part=name), [])
    while last and after and after != last:
        until = one(FURTHER.format(part=name), [*after, AT_ONCE - 1]) or last
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in FILL:
                cursor.execute(statement.format(part=name), [*after, *until])
                filled += cursor.rowcount
        after = until
        tell(filled)
    return filled


def unanswered(part: Part) -> int:
    """How many answers are still only in the entries."""
    found = one(UNANSWERED.format(part=connection.ops.quote_name(part.name)), [])
    return int(found[0]) if found else 0


def one(question: str, parameters: list[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
