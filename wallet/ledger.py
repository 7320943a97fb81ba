"""The one door to the ledger: calls the functions of `wallet/sql`, each in one round trip."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from psycopg.types.numeric import Int4, Int8

from lib.event_loop import in_loop
from wallet.kept_answers import KEPT_ANSWERS
from wallet.ledger_queue import BATCHES, Unbatched
from wallet.ledger_statements import (
    ADJUST,
    CORRECT,
    EXPIRE,
    GATE,
    LOCK_WALLET,
    LOG_REFUSED,
    OPEN,
    OPEN_WALLET,
    PLAYER,
    POST,
    QUERY,
    RESOLVE,
    SESSION,
    SET_ASIDE,
    SETTLE,
)
from wallet.ledger_tries import Parameters, run, statement_span

# Whose a session is, by its token's hash, which never changes; for a distributed database.
PLAYERS: dict[bytes, UUID] = {}
MOST_PLAYERS = 100_000
NOBODY = UUID(int=0)


class Answer(NamedTuple):
    """What a ledger function decided. `balance` is in minor units of `currency`; absent if there is no
    wallet.
    """

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
    """One movement of a payment, in minor units. `type` is a `Transaction.Type`; `reverses` names the
    transaction that it takes back.
    """

    id: UUID
    type: str
    currency: str
    amount: int
    reverses: UUID | None = None


def value(statement: str, parameters: Parameters) -> Any:
    """The one value that a ledger function returns."""
    row = run(statement, parameters)
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return row[0]


def answer(statement: str, parameters: Parameters) -> Answer:
    row = run(statement, parameters)
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return Answer(*row)


def answer_to_game(statement: str, parameters: dict[str, Any]) -> Answer:
    """The answer to an opening or a settling of a game."""
    found = answer_in_batch(statement, parameters)
    KEPT_ANSWERS.note(parameters, found.outcome, found.transaction_id)
    return found


def answer_in_batch(statement: str, parameters: dict[str, Any]) -> Answer:
    """The call goes along with others where that serves it: not if each goes to another machine."""
    if not in_loop() or settings.DATABASE_DISTRIBUTED:
        return answer(statement, parameters)
    with statement_span(statement) as span:
        try:
            return Answer(*BATCHES.ask(statement, parameters, span))
        except Unbatched:
            return answer(statement, parameters)


def caller(context: CallContext) -> dict[str, Any]:
    """What the call log is told in every call."""
    return {
        "game": context.game_id,
        "credential": context.credential_id,
        "endpoint": context.endpoint,
        "address": context.address,
        "elapsed_us": Int4(context.elapsed_us),
    }


def place(token_hash: bytes) -> dict[str, Any]:
    """By whose machine a call of this session is answered, if the database is distributed."""
    if not settings.DATABASE_DISTRIBUTED:
        return {}
    if token_hash not in PLAYERS:
        row = run(PLAYER, {"token_hash": token_hash})
        if row is None:
            return {"player": NOBODY}
        if len(PLAYERS) >= MOST_PLAYERS:
            PLAYERS.clear()
        PLAYERS[token_hash] = row[0]
    return {"player": PLAYERS[token_hash]}


def open_transaction(
    context: CallContext,
    *,
    type: str,
    token_hash: bytes,
    mm_transaction_id: str,
    amount: int,
    currency: str,
    description: str,
    pending: timedelta,
) -> Answer:
    """Opens a withdrawal or a deposit of `amount` minor units; it becomes due after `pending` (contract 2.1,
    2.3).
    """
    parameters = {
        "type": type,
        "token_hash": token_hash,
        "mm": mm_transaction_id,
        "amount": Int8(amount),
        "currency": currency,
        "description": description,
        "pending": pending,
        "actor": context.actor,
    }
    return answer_to_game(OPEN, parameters | caller(context) | place(token_hash))


def settle_transaction(
    context: CallContext,
    *,
    event: str,
    type: str,
    token_hash: bytes,
    mm_transaction_id: str,
    amount: int | None = None,
    currency: str | None = None,
    reason: str = "",
) -> Answer:
    """The game confirms (`event` confirmed) or rolls back (rolled_back); `amount` in minor units if it
    repeats it.
    """
    parameters = {
        "event": event,
        "type": type,
        "token_hash": token_hash,
        "mm": mm_transaction_id,
        "amount": None if amount is None else Int8(amount),
        "currency": currency,
        "reason": reason,
        "actor": context.actor,
    }
    return answer_to_game(SETTLE, parameters | caller(context) | place(token_hash))


def query_transaction(
    context: CallContext, *, type: str, token_hash: bytes, mm_transaction_id: str
) -> TransactionView:
    """What became of a transaction of this game and player."""
    parameters = {"type": type, "token_hash": token_hash, "mm": mm_transaction_id}
    row = run(QUERY, parameters | caller(context) | place(token_hash))
    if row is None:
        raise AssertionError("a ledger function returns a row")
    return TransactionView(*row)


def find_session(*, game_id: UUID, token_hash: bytes) -> SessionView | None:
    """The session that a token stands for, live or not; None if this game never had it."""
    row = run(SESSION, {"token_hash": token_hash, "game": game_id} | place(token_hash))
    return SessionView(*row) if row else None


def log_refused(context: CallContext, *, outcome: str, mm_transaction_id: str) -> None:
    """Writes a call into the call log that was refused before the ledger was asked."""
    run(LOG_REFUSED, {"outcome": outcome, "mm": mm_transaction_id} | caller(context))


def resolve_transaction(*, transaction_id: UUID, event: str, source: str, actor: str, reason: str) -> Answer:
    """The platform itself ends a pending transaction: `event` is confirmed, rolled_back or expired."""
    parameters = {
        "transaction": transaction_id,
        "event": event,
        "source": source,
        "actor": actor,
        "reason": reason,
    }
    return answer(RESOLVE, parameters)


def expire_transactions(*, transaction_ids: list[UUID], actor: str, reason: str) -> int:
    """Expires those that are pending and due, and whose wallet nobody else works on. Returns how many."""
    return int(value(EXPIRE, {"transactions": transaction_ids, "actor": actor, "reason": reason}))


def open_wallet(*, player_id: UUID, currency: str, actor: str) -> UUID:
    """The id of the player's wallet in a known currency, opened now if it was not."""
    return UUID(str(value(OPEN_WALLET, {"player": player_id, "currency": currency, "actor": actor})))


