"""The balance that answers a repeated call stands with its transaction; no entry is needed for it."""

from typing import Any

import psycopg
import pytest

from tests.support.callers import PlayerSession, unique
from wallet.models import Transaction

Owner = psycopg.Connection[Any]


def kept(mm: str) -> tuple[int | None, int | None]:
    """What is kept of a transaction's answers: to its opening, and to its settlement."""
    row = Transaction.objects.get(mm_transaction_id=mm)
    return row.opened_balance, row.settled_balance


def forget_answers(owner: Owner, player_session: PlayerSession) -> None:
    """As rows are that were written before answers were kept."""
    owner.execute(
        "UPDATE wallet_transaction SET opened_balance = NULL, settled_balance = NULL WHERE player_id = %s",
        [player_session.player.pk],
    )


def test_opening__keeps_its_answer(player_session: PlayerSession) -> None:
    withdrawal, deposit = (player_session.opened(kind, "1.00") for kind in ("withdraw", "deposit"))
    declined = unique("mm")
    assert player_session.call("withdraw", declined, "500.00").error == 104
    assert [kept(mm) for mm in (withdrawal, deposit, declined)] == [
        (99_00, None),
        (99_00, None),
        (99_00, None),
    ]


def test_settlement__keeps_its_answer(player_session: PlayerSession) -> None:
    withdrawal, deposit = (player_session.opened(kind, "1.00") for kind in ("withdraw", "deposit"))
    declined, tombstone = unique("mm"), unique("mm")
    player_session.call("withdraw", declined, "500.00")
    player_session.done("confirmDeposit", deposit)
    player_session.done("rollbackWithdrawal", withdrawal)
    player_session.done("rollbackWithdrawal", declined)
    player_session.done("rollbackDeposit", tombstone)
    assert [kept(mm) for mm in (deposit, withdrawal, declined, tombstone)] == [
        (99_00, 100_00),
        (99_00, 101_00),
        (99_00, 101_00),
        (None, 101_00),
    ]


def test_settlement__keeps_what_is_left_after_debt_is_repaid(player_session: PlayerSession) -> None:
    player_session.adjust("debit", 100_50, into_debt=True)
    deposit = player_session.opened("deposit", "2.00")
    assert player_session.done("confirmDeposit", deposit).balance == "1.50"
    assert kept(deposit) == (0, 1_50)


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "from before they were kept"])
def test_repeat__is_answered_as_the_first_time(
    player_session: PlayerSession, owner: Owner, is_kept: bool
) -> None:
    confirmed, returned = (player_session.opened("withdraw", "1.00") for _ in range(2))
    declined = unique("mm")
    calls = [
        ("withdraw", declined, "500.00"),
        ("confirmWithdrawal", confirmed, None),
        ("rollbackWithdrawal", returned, None),
        ("rollbackWithdrawal", declined, None),
    ]
    first = [player_session.call(*call).raw for call in calls]
    player_session.opened("withdraw", "7.00")
    if not is_kept:
        forget_answers(owner, player_session)
    assert [player_session.call(*call).raw for call in calls] == first
    assert player_session.call("withdraw", confirmed, "1.00").balance == "99.00"


def test_repeat__needs_no_entry(player_session: PlayerSession, owner: Owner) -> None:
    mm = player_session.opened("withdraw", "1.00")
    player_session.done("confirmWithdrawal", mm)
    player_session.opened("withdraw", "7.00")
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("DELETE FROM wallet_entry WHERE player_id = %s", [player_session.player.pk])
        row = owner.execute(
            "SELECT (ledger_known(NULL, w, t, t.amount, w.currency_id)).balance "
            "FROM wallet_transaction t JOIN wallet_wallet w ON w.id = t.wallet_id "
            "WHERE t.mm_transaction_id = %s",
            [mm],
        ).fetchone()
    assert row == (99_00,)
