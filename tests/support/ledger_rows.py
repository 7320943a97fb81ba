"""What the ledger has written about some players, but for ids and times, so that two ways can be compared."""

import uuid
from typing import Any

from django.db import connection

from players.models import Game, Player
from tests.support.invariants import problems_of

# Everything that is written, but for ids and times.
WRITTEN = {
    "journal": """
        SELECT e.wallet_id, e.seq, t.game_id, t.type, t.mm_transaction_id, e.event, e.debit, e.credit,
            e.amount, e.spendable, e.reserved, e.announced, e.debt, e.actor, e.note, e.version
        FROM wallet_entry e LEFT JOIN wallet_transaction t ON t.id = e.transaction_id
        WHERE e.player_id = ANY(%s) ORDER BY e.wallet_id, e.seq""",
    "transactions": """
        SELECT player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state, amount, refusal,
            description, source, actor, opened_seq, opened_balance, due_at - opened_at, settled_at IS NULL,
            settled_seq, settled_balance, settled_source, settled_actor, reason
        FROM wallet_transaction WHERE player_id = ANY(%s) ORDER BY wallet_id, opened_seq, settled_seq""",
    "wallets": """
        SELECT id, spendable, reserved, announced, debt, entry_count FROM wallet_wallet
        WHERE player_id = ANY(%s) ORDER BY id""",
    "discrepancies": """
        SELECT t.player_id, t.game_id, t.type, t.mm_transaction_id, d.kind, d.times_seen
        FROM wallet_discrepancy d JOIN wallet_transaction t ON t.id = d.transaction_id
        WHERE d.player_id = ANY(%s) ORDER BY 1, 2, 3, 4, 5""",
    "sessions": "SELECT id, is_kept FROM players_gamesession WHERE player_id = ANY(%s) ORDER BY id",
}
CALL_LOG = """
    SELECT c.game_id, c.player_id, t.type, t.mm_transaction_id, c.credential, c.endpoint, c.mm_transaction_id,
        c.amount, c.currency_code, c.address, c.outcome, c.replayed
    FROM wallet_apicall c LEFT JOIN wallet_transaction t ON t.id = c.transaction_id
    WHERE c.game_id = ANY(%s) ORDER BY c.at, c.id
"""


NAMES = """
    SELECT id::text, player_id, game_id, type, mm_transaction_id FROM wallet_transaction
    WHERE player_id = ANY(%s)
"""


def written(players: list[Player], games: list[Game]) -> dict[str, object]:
    """The rows by what they are, and what the audit says of them."""
    ids = [player.pk for player in players]
    found: dict[str, object] = {name: rows(query, ids) for name, query in WRITTEN.items()}
    return found | {
        "call log": rows(CALL_LOG, [game.pk for game in games]),
        "problems": problems_of(*players),
    }


def names(players: list[Player]) -> dict[str, tuple[object, ...]]:
    """What a transaction is called whatever its id, by its id."""
    return {id: tuple(name) for id, *name in rows(NAMES, [player.pk for player in players])}


def rows(query: str, ids: list[uuid.UUID]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [ids])
        return list(cursor.fetchall())