def lock_wallet(*, player_id: UUID, currency: str) -> UUID | None:
    """Locks the player's wallet until the end of the atomic block. Returns its id, None if there is none."""
    found = value(LOCK_WALLET, {"player": player_id, "currency": currency})
    return UUID(str(found)) if found else None


def adjust_wallet(
    *,
    transaction_id: UUID,
    player_id: UUID,
    currency: str,
    type: str,
    amount: int,
    into_debt: bool,
    source: str,
    actor: str,
    reason: str,
) -> Answer:
    """Credits, debits or writes off `amount` minor units; repeated with the same id it is done once."""
    parameters = {
        "id": transaction_id,
        "player": player_id,
        "currency": currency,
        "type": type,
        "amount": Int8(amount),
        "into_debt": into_debt,
        "source": source,
        "actor": actor,
        "reason": reason,
    }
    return answer(ADJUST, parameters)


def correct(*, transaction_id: UUID, discrepancy_id: UUID, actor: str, reason: str) -> Answer:
    """Books a discrepancy as the game says, and closes it; repeated with the same id it is done once."""
    parameters = {"id": transaction_id, "discrepancy": discrepancy_id, "actor": actor, "reason": reason}
    return answer(CORRECT, parameters)


def post(
    *,
    player_id: UUID,
    game_id: UUID,
    postings: Sequence[Posting],
    reference: UUID | None,
    description: str,
    source: str,
    actor: str,
    reason: str,
) -> str:
    """Writes what a payment moves, all or none; `reference` is the order that it belongs to.

    Returns posted, or limit_reached if a wallet would hold or owe too much.
    """
    ids, types, currencies, amounts, reverses = (list(column) for column in zip(*postings, strict=True))
    parameters = {
        "player": player_id,
        "game": game_id,
        "ids": ids,
        "currencies": currencies,
        "types": types,
        "amounts": [Int8(amount) for amount in amounts],
        "reverses": reverses,
        "reference": reference,
        "description": description,
        "source": source,
        "actor": actor,
        "reason": reason,
    }
    return str(value(POST, parameters))


def set_aside(
    *,
    transaction_id: UUID,
    player_id: UUID,
    game_id: UUID,
    currency: str,
    most: int,
    reverses: UUID | None,
    reference: UUID | None,
    description: str,
    source: str,
    actor: str,
) -> int:
    """Reserves what is there of `most` minor units for a refund of the order `reference`.

    Returns how much; 0 if nothing is there, and no transaction then.
    """
    parameters = {
        "id": transaction_id,
        "player": player_id,
        "game": game_id,
        "currency": currency,
        "most": Int8(most),
        "reverses": reverses,
        "reference": reference,
        "description": description,
        "source": source,
        "actor": actor,
    }
    return int(value(SET_ASIDE, parameters))


def gate_wallet(
    *,
    player_id: UUID,
    currency: str,
    event: str,
    limit: int | None = None,
    actor: str,
    note: str,
    is_approved: bool = False,
) -> Answer:
    """Freezes, unfreezes or limits (`limit` in minor units, None for no limit) a wallet's withdrawals."""
    parameters = {
        "player": player_id,
        "currency": currency,
        "event": event,
        "limit": None if limit is None else Int8(limit),
        "actor": actor,
        "note": note,
        "is_approved": is_approved,
    }
    return answer(GATE, parameters)
