"""The one door to the ledger: calls the functions of `wallet/sql`, each in one round trip, and retries what is safe to repeat."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection
from django.db.utils import InterfaceError, OperationalError
from psycopg import errors
from psycopg.types.numeric import Int4, Int8

logger = logging.getLogger(__name__)

# A lock or a race lost; the same call again is safe, and sees what the winner did.
LOST_RACES = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)
MOST_TRIES = 4


class Answer(NamedTuple):
    """What a ledger function decided. `balance` is in minor units of `currency`; absent where there is no wallet."""

    outcome: str
    transaction_id: str
    balance: int
    currency: str


class CallContext(NamedTuple):
    """Who asks the ledger, for the journal and the call log."""

    game_id: UUID
    actor: str
    credential_id: UUID
    endpoint: str
    address: str
    elapsed_us: int


class SessionView(NamedTuple):
    """A session as a game may see it; `balance` in minor units."""

    is_live: bool
    uid: str
    nickname: str
    country: str
    language: str
    balance: int
    currency: str


class TransactionView(NamedTuple):
    """A transaction as a game may ask about it; `amount` in minor units, None for a tombstone."""

    outcome: str
    transaction_id: str
    state: str
    amount: int | None
    currency: str
    opened_at: datetime
    settled_at: datetime | None


class Posting(NamedTuple):
    """One movement of a payment, in minor units. `type` is a `Transaction.Type`; `reverses` names the transaction that it takes back."""

    id: UUID
    type: str
    currency: str
    amount: int
    reverses: UUID | None = None


ANSWER = "SELECT outcome, transaction_id::text, balance, currency_code FROM "

OPEN = ANSWER + "ledger_open(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::inet, %s)"
SETTLE = ANSWER + "ledger_settle(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::inet, %s)"
QUERY = "SELECT outcome, transaction_id::text, state, amount, currency_code, opened_at, settled_at FROM ledger_query(%s, %s, %s, %s, %s, %s, %s::inet, %s)"
RESOLVE = ANSWER + "ledger_resolve(%s, %s, %s, %s, %s)"
EXPIRE = "SELECT ledger_expire(%s, %s, %s)"
ADJUST = ANSWER + "ledger_adjust(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
GATE = ANSWER + "ledger_gate(%s, %s, %s, %s, %s, %s)"
POST = "SELECT ledger_post(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
SET_ASIDE = "SELECT ledger_set_aside(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
OPEN_WALLET = "SELECT ledger_open_wallet(%s, %s, %s)"
LOG_REFUSED = "SELECT call_log_refused(%s, %s, %s, %s, %s, %s::inet, %s)"
SESSION = """
    SELECT s.ended_at IS NULL AND s.expires_at > wallet_now(), p.uid, p.nickname, p.country, s.language, w.spendable, w.currency_id
    FROM players_gamesession s
    JOIN players_player p ON p.id = s.player_id
    JOIN wallet_wallet w ON w.player_id = s.player_id AND w.currency_id = s.currency_code
    WHERE s.token_hash = %s AND s.game_id = %s
"""


def run(statement: str, parameters: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Runs one prepared statement and returns its row. Outside an atomic block it is its own, committed when this returns.

    A lost race, and one lost connection, are tried again: every ledger call is safe to repeat. Raises Django's
    OperationalError where the database cannot be reached or does not answer in time.
    """
    for attempt in range(1, MOST_TRIES + 1):
        try:
            return run_once(statement, parameters)
        except LOST_RACES as problem:
            if connection.in_atomic_block:
                raise
            if attempt == MOST_TRIES:
                raise OperationalError("the race was lost too often") from problem
            logger.info("ledger call is repeated: %s", type(problem).__name__)
        except (
            OperationalError,
            InterfaceError,
            psycopg.OperationalError,
            psycopg.InterfaceError,
        ) as problem:
            if connection.in_atomic_block:
                raise
            broken = connection.connection is None or connection.connection.closed
            connection.close()
            if not broken or attempt > 1:
                raise OperationalError("the database did not answer") from problem
    raise AssertionError("unreachable")


def run_once(statement: str, parameters: tuple[Any, ...]) -> tuple[Any, ...] | None:
    # psycopg's own cursor on Django's connection: Django's would neither prepare the statement nor bind on the server.
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, parameters, prepare=True).fetchone()


def answer(statement: str, parameters: tuple[Any, ...]) -> Answer:
    row = run(statement, parameters)
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return Answer(*row)


def open_transaction(
    context: CallContext,
    type_: str,
    token_hash: bytes,
    mm_transaction_id: str,
    amount: int,
    currency: str,
    description: str,
    pending: timedelta,
) -> Answer:
    """Opens a withdrawal or a deposit of `amount` minor units; it becomes due after `pending` (contract 2.1, 2.3)."""
    return answer(
        OPEN,
        (
            *(
                type_,
                context.game_id,
                token_hash,
                mm_transaction_id,
                Int8(amount),
                currency,
                description,
                pending,
            ),
            *(
                context.actor,
                context.credential_id,
                context.endpoint,
                context.address,
                Int4(context.elapsed_us),
            ),
        ),
    )


