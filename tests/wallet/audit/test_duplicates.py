"""The audit finds what a unique index let in twice because it had lost sight of the first."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.callers import unique
from tests.support.own_database import OwnLedger, own_ledger
from wallet.audit.duplicates import duplicates
from wallet.audit.ledger import audit_ledger
from wallet.audit.rows import snapshot
from wallet.models import Transaction

COPY = """
    INSERT INTO wallet_transaction SELECT (jsonb_populate_record(t, jsonb_build_object('id', %s::uuid))).*
    FROM wallet_transaction t WHERE id = %s RETURNING id
"""


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    with own_ledger(f"{database_name}_duplicates") as ledger:
        yield ledger


@contextmanager
def blind(ledger: OwnLedger, index: str) -> Iterator[None]:
    """What is written meanwhile is not entered into an index, and so not found by it later."""
    ready = "UPDATE pg_index SET indisready = %s WHERE indexrelid = %s::regclass"
    ledger.owner.execute(ready, [False, index])
    yield
    ledger.owner.execute(ready, [True, index])


def test_duplicates__are_none_in_a_sound_ledger(ledger: OwnLedger) -> None:
    player_session = ledger.callers.player_session()
    player_session.opened("withdraw", "1.00")
    with snapshot() as raw:
        assert list(duplicates(raw, 5)) == []
        assert raw.execute("SHOW enable_indexscan").fetchone() == ("on",)


def test_duplicates__are_told_with_key_and_rows(ledger: OwnLedger) -> None:
    player_session = ledger.callers.player_session()
    player_session.done("withdraw", "1-12", "1.00")
    first = Transaction.objects.get(player=player_session.wallet().player, mm_transaction_id="1-12")
    second = "ffffffff-0000-7000-8000-000000000001"
    index = "transaction_once_per_game_and_player"
    with blind(ledger, index):
        ledger.owner.execute(COPY, [second, first.pk])
    told = f"({first.player_id}, {first.game_id}, withdrawal, 1-12) stands in {first.pk}, {second}"
    try:
        with snapshot() as raw:
            assert list(duplicates(raw, 5)) == [(index, 1, [told])]
        assert audit_ledger().of_ledger[index].key == told
    finally:
        ledger.owner.execute("DELETE FROM wallet_transaction WHERE id = %s", [second])


def test_duplicates__are_looked_for_only_where_the_index_holds(ledger: OwnLedger) -> None:
    """An alert is unique while it is open."""
    subject = unique("subject")
    for resolved in ("NULL", "NULL", "now()"):
        with blind(ledger, "alert_open_once"):
            ledger.owner.execute(
                "INSERT INTO wallet_alert (id, kind, subject, text, raised_at, last_seen_at, times_seen, "
                "resolved_at, resolved_by, reason) VALUES (gen_random_uuid(), 'refund_open', %s, '', now(), "
                f"now(), 1, {resolved}, '', '')",
                [subject],
            )
    with snapshot() as raw:
        (found,) = duplicates(raw, 5)
    assert (found.index_name, found.total) == ("alert_open_once", 1)
    assert found.first[0].startswith(f"(refund_open, {subject}) stands in ")
    assert found.first[0].count(", ") == 2
