"""The ledger adjusts nothing without an operator's act, which is written down for ever."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.db.utils import DataError, IntegrityError

from lib.clock import now
from lib.ids import new_id
from players.models import Operator
from tests.support.callers import Callers, PlayerSession, act, adjuster, unique
from wallet.models import Adjustment
from wallet.operations import adjust_wallet
from wallet.outcomes import LedgerRefused

Owner = psycopg.Connection[Any]
ADJUST = """SELECT ledger_adjust(p_id => %s, p_player => %s, p_currency => 'XAG', p_type => %s,
    p_amount => %s, p_into_debt => true, p_source => 'operator', p_actor => %s, p_reason => %s)"""


def call(
    id: UUID,
    session: PlayerSession,
    *,
    type: str = "credit",
    amount: int = 500_000_000,
    actor: str = "operator:test",
    reason: str = "test",
) -> None:
    """As a hole in the application would."""
    given: list[Any] = [id, session.player.pk, type, amount, actor, reason]
    with connection.cursor() as cursor:
        cursor.execute(ADJUST, given)


@pytest.mark.parametrize("type", ["credit", "debit", "write_off"])
@pytest.mark.parametrize("actor", ["operator:admin", "operator:test", "seed"])
def test_adjustment__without_an_act_is_refused(player_session: PlayerSession, actor: str, type: str) -> None:
    player_session.adjust("debit", 200_00, into_debt=True)
    before = player_session.holding()
    with pytest.raises(DataError, match="without the operator's act"):
        call(new_id(), player_session, actor=actor, type=type, amount=1_00)
    assert player_session.holding() == before


@pytest.mark.parametrize(
    "other",
    [{"amount": 6}, {"type": "debit"}, {"actor": "operator:ann"}, {"reason": "other"}, {"actor": "test"}],
)
def test_adjustment__that_its_act_does_not_say_is_refused(
    player_session: PlayerSession, other: dict[str, Any]
) -> None:
    before, id = player_session.holding(), act(new_id(), player_session.player, "credit", 5)
    with pytest.raises(DataError, match="without the operator's act"):
        call(id, player_session, **{"amount": 5} | other)
    assert player_session.holding() == before
    call(id, player_session, amount=5)
    assert player_session.holding().spendable == before.spendable + 5


def test_adjustment__of_another_player_is_not_what_the_act_says(
    callers: Callers, player_session: PlayerSession
) -> None:
    id = act(new_id(), callers.player(), "credit", 5)
    with pytest.raises(DataError, match="without the operator's act"):
        call(id, player_session, amount=5)


def test_act__is_written_with_the_adjustment_once(player_session: PlayerSession) -> None:
    id, began = new_id(), now()
    for _ in range(2):
        player_session.adjust("credit", 7, id=id)
    made = Adjustment.objects.get(pk=id)
    assert (
        made.operator,
        made.player,
        made.currency_id,
        made.type,
        made.amount,
        made.actor,
        made.reason,
    ) == (
        adjuster(),
        player_session.player,
        "XAG",
        "credit",
        7,
        "operator:test",
        "test",
    )
    assert began <= made.at <= now()


def test_act__of_a_refused_adjustment_is_none(player_session: PlayerSession) -> None:
    id = new_id()
    with pytest.raises(LedgerRefused):
        player_session.adjust("debit", 100_01, id=id)
    assert not Adjustment.objects.filter(pk=id).exists()


def test_act__is_an_active_operators_under_their_own_name(player_session: PlayerSession) -> None:
    left = Operator.objects.create(username=unique("left"), is_active=False)
    player = player_session.player
    about = {"player": player, "currency_id": "XAG", "type": "credit", "amount": 1, "at": now()}
    whose: list[dict[str, Any]] = [
        {"operator": left, "actor": f"operator:{left.username}"},
        {"operator": adjuster(), "actor": "operator:admin"},
        {"operator": None, "actor": "operator:admin"},
        {"operator": None, "actor": "operator:"},
    ]
    for who in whose:
        with pytest.raises(IntegrityError, match="act of an active operator"):
            Adjustment.objects.create(id=new_id(), **about, **who)


def test_act__of_a_long_name_is_cut_as_the_journal_cuts_it(player_session: PlayerSession) -> None:
    operator = Operator.objects.create(username=unique("long").ljust(150, "x"))
    by: dict[str, Any] = {"transaction_id": new_id(), "operator": operator, "reason": ""}
    adjust_wallet(player_session.player, "XAG", type="credit", amount=1, **by)
    assert Adjustment.objects.get(pk=by["transaction_id"]).actor == f"operator:{operator.username}"[:80]


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET amount = 9", "UPDATE {} SET reason = ''", "DELETE FROM {}"]
)
def test_act__never_changes(player_session: PlayerSession, owner: Owner, statement: str) -> None:
    id = new_id()
    player_session.adjust("credit", 7, id=id)
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(f"{statement.format('wallet_adjustment')} WHERE id = %s", [id])
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("TRUNCATE wallet_adjustment")


def test_act__is_a_credit_or_a_debit_of_something(player_session: PlayerSession) -> None:
    for type, amount in (("top_up", 1), ("credit", 0), ("debit", -1)):
        with pytest.raises(IntegrityError, match="adjustment_is_of_a_known_type"):
            act(new_id(), player_session.player, type, amount)
