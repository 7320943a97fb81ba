"""Of two who decide at once, one does."""

from collections.abc import Callable
from functools import partial

import pytest

from lib.ids import new_id
from players.approvals.operations import (
    approve,
    decline,
    expire_due,
    request_approval,
)
from players.models import Approval, ApprovalEvent, Operator
from tests.support.admin_pages import operator
from tests.support.approvals import at_once, origin_of, present_digest, request_credit
from tests.support.callers import Callers
from tests.support.invariants import problems_of
from tests.support.long_forms import IS_LONG
from tests.support.owned import owned
from wallet.approvals.adjustment import ADJUSTMENT, AdjustmentPayload

State = Approval.State
ADJUST = "wallet.adjust_balance"
RACES = 200 if IS_LONG else 12


@pytest.fixture(scope="module")
def people(database: None) -> tuple[Operator, Operator]:
    return operator(ADJUST), operator(ADJUST)


def approving(approval: Approval, who: Operator, digest: str) -> Callable[[], Approval]:
    """Somebody's approval of a request, of which they saw the effect with this digest."""
    return partial(approve, approval.pk, origin=origin_of(who), digest=digest)


def ended_as(approval: Approval) -> str:
    """How a request ended; its history has exactly one end."""
    approval.refresh_from_db()
    ends = ApprovalEvent.objects.filter(approval=approval).exclude(what__in=("requested", "approved"))
    assert [event.what for event in ends] == ([] if approval.state == State.REQUESTED else [approval.state])
    return approval.state


def test_race__two_approvers_execute_once(people: tuple[Operator, Operator], callers: Callers) -> None:
    asker, other, third = *people, operator(ADJUST)
    for _ in range(RACES):
        player_session = callers.player_session(0)
        approval = request_credit(asker, player_session, 5_00)
        said = at_once(
            approving(approval, other, approval.digest),
            approving(approval, third, approval.digest),
        )
        assert said == ["ApprovalRefused", "executed"]
        assert (ended_as(approval), player_session.holding().spendable) == (State.EXECUTED, 5_00)
        assert problems_of(player_session.player) == []


def test_race__approve_against_decline(people: tuple[Operator, Operator], callers: Callers) -> None:
    asker, other, third = *people, operator(ADJUST)
    for _ in range(RACES):
        player_session = callers.player_session(0)
        approval = request_credit(asker, player_session, 5_00)
        said = at_once(
            approving(approval, other, approval.digest),
            partial(decline, approval.pk, by=third, reason="r"),
        )
        state = ended_as(approval)
        assert (said, state in ("executed", "declined")) == (["ApprovalRefused", state], True)
        assert player_session.holding().spendable == (5_00 if state == "executed" else 0)


def test_race__approve_against_expiry(people: tuple[Operator, Operator], callers: Callers) -> None:
    asker, other = people
    for _ in range(RACES):
        player_session = callers.player_session(0)
        approval = request_credit(asker, player_session, 5_00)
        # Its time is over in this instant, for one of the two or for both.
        owned(Approval).filter(pk=approval.pk).update(expires_at=approval.requested_at)
        at_once(
            approving(approval, other, approval.digest),
            expire_due,
        )
        assert (ended_as(approval), player_session.holding().spendable) == (State.EXPIRED, 0)


def test_race__approve_against_a_state_change(people: tuple[Operator, Operator], callers: Callers) -> None:
    asker, other = people
    for _ in range(RACES):
        player_session = callers.player_session(50_00)
        payload = AdjustmentPayload(player_session.player.pk, "XAG", "debit", 40_00)
        approval = request_approval(
            ADJUSTMENT, payload, id=new_id(), origin=origin_of(asker), reason="r", digest=None
        )
        seen = present_digest(approval)
        at_once(
            approving(approval, other, seen),
            partial(player_session.call, "withdraw", "w-1", "20.00"),
        )
        holds = player_session.holding()
        # The debit came first and left too little, or the withdrawal did and the approver saw something else.
        expected = {
            State.EXECUTED: (10_00, 0),
            State.NOT_EXECUTABLE: (30_00, 20_00),
            State.REQUESTED: (30_00, 20_00),
        }
        assert holds[:2] == expected[State(ended_as(approval))]
        assert problems_of(player_session.player) == []
