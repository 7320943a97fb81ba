"""Our side: what is here of a game's transactions, or of a provider's payments, refunds and chargebacks.

It is read in bounded statements that lock nothing, so no withdrawal waits for them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from payments.models import Payment, ReconciliationSource, Refund
from payments.reconciliation.columns import CONFIRMED, PENDING, VOID, Row
from payments.reconciliation.comparison import Ours
from wallet.models import Discrepancy, Transaction
from wallet.models.days import all_days

# A row has the time of the opening, or of the settling days later, and maybe in another zone.
MOST_DAYS_BEFORE, MOST_DAYS_AFTER = 7, 1
# Of one statement, which looks for each key on each day.
MOST_LOOKS = 200_000
# What each of our states comes to.
OF_TRANSACTIONS = {
    Transaction.State.PENDING: PENDING,
    Transaction.State.CONFIRMED: CONFIRMED,
    Transaction.State.ROLLED_BACK: VOID,
    Transaction.State.EXPIRED: VOID,
    Transaction.State.DECLINED: VOID,
}
OF_PAYMENTS = {
    Payment.State.STARTED: PENDING,
    Payment.State.UNSTARTED: VOID,
    Payment.State.FAILED: VOID,
    Payment.State.PAID: CONFIRMED,
}
OF_REFUNDS = {
    Refund.State.ASKED: PENDING,
    Refund.State.UNKNOWN: PENDING,
    Refund.State.REMEMBERED: PENDING,
    Refund.State.DONE: CONFIRMED,
    Refund.State.REFUSED: VOID,
    Refund.State.REVERSED: VOID,
    Refund.State.UNMOVED: VOID,
    Refund.State.REPLACED: VOID,
}
TRANSACTIONS = """
    SELECT t.id, t.mm_transaction_id, t.type, t.amount, w.currency_id, t.state, t.opened_at, t.settled_at,
        p.uid, t.player_id
    FROM wallet_transaction t
    JOIN wallet_wallet w ON w.id = t.wallet_id AND w.player_id = t.player_id
    JOIN players_player p ON p.id = t.player_id
    WHERE t.game_id = %s AND t.type IN ('withdrawal', 'deposit') AND
"""
PAYMENTS = """
    SELECT x.id, ARRAY[x.reference, x.start_reference], o.id, 'payment', x.amount, o.currency_id, x.state,
        x.started_at, x.paid_at, p.uid, o.player_id
    FROM payments_payment x
    JOIN payments_order o ON o.id = x.order_id JOIN players_player p ON p.id = o.player_id
    WHERE x.provider_id = %s AND
"""
REFUNDS = """
    SELECT x.id, ARRAY[x.reference], o.id, x.kind, x.amount, o.currency_id, x.state,
        x.created_at, x.ended_at, p.uid, o.player_id
    FROM payments_refund x
    JOIN payments_order o ON o.id = x.order_id JOIN players_player p ON p.id = o.player_id
    WHERE x.provider_id = %s AND
