"""Of two who decide at once, one does."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest

from lib.clock import now
from lib.ids import new_id
from players.approvals.games import GAME_CHANGE
from players.approvals.operations import (
    approve,
    decline,
    expire_due,
    request_approval,
)
from players.models import Approval, ApprovalEvent, Operator
from tests.conftest import Clock
from tests.support.admin_pages import operator
from tests.support.approvals import at_once, origin_of, present_digest, request_credit
from tests.support.callers import Callers, make_party
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


def at(moment: datetime, act: Callable[[], object]) -> object:
    """Does it as soon as the clock says so."""
    time.sleep(max((moment - now()).total_seconds(), 0))
    return act()


def sweep_until_ended(approval: Approval) -> None:
    """As the sweep, which comes again and again."""
    while Approval.objects.filter(pk=approval.pk, state=State.REQUESTED).exists():
        expire_due()


def test_race__approve_against_expiry(people: tuple[Operator, Operator], callers: Callers) -> None:
    asker, other = people
    for number in range(RACES):
        player_session = callers.player_session(0)
        approval = request_credit(asker, player_session, 5_00)
        ends = now() + timedelta(milliseconds=25)
        owned(Approval).filter(pk=approval.pk).update(expires_at=ends)
        # An approval takes some milliseconds: it begins before the end, and reads the clock about then.
        begins = ends - timedelta(microseconds=500 * (number % 20))
        said = at_once(
            partial(at, begins, approving(approval, other, approval.digest)),
            partial(at, ends, partial(sweep_until_ended, approval)),
        )
        state = ended_as(approval)
        assert (approval.ended_at or ends) < ends if state == State.EXECUTED else state == State.EXPIRED
        assert set(said) <= {"done", state, "ApprovalRefused"}
        assert player_session.holding().spendable == (5_00 if state == State.EXECUTED else 0)


@pytest.mark.parametrize(("early", "state"), [(1, State.EXECUTED), (0, State.EXPIRED), (-1, State.EXPIRED)])
def test_race__at_the_instant_of_expiry_the_clock_decides(
    people: tuple[Operator, Operator], callers: Callers, clock: Clock, early: int, state: str
) -> None:
    asker, other = people
    for _ in range(RACES // 4):
        player_session = callers.player_session(0)
        approval = request_credit(asker, player_session, 5_00)
        clock.stand(approval.expires_at - timedelta(microseconds=early))
        at_once(approving(approval, other, approval.digest), expire_due)
        assert (ended_as(approval), player_session.holding().spendable) == (
            state,
            5_00 if state == State.EXECUTED else 0,
        )
        clock.restore()


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


def test_race__of_two_changes_of_one_row_one_is_done(callers: Callers) -> None:
    asker, other, third = (operator(is_superuser=True) for _ in range(3))
    for _ in range(RACES):
        game = make_party().game
        before = GAME_CHANGE.values(game)
        approvals = [
            request_approval(
                GAME_CHANGE,
                GAME_CHANGE.payload_of(game, before, {**before, "launch_url": f"https://{host}.example/"}),
                id=new_id(),
                origin=origin_of(asker),
                reason="r",
                digest=None,
            )
            for host in ("a", "b")
        ]
        at_once(
            *(approving(one, who, one.digest) for one, who in zip(approvals, (other, third), strict=True))
        )
        [done] = [one for one in approvals if ended_as(one) == State.EXECUTED]
        assert sorted(ended_as(one) for one in approvals) == [State.EXECUTED, State.NOT_EXECUTABLE]
        game.refresh_from_db()
        assert ["Launch url", "https://game.example/play", game.launch_url] in done.effect
