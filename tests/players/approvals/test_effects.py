"""What a preview says is what happens, and of two who decide at once one does: random states, and races."""

import os
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.ids import new_id
from players.approvals.kinds import NotExecutable
from players.approvals.operations import (
    approve,
    decline,
    expire_due,
    request_approval,
)
from players.models import Approval, ApprovalEvent, Operator
from tests.support.admin_pages import operator
from tests.support.approvals import at_once, origin_of, present_digest, request_credit
from tests.support.callers import Callers, PlayerSession
from tests.support.invariants import problems_of
from tests.support.owned import owned
from wallet.approvals.adjustment import ADJUSTMENT, AdjustmentPayload
from wallet.approvals.write_off import WRITE_OFF, WriteOffPayload
from wallet.currencies import show_amount

State = Approval.State
ADJUST = "wallet.adjust_balance"
IS_LONG = bool(os.environ.get("LONG")) or os.environ.get("FAULTS") == "long"
EXAMPLES, RACES = (10_000, 200) if IS_LONG else (60, 12)
amounts = st.integers(1, 500_00)


@pytest.fixture(scope="module")
def people(database: None) -> tuple[Operator, Operator]:
    return operator(ADJUST), operator(ADJUST)


# --- Preview is effect ----------------------------------------------------------------------------------


@given(
    held=st.integers(0, 300_00),
    owed=st.integers(0, 300_00),
    reserved=st.integers(0, 100_00),
    type=st.sampled_from(["credit", "debit"]),
    amount=amounts,
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_adjustment__effect_is_what_the_preview_said(
    callers: Callers,
    people: tuple[Operator, Operator],
    held: int,
    owed: int,
    reserved: int,
    type: str,
    amount: int,
) -> None:
    player_session = state_of(callers, held, owed, reserved)
    before = player_session.holding()
    payload = AdjustmentPayload(player_session.player.pk, "XAG", type, amount)  # type: ignore[arg-type]
    asker, other = people
    try:
        approval = request_approval(
            ADJUSTMENT, payload, id=new_id(), origin=origin_of(asker), reason="r", digest=None
        )
    except NotExecutable:
        assert (type, amount > before.spendable) == ("debit", True)
        assert player_session.holding() == before
        return
    assert approve(approval.pk, origin=origin_of(other), digest=approval.digest).state == State.EXECUTED
    holds = player_session.holding()
    shown = {label: after for label, _, after in approval.effect}
    assert shown == {
        "Spendable": show_amount(holds.spendable, "XAG"),
        "Reserved": show_amount(holds.reserved, "XAG"),
        "Debt": show_amount(holds.debt, "XAG"),
    }


def state_of(callers: Callers, held: int, owed: int, reserved: int) -> PlayerSession:
    """A new player's wallet in some state that calls can lead to, in minor units."""
    player_session = callers.player_session(0)
    if held + reserved:
        player_session.adjust("credit", held + reserved)
    if reserved:
        player_session.opened("withdraw", f"{reserved // 100}.{reserved % 100:02}")
    if owed:
        player_session.adjust("debit", held + owed, into_debt=True)
    return player_session


@given(owed=st.integers(0, 300_00), reserved=st.integers(0, 100_00), amount=amounts)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_write_off__effect_is_what_the_preview_said(
    callers: Callers, people: tuple[Operator, Operator], owed: int, reserved: int, amount: int
) -> None:
    player_session = state_of(callers, 0, owed, reserved)
    payload, before = WriteOffPayload(player_session.player.pk, "XAG", amount), player_session.holding()
    asker, other = people
    try:
        approval = request_approval(
            WRITE_OFF, payload, id=new_id(), origin=origin_of(asker), reason="r", digest=None
        )
    except NotExecutable:
        assert (amount > owed, player_session.holding()) == (True, before)
        return
    assert approve(approval.pk, origin=origin_of(other), digest=approval.digest).state == State.EXECUTED
    holds = player_session.holding()
    assert (holds.spendable, holds.debt) == (before.spendable, owed - amount)
    assert {label: after for label, _, after in approval.effect} == {
        "Spendable": show_amount(holds.spendable, "XAG"),
        "Reserved": show_amount(holds.reserved, "XAG"),
        "Debt": show_amount(holds.debt, "XAG"),
    }
    assert problems_of(player_session.player) == []


# --- Races ----------------------------------------------------------------------------------------------


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
