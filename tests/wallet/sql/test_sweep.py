"""The expiry of many due transactions: what ledger_resolve does to each, and whose wallets are left alone."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lib.clock import now
from tests.conftest import Clock
from tests.support.call_batches import done_alone, opening
from tests.support.callers import Callers, PlayerSession, unique
from tests.support.invariants import problems_of
from tests.support.ledger_rows import written
from wallet import ledger
from wallet.models import Transaction

Owner = psycopg.Connection[Any]
EXAMPLES = 2000 if os.environ.get("LONG") else 40
# Making a failing story short takes minutes.
PHASES = list(Phase) if os.environ.get("LONG") else [Phase.explicit, Phase.reuse, Phase.generate]
NOW, LATER = timedelta(), timedelta(hours=1)


def opened(
    session: PlayerSession, amount: int, *, type: str = "withdrawal", pending: timedelta = NOW
) -> UUID:
    answer = done_alone(opening(session, unique("mm"), amount, type=type, pending=pending))
    return UUID(answer.transaction_id)


def expired(ids: list[UUID]) -> int:
    return ledger.expire_transactions(transaction_ids=ids, actor="sweep", reason="a reason")


class Opened(NamedTuple):
    session: int
    type: str
    amount: int
    pending: timedelta
    then: str
    is_given: bool


transactions = st.builds(
    Opened,
    st.integers(0, 2),
    st.sampled_from(["withdrawal", "withdrawal", "deposit"]),
    st.sampled_from([1, 10_00, 200_00]),
    st.sampled_from([NOW, NOW, LATER]),
    st.sampled_from(["", "", "", "confirmed", "rolled_back", "debt"]),
    st.sampled_from([True, True, True, False]),
)


def one_by_one(ids: list[UUID]) -> int:
    """In the order in which a batch does them within a wallet."""
    due = Transaction.objects.filter(pk__in=ids, state="pending").order_by("pk")
    for row in due.filter(due_at__lte=ledger.value("SELECT wallet_now()", {})):
        ledger.resolve_transaction(
            transaction_id=row.pk, event="expired", source="sweep", actor="sweep", reason="a reason"
        )
    return len([row for row in Transaction.objects.filter(pk__in=ids) if row.state == "expired"])


def became(session: PlayerSession, others: list[PlayerSession], way: Callable[[], int]) -> dict[str, object]:
    """All that is to be seen afterwards; then it is as if nothing had been."""
    with transaction.atomic():
        count = way()
        rows = written([session.player, *(other.player for other in others)], [session.game])
        transaction.set_rollback(True)
    return rows | {"count": count}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(story=st.lists(transactions, min_size=1, max_size=12))
def test_expire__does_what_resolve_does_to_each_that_is_due(callers: Callers, story: list[Opened]) -> None:
    with transaction.atomic():
        session = callers.player_session()
        sessions = [session, session.elsewhere("JPY"), callers.player_session()]
        ids = []
        for one in story:
            id = opened(sessions[one.session], one.amount, type=one.type, pending=one.pending)
            if one.then == "debt":
                sessions[one.session].adjust("debit", 150_00, into_debt=True)
            elif one.then:
                ledger.resolve_transaction(
                    transaction_id=id, event=one.then, source="sweep", actor="test", reason=""
                )
            ids += [id] * one.is_given
        alone = became(session, sessions[2:], lambda: one_by_one(ids))
        many = became(session, sessions[2:], lambda: expired(ids))
        transaction.set_rollback(True)
    assert many == alone
    assert many["problems"] == []


def test_expire__leaves_wallets_alone_that_are_held(callers: Callers, owner: Owner) -> None:
    held, free = callers.player_session(), callers.player_session()
    ids = [opened(session, 1_00) for session in (held, free, held)]
    with owner.transaction():
        owner.execute("SELECT 1 FROM wallet_wallet WHERE id = %s FOR NO KEY UPDATE", [held.wallet().pk])
        assert expired(ids) == 1
    assert (held.holding()[:2], free.holding()[:2]) == ((98_00, 2_00), (100_00, 0))
    assert expired(ids) == 2
    assert (held.holding()[:2], problems_of(held.player, free.player)) == ((100_00, 0), [])


def test_expire__holds_its_locks_and_no_others_until_the_end(callers: Callers) -> None:
    """Nothing is paid out of a wallet in between."""
    held, free = callers.player_session(), callers.player_session()
    ids = [opened(session, 1_00) for session in (held, free)]

    def of_others() -> int:
        try:
            return expired(ids)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert expired(ids[:1]) == 1
        assert pool.submit(of_others).result(10) == 1
    assert expired(ids) == 0
    assert problems_of(held.player, free.player) == []


def test_expire__is_due_at_its_very_moment(callers: Callers, clock: Clock) -> None:
    session = callers.player_session()
    clock.stand(now())
    assert expired([opened(session, 1_00), opened(session, 1_00, pending=timedelta(microseconds=1))]) == 1
