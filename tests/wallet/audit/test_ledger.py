"""The audit as a command.

What it says of a sound ledger, and of one that was changed (what it finds: test_tampering).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg import sql

from tests.support.callers import PlayerSession
from tests.support.own_database import OwnLedger, own_ledger
from wallet.audit.ledger import audit_ledger
from wallet.operations import freeze_wallet, limit_withdrawals, unfreeze_wallet

Owner = psycopg.Connection[Any]


@pytest.fixture(scope="module", autouse=True)
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    """A ledger that no other test has touched: the command reads all of it."""
    with own_ledger(f"{database_name}_command") as ledger:
        yield ledger


@pytest.fixture(scope="module")
def owner(ledger: OwnLedger) -> Owner:
    return ledger.owner


@pytest.fixture(scope="module")
def story(ledger: OwnLedger) -> PlayerSession:
    """A wallet to which everything has happened that can happen to one."""
    player_session = ledger.callers.player_session(500_00)
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "10.00"))
    player_session.done(
        "rollbackWithdrawal", player_session.opened("withdraw", "20.00"), rollbackReason="changed mind"
    )
    player_session.done("rollbackWithdrawal", "tombstone")
    player_session.call("withdraw", "declined", "9999.00")
    player_session.done("rollbackWithdrawal", "declined", rollbackReason="was refused")
    player_session.call("withdraw", "declined-for-good", "9999.00")
    expired = player_session.opened("withdraw", "5.00")
    player_session.resolve(expired, "expired")
    player_session.done("withdraw", "pending", "30.00", txDescription="a pack")
    player_session.done("deposit", "announced", "40.00")
    player_session.adjust("debit", 600_00, into_debt=True)
    player_session.done("confirmDeposit", player_session.opened("deposit", "7.00"))
    player_session.done("rollbackDeposit", player_session.opened("deposit", "8.00"))
    limit_withdrawals(player_session.wallet(), most=100_00, actor="test", reason="careful")
    freeze_wallet(player_session.wallet(), actor="test", reason="suspicion")
    unfreeze_wallet(player_session.wallet(), actor="test", reason="cleared")
    freeze_wallet(player_session.wallet(), actor="test", reason="again")
    assert audit_ledger().problems == []
    return player_session


@contextmanager
def tampering(owner: Owner, table: str, player_session: PlayerSession) -> Iterator[None]:
    """Afterwards the player's rows of the table are as they were."""
    whose = sql.SQL("{} = {}").format(sql.Identifier("player_id"), sql.Literal(player_session.player.pk))
    name = sql.Identifier(table)
    owner.execute(sql.SQL("CREATE TEMP TABLE kept AS SELECT * FROM {} WHERE {}").format(name, whose))
    try:
        yield
    finally:
        # A row keeps at least one of the two, whichever column was changed.
        column = sql.Identifier("id" if table == "wallet_wallet" else "wallet_id")
        owner.execute(
            sql.SQL("DELETE FROM {} WHERE {} OR {} IN (SELECT {} FROM kept)").format(
                name, whose, column, column
            )
        )
        owner.execute(sql.SQL("INSERT INTO {} SELECT * FROM kept").format(name))
        owner.execute("DROP TABLE kept")


def test_audit_command__names_first_wrong_row_and_exits_with_1(story: PlayerSession, owner: Owner) -> None:
    wallet = story.wallet()
    with tampering(owner, "wallet_entry", story):
        owner.execute(
            "UPDATE wallet_entry SET amount = amount + 1 WHERE wallet_id = %s AND seq = 2", [wallet.pk]
        )
        with pytest.raises(CommandError, match=rf"wallet {wallet.pk} entry 2: ") as caught:
            call_command("audit_ledger", quiet=True, stdout=StringIO(), stderr=StringIO())
        assert caught.value.returncode == 1


def test_audit_command__shows_the_accounts_of_a_sound_ledger(story: PlayerSession) -> None:
    out = StringIO()
    call_command("audit_ledger", stdout=out)
    assert "no difference" in out.getvalue()
    assert "game_revenue" in out.getvalue()