def settle_transaction(
    context: CallContext,
    event: str,
    type_: str,
    token_hash: bytes,
    mm_transaction_id: str,
    amount: int | None,
    currency: str | None,
    reason: str,
) -> Answer:
    """The game confirms (`event` confirmed) or rolls back (rolled_back); `amount` in minor units where it repeats it."""
    return answer(
        SETTLE,
        (
            *(
                event,
                type_,
                context.game_id,
                token_hash,
                mm_transaction_id,
                None if amount is None else Int8(amount),
                currency,
                reason,
            ),
            *(
                context.actor,
                context.credential_id,
                context.endpoint,
                context.address,
                Int4(context.elapsed_us),
            ),
        ),
    )


def query_transaction(
    context: CallContext, type_: str, token_hash: bytes, mm_transaction_id: str
) -> TransactionView:
    """What became of a transaction of this game and player."""
    row = run(
        QUERY,
        (
            type_,
            context.game_id,
            token_hash,
            mm_transaction_id,
            context.credential_id,
            context.endpoint,
            context.address,
            Int4(context.elapsed_us),
        ),
    )
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return TransactionView(*row)


def find_session(game_id: UUID, token_hash: bytes) -> SessionView | None:
    """The session that a token stands for, live or not; None where this game never had it."""
    row = run(SESSION, (token_hash, game_id))
    return SessionView(*row) if row else None


def log_refused(context: CallContext, outcome: str, mm_transaction_id: str) -> None:
    """Writes a call into the call log that was refused before the ledger was asked."""
    run(
        LOG_REFUSED,
        (
            outcome,
            context.game_id,
            context.credential_id,
            context.endpoint,
            mm_transaction_id,
            context.address,
            Int4(context.elapsed_us),
        ),
    )


def resolve_transaction(transaction_id: UUID, event: str, source: str, actor: str, reason: str) -> Answer:
    """The platform itself ends a pending transaction: `event` is confirmed, rolled_back or expired."""
    return answer(RESOLVE, (transaction_id, event, source, actor, reason))


def expire_transactions(transaction_ids: list[UUID], actor: str, reason: str) -> int:
    """Expires those that are pending and due, and whose wallet nobody else works on. Returns how many."""
    row = run(EXPIRE, (transaction_ids, actor, reason))
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return int(row[0])


def open_wallet(player_id: UUID, currency: str, actor: str) -> UUID:
    """The id of the player's wallet in a known currency, opened now where it was not."""
    row = run(OPEN_WALLET, (player_id, currency, actor))
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return UUID(str(row[0]))


def adjust_wallet(
    transaction_id: UUID,
    player_id: UUID,
    currency: str,
    type_: str,
    amount: int,
    *,
    into_debt: bool,
    source: str,
    actor: str,
    reason: str,
) -> Answer:
    """Credits or debits `amount` minor units; repeated with the same id it is done once."""
    return answer(
        ADJUST, (transaction_id, player_id, currency, type_, Int8(amount), into_debt, source, actor, reason)
    )


def post(
    player_id: UUID,
    game_id: UUID,
    postings: Sequence[Posting],
    *,
    description: str,
    source: str,
    actor: str,
    reason: str,
) -> str:
    """Writes what a payment moves, all or none. Returns posted, or limit_reached where a wallet would hold or owe too much."""
    ids, types, currencies, amounts, reverses = (list(column) for column in zip(*postings, strict=True))
    row = run(
        POST,
        (
            player_id,
            game_id,
            ids,
            currencies,
            types,
            [Int8(amount) for amount in amounts],
            reverses,
            description,
            source,
            actor,
            reason,
        ),
    )
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return str(row[0])


def set_aside(
    id: UUID,
    player_id: UUID,
    game_id: UUID,
    currency: str,
    most: int,
    *,
    reverses: UUID | None,
    description: str,
    source: str,
    actor: str,
) -> int:
    """Reserves what is there of `most` minor units for a refund. Returns how much; 0 where nothing is there, and no transaction then."""
    row = run(SET_ASIDE, (id, player_id, game_id, currency, Int8(most), reverses, description, source, actor))
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return int(row[0])


def gate_wallet(
    player_id: UUID, currency: str, event: str, limit: int | None, actor: str, note: str
) -> Answer:
    """Freezes, unfreezes or limits (`limit` in minor units, None for no limit) a wallet's withdrawals."""
    return answer(GATE, (player_id, currency, event, None if limit is None else Int8(limit), actor, note))