"""
BY_GAME = f"{TRANSACTIONS} (t.opened_at AT TIME ZONE 'UTC')::date = ANY(%s) AND t.mm_transaction_id = ANY(%s)"
IN_ORDER = "x.id > %s AND x.id < %s ORDER BY x.id LIMIT %s"


class Side(Protocol):
    """What is here of one source."""

    def days_of(self, rows: Sequence[Row]) -> list[date] | None:
        """On which days what they name was likely opened; None if it is found without."""

    def named(
        self, keys: Sequence[str], our_ids: Sequence[UUID], days: Collection[date] | None
    ) -> list[Ours]:
        """What the partner calls so, of these days or of all (None), and what we call so."""

    def opened_between(self, after: UUID, until: UUID, most: int) -> list[Ours]:
        """The next ones in the order in which they were opened; ids begin with the time."""


def side_of(source: ReconciliationSource) -> Side:
    if source.game_id:
        return GameSide(source.game_id)
    assert source.provider_id is not None
    return ProviderSide(source.provider_id)


def asked(question: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


class GameSide:
    """A game's withdrawals and deposits."""

    def __init__(self, game_id: UUID) -> None:
        self.game_id = game_id

    def days_of(self, rows: Sequence[Row]) -> list[date] | None:
        """A game's id is looked for on each day (wallet/models/days.py), and an old ledger has a thousand."""
        named = {row.at.date() for row in rows if row.key and row.at}
        later = [timedelta(days=number) for number in range(-MOST_DAYS_AFTER, MOST_DAYS_BEFORE + 1)]
        return [day for day in all_days() if any(day + time in named for time in later)]

    def named(
        self, keys: Sequence[str], our_ids: Sequence[UUID], days: Collection[date] | None
    ) -> list[Ours]:
        rows: list[tuple[Any, ...]] = []
        for some, on in looks(keys, all_days() if days is None else days):
            rows += asked(BY_GAME, [self.game_id, on, some])
        if our_ids:
            rows += asked(f"{TRANSACTIONS} t.id = ANY(%s)", [self.game_id, list(our_ids)])
        return self.ours(rows)

    def opened_between(self, after: UUID, until: UUID, most: int) -> list[Ours]:
        question = f"{TRANSACTIONS} t.id > %s AND t.id < %s ORDER BY t.id LIMIT %s"
        return self.ours(asked(question, [self.game_id, after, until, most]))

    def ours(self, rows: Iterable[tuple[Any, ...]]) -> list[Ours]:
        found = {
            id: Ours(id, (key or "",), None, type, amount, code, OF_TRANSACTIONS[state], state, *rest)
            for id, key, type, amount, code, state, *rest in rows
        }
        return list((found | booked_since(found)).values())


def looks(keys: Sequence[str], days: Collection[date]) -> Iterator[tuple[list[str], list[date]]]:
    """Which keys are looked for by one statement, and on which days."""
    on = list(days)
    if on:
        number = max(MOST_LOOKS // len(on), 1)
        for begin in range(0, len(keys), number):
            yield list(keys[begin : begin + number]), on


def booked_since(found: dict[UUID, Ours]) -> dict[UUID, Ours]:
    """Those that an operator has booked as the game says: the money is where the other state has it."""
    ended = [id for id, one in found.items() if one.state != PENDING]
    booked = Discrepancy.objects.filter(transaction_id__in=ended, correction_id__isnull=False)
    return {
        id: found[id]._replace(state=VOID if found[id].state == CONFIRMED else CONFIRMED)
        for id in booked.values_list("transaction_id", flat=True)
    }


class ProviderSide:
    """A provider's payments, and what went back of them."""

    def __init__(self, provider_id: UUID) -> None:
        self.provider_id = provider_id

    def days_of(self, rows: Sequence[Row]) -> list[date] | None:
        return None

    def named(
        self, keys: Sequence[str], our_ids: Sequence[UUID], days: Collection[date] | None
    ) -> list[Ours]:
        rows: list[tuple[Any, ...]] = []
        own = [self.provider_id]
        if keys:
            given = list(keys)
            rows += asked(f"{PAYMENTS} x.reference = ANY(%s) AND x.reference <> ''", [*own, given])
            rows += asked(
                f"{PAYMENTS} x.start_reference = ANY(%s) AND x.start_reference <> ''", [*own, given]
            )
            for kind in Refund.Kind.values:
                named = f"{REFUNDS} x.kind = %s AND x.reference = ANY(%s) AND x.reference <> ''"
                rows += asked(named, [*own, kind, given])
        if our_ids:
            rows += asked(f"{PAYMENTS} x.order_id = ANY(%s)", [*own, list(our_ids)])
            rows += asked(f"{REFUNDS} x.order_id = ANY(%s)", [*own, list(our_ids)])
        return ours_of(rows)

    def opened_between(self, after: UUID, until: UUID, most: int) -> list[Ours]:
        parameters = [self.provider_id, after, until, most]
        rows = asked(f"{PAYMENTS} {IN_ORDER}", parameters) + asked(f"{REFUNDS} {IN_ORDER}", parameters)
        return sorted(ours_of(rows), key=lambda one: one.id)[:most]


def ours_of(rows: Iterable[tuple[Any, ...]]) -> list[Ours]:
    """Of payments and refunds, each once."""
    found = {}
    for id, keys, order, type, amount, code, state, *rest in rows:
        known = OF_PAYMENTS if type == "payment" else OF_REFUNDS
        found[id] = Ours(id, tuple(filter(None, keys)), order, type, amount, code, known[state], state, *rest)
    return list(found.values())
