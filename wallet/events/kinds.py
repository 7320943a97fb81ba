"""The kinds of events, and how each is read: the one list, to which other apps add theirs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection

from lib.clock import timestamp
from players.models import Player, PlayerEvent
from wallet.currencies import show
from wallet.events.message import EventMessage, LimitMessage
from wallet.models import Event, LimitChange, PlayerLimit
from wallet.money import Money

# From events of one kind, whose players are there, to what is told of each, by its position.
Reader = Callable[[Sequence[Event]], Mapping[int, EventMessage]]
# What happens to a wallet, whatever the type of the transaction.
OF_WALLETS = {
    "wallet_opened": "wallet.opened",
    "frozen": "wallet.frozen",
    "unfrozen": "wallet.unfrozen",
    "limit_set": "wallet.limit_set",
    "debt_repaid": "wallet.debt_repaid",
}
ENTRIES = """
    SELECT told.position, entry.event, entry.amount, entry.debit, entry.credit, entry.spendable,
        entry.reserved, entry.announced, entry.debt, entry.transaction_id, tx.type, tx.mm_transaction_id,
        tx.reference, game.slug, wallet.currency_id
    FROM unnest(%(positions)s::bigint[], %(players)s::uuid[], %(wallets)s::uuid[], %(numbers)s::bigint[])
        AS told (position, player_id, wallet_id, seq)
    JOIN wallet_entry entry
        ON entry.player_id = told.player_id AND entry.wallet_id = told.wallet_id AND entry.seq = told.seq
    JOIN wallet_wallet wallet ON wallet.player_id = told.player_id AND wallet.id = told.wallet_id
    LEFT JOIN wallet_transaction tx ON tx.id = entry.transaction_id
    LEFT JOIN players_game game ON game.id = tx.game_id
"""


def read_entries(events: Sequence[Event]) -> dict[int, EventMessage]:
    """Lines of wallets' journals."""
    given: dict[str, Any] = {
        "positions": [event.position for event in events],
        "players": [event.player_id for event in events],
        "wallets": [event.subject_id for event in events],
        "numbers": [event.seq for event in events],
    }
    by_position = {event.position: event for event in events}
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES, given)
        return {row[0]: entry_message(by_position[row[0]], *row[1:]) for row in cursor.fetchall()}


def entry_message(
    told: Event,
    event: str,
    amount: int | None,
    debit: str | None,
    credit: str | None,
    spendable: int,
    reserved: int,
    announced: int,
    debt: int,
    transaction_id: Any,
    type: str | None,
    mm_transaction_id: str | None,
    reference: Any,
    game: str | None,
    code: str,
) -> EventMessage:
    return EventMessage(
        id=f"{told.subject_id}-{told.seq}",
        type=OF_WALLETS.get(event) or f"{type}.{event}",
        **whom(told),
        line=told.seq,
        amount=None if amount is None else show(amount, code),
        debit=debit,
        credit=credit,
        balance=show(spendable, code),
        reserved=show(reserved, code),
        announced=show(announced, code),
        debt=show(debt, code),
        game=game,
        mmTransactionId=mm_transaction_id,
        qwTransactionId=transaction_id and str(transaction_id),
        orderId=reference and str(reference),
    )


def read_statuses(events: Sequence[Event]) -> dict[int, EventMessage]:
    """Changes of players' statuses; a new player's first one has no old one."""
    rows = PlayerEvent.objects.in_bulk([event.subject_id for event in events])
    return {event.position: status_message(event, rows[event.subject_id]) for event in events}


def status_message(told: Event, row: PlayerEvent) -> EventMessage:
    return EventMessage(
        id=str(row.pk),
        type="player.status_changed" if row.old_status else "player.created",
        **whom(told),
        oldState=row.old_status or None,
        state=row.new_status,
    )


def read_limits(events: Sequence[Event]) -> dict[int, EventMessage]:
    """Changes of players' limits."""
    changes = LimitChange.objects.select_related("limit__game", "wallet").defer("wallet__head")
    rows = changes.in_bulk([event.subject_id for event in events])
    return {event.position: limit_message(event, rows[event.subject_id]) for event in events}


def limit_message(told: Event, row: LimitChange) -> EventMessage:
    limit, code = row.limit, row.wallet.currency_id
    is_time, is_later = limit.kind == PlayerLimit.Kind.TIME, row.what == LimitChange.What.REQUESTED

    def money(minor: int | None) -> Money | None:
        return None if minor is None or is_time else show(minor, code)

    return EventMessage(
        id=str(row.pk),
        type=f"limit.{row.what}",
        **whom(told),
        game=limit.game.slug if limit.game else None,
        limit=LimitMessage(
            kind=limit.kind,
            setBy=limit.set_by,
            currencyCode=code,
            window=limit.period or None,
            oldAmount=money(row.old_amount),
            oldMinutes=row.old_amount if is_time else None,
            amount=money(row.new_amount),
            minutes=row.new_amount if is_time else None,
            countsAt=timestamp(row.counts_at) if is_later and row.counts_at else None,
        ),
    )


def whom(told: Event) -> dict[str, Any]:
    """When it happened, and to whom."""
    player: Player = told.player
    return {"time": timestamp(told.at), "playerId": player.uid, "isTest": player.is_test}


READERS: dict[str, Reader] = {"entry": read_entries, "status": read_statuses, "limit": read_limits}
