"""What one person may do alone, and when a second one is needed after all."""

from datetime import timedelta

import pytest

from players.models import Approval, ApprovalRule, Operator
from tests.conftest import Clock
from tests.support.admin_pages import operator
from tests.support.approvals import request_credit
from tests.support.callers import Callers, PlayerSession

State = Approval.State
ADJUST = "wallet.adjust_balance"


@pytest.fixture
def asker(database: None) -> Operator:
    return operator(ADJUST)


@pytest.fixture
def rule(database: None) -> ApprovalRule:
    """Alone up to 10.00 MRU for one wallet, and 25.00 MRU in all."""
    return ApprovalRule.objects.update_or_create(
        kind="adjust_balance",
        currency_code="MRU",
        defaults={"alone_up_to": 10_0, "alone_per_day": 25_0, "hours": 5},
    )[0]


@pytest.fixture
def player_session(callers: Callers) -> PlayerSession:
    return callers.player_session(0, "MRU")


def test_rule__lets_one_person_act_alone_up_to_the_amount(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession
) -> None:
    done = request_credit(asker, player_session, 10_0)
    assert (done.state, done.is_alone, done.decided_by) == (State.EXECUTED, True, None)
    assert player_session.holding().spendable == 10_0
    again = request_credit(asker, player_session, 10_0, id=done.pk)
    assert (again, player_session.holding().spendable) == (done, 10_0)


def test_rule__one_unit_more_waits(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession
) -> None:
    waits = request_credit(asker, player_session, 10_1)
    assert (waits.state, waits.expires_at - waits.requested_at) == (State.REQUESTED, timedelta(hours=5))
    assert player_session.holding().spendable == 0


def test_rule__split_amounts_count_together(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession, clock: Clock
) -> None:
    states = [request_credit(asker, player_session, 4_0).state for _ in range(3)]
    assert states == [State.EXECUTED, State.EXECUTED, State.REQUESTED]
    assert request_credit(operator(ADJUST), player_session, 4_0).state == State.EXECUTED
    clock.go_ahead(timedelta(hours=24, seconds=1))
    assert request_credit(asker, player_session, 10_0).state == State.EXECUTED


def test_rule__total_of_a_day_counts_all_wallets(
    asker: Operator, rule: ApprovalRule, callers: Callers
) -> None:
    states = [request_credit(asker, callers.player_session(0, "MRU"), 10_0).state for _ in range(3)]
    assert states == [State.EXECUTED, State.EXECUTED, State.REQUESTED]


def test_rule__none_means_two_people(asker: Operator, callers: Callers) -> None:
    assert request_credit(asker, callers.player_session(0, "CLF"), 1).state == State.REQUESTED
