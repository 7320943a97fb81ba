"""The audit finds every row that somebody changed behind the ledger's back, with triggers off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg import sql

from tests.ledger import problems_of
from tests.world import House, Seat
from wallet.audit import audit_ledger
from wallet.operations import freeze_wallet, limit_withdrawals, unfreeze_wallet

Owner = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def story(house: House) -> Seat:
    """A wallet to which everything has happened that can happen to one."""
    seat = house.seat(500_00)
    seat.done("confirmWithdrawal", seat.opened("withdraw", "10.00"))
    seat.done("rollbackWithdrawal", seat.opened("withdraw", "20.00"), rollbackReason="changed mind")
    seat.done("rollbackWithdrawal", "tombstone")
    seat.call("withdraw", "declined", "9999.00")
    seat.done("rollbackWithdrawal", "declined", rollbackReason="was refused")
    seat.call("withdraw", "declined-for-good", "9999.00")
    expired = seat.opened("withdraw", "5.00")
    seat.resolve(expired, "expired")
    seat.done("withdraw", "pending", "30.00", txDescription="a pack")
    seat.done("deposit", "announced", "40.00")
    seat.adjust("debit", 600_00, into_debt=True)
    seat.done("confirmDeposit", seat.opened("deposit", "7.00"))
    seat.done("rollbackDeposit", seat.opened("deposit", "8.00"))
    limit_withdrawals(seat.wallet(), most=100_00, actor="test", reason="careful")
    freeze_wallet(seat.wallet(), actor="test", reason="suspicion")
    unfreeze_wallet(seat.wallet(), actor="test", reason="cleared")
    freeze_wallet(seat.wallet(), actor="test", reason="again")
    assert audit_ledger().problems == []
    return seat


@contextmanager
def tampering(owner: Owner, table: str, seat: Seat) -> Iterator[None]:
    """Triggers are off inside; afterwards the seat's rows of the table are as they were."""
    whose = sql.SQL("{} = {}").format(sql.Identifier("player_id"), sql.Literal(seat.player.pk))
    name = sql.Identifier(table)
    owner.execute("SET session_replication_role = replica")
    owner.execute(sql.SQL("CREATE TEMP TABLE kept AS SELECT * FROM {} WHERE {}").format(name, whose))
    try:
        yield
    finally:
        # A row keeps at least one of the two, whichever column was changed.
        column = sql.Identifier("id" if table == "wallet_wallet" else "wallet_id")
        owner.execute(sql.SQL("DELETE FROM {} WHERE {} OR {} IN (SELECT {} FROM kept)").format(name, whose, column, column))
        owner.execute(sql.SQL("INSERT INTO {} SELECT * FROM kept").format(name))
        owner.execute("DROP TABLE kept")
        owner.execute("SET session_replication_role = DEFAULT")


def columns(owner: Owner, table: str) -> list[tuple[str, str]]:
    found = owner.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position", [table])
    return [(str(name), str(kind)) for name, kind in found]


def other(value: Any, kind: str) -> Any:
    """Another value of the same type."""
    changes: dict[type, Callable[[Any], Any]] = {
        int: lambda number: number + 1,
        str: lambda text: f"{text[:-1]}x" if text else "x",
        bytes: lambda data: bytes([data[0] ^ 1]) + data[1:],
        datetime: lambda moment: moment + timedelta(microseconds=1),
        UUID: lambda _: uuid4(),
    }
    if value is not None:
        return changes[type(value)](value)
    fresh = {"bigint": 1, "uuid": uuid4(), "timestamp with time zone": datetime.fromisoformat("2026-01-01T00:00:00+00:00")}
    return fresh.get(kind, "x")


@pytest.mark.parametrize("table", ["wallet_entry", "wallet_transaction", "wallet_wallet"])
def test_any_change_of_any_column_of_any_row_is_found(story: Seat, owner: Owner, table: str) -> None:
    unfound = []
    for name, kind in columns(owner, table):
        column, key = sql.Identifier(name), sql.SQL("ctid")
        query = sql.SQL("SELECT {}, {} FROM {} WHERE player_id = %s").format(key, column, sql.Identifier(table))
        for position in range(len(owner.execute(query, [story.player.pk]).fetchall())):
            with tampering(owner, table, story):
                place, value = owner.execute(query, [story.player.pk]).fetchall()[position]
                change = sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s").format(sql.Identifier(table), column)
                try:
                    owner.execute(change, [other(value, kind), place])
                except psycopg.errors.IntegrityError:
                    continue  # the database itself refused it
                if (name.endswith("id") or not problems_of(story.player)) and not audit_ledger().problem_count:
                    unfound.append((name, value))
    assert unfound == []
    assert audit_ledger().problems == []


@pytest.mark.parametrize("table", ["wallet_entry", "wallet_transaction", "wallet_wallet"])
def test_any_deleted_row_is_found(story: Seat, owner: Owner, table: str) -> None:
    query = sql.SQL("SELECT ctid FROM {} WHERE player_id = %s").format(sql.Identifier(table))
    for position in range(len(owner.execute(query, [story.player.pk]).fetchall())):
        with tampering(owner, table, story):
            place = owner.execute(query, [story.player.pk]).fetchall()[position][0]
            owner.execute(sql.SQL("DELETE FROM {} WHERE ctid = %s").format(sql.Identifier(table)), [place])
            assert audit_ledger().problem_count, f"row {position} of {table}"


def test_a_forged_entry_at_the_end_is_found(story: Seat, owner: Owner) -> None:
    with tampering(owner, "wallet_entry", story):
        owner.execute(
            "INSERT INTO wallet_entry (player_id, wallet_id, seq, transaction_id, event, debit, credit, amount, spendable, reserved, announced, debt,"
            " actor, note, at, version, hash) SELECT player_id, wallet_id, seq + 1, transaction_id, event, debit, credit, amount, spendable, reserved,"
            " announced, debt, 'intruder', note, at, version, hash FROM wallet_entry WHERE player_id = %s ORDER BY seq DESC LIMIT 1",
            [story.player.pk],
        )
        assert audit_ledger().problem_count


def test_the_command_names_the_first_wrong_row_and_exits_with_1(story: Seat, owner: Owner) -> None:
    wallet = story.wallet()
    with tampering(owner, "wallet_entry", story):
        owner.execute("UPDATE wallet_entry SET amount = amount + 1 WHERE wallet_id = %s AND seq = 2", [wallet.pk])
        with pytest.raises(CommandError, match=rf"wallet {wallet.pk} entry 2: ") as caught:
            call_command("audit_ledger", quiet=True, stdout=StringIO(), stderr=StringIO())
        assert caught.value.returncode == 1


def test_the_command_shows_the_accounts_of_a_sound_ledger(story: Seat) -> None:
    out = StringIO()
    call_command("audit_ledger", stdout=out)
    assert "no difference" in out.getvalue()
    assert "game_revenue" in out.getvalue()
