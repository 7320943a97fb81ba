"""Ledger calls of games, told as dicts of parameters, done one by one or many in one statement."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.types.numeric import Int8

from lib.security.tokens import token_hash
from tests.support.callers import PlayerSession
from wallet import ledger
from wallet.call_batches import many_parameters
from wallet.ledger_statements import MANY, OPEN, SETTLE

Parameters = Mapping[str, Any]
CREDENTIAL = UUID(int=7)


def about(session: PlayerSession, type: str, mm: str) -> dict[str, Any]:
    """What every call says."""
    context = ledger.CallContext(
        game_id=session.game.pk,
        actor="game test",
        credential_id=CREDENTIAL,
        endpoint=type,
        address="10.0.0.1",
        elapsed_us=0,
    )
    named = {"type": type, "token_hash": token_hash(UUID(session.token)), "mm": mm}
    return named | ledger.caller(context) | {"actor": context.actor}


def opening(
    session: PlayerSession,
    mm: str,
    amount: int = 1_00,
    *,
    type: str = "withdrawal",
    currency: str | None = None,
    pending: timedelta = timedelta(hours=72),
) -> Parameters:
    return about(session, type, mm) | {
        "amount": Int8(amount),
        "currency": currency or session.currency,
        "description": "a bet",
        "pending": pending,
    }


def settling(
    session: PlayerSession,
    mm: str,
    event: str = "confirmed",
    *,
    type: str = "withdrawal",
    amount: int | None = None,
    reason: str = "",
) -> Parameters:
    return about(session, type, mm) | {
        "event": event,
        "amount": None if amount is None else Int8(amount),
        "currency": None if amount is None else session.currency,
        "reason": reason,
    }


def is_opening(call: Parameters) -> bool:
    return "pending" in call


def done_alone(call: Parameters) -> ledger.Answer:
    return ledger.answer(OPEN if is_opening(call) else SETTLE, call)


def done_together(calls: Sequence[Parameters], *, waits: bool = False) -> dict[int, ledger.Answer]:
    """The answers to one statement, by the places of the calls, in the order in which they came."""
    openings = [(place, call) for place, call in enumerate(calls) if is_opening(call)]
    settlings = [(place, call) for place, call in enumerate(calls) if not is_opening(call)]
    with connection.cursor() as cursor:
        cursor.execute(MANY, many_parameters(openings, settlings, waits=waits))
        return {place: ledger.Answer(*answer) for place, *answer in cursor.fetchall()}
