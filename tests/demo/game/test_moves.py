"""What comes next in a transaction, as the game has it."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from demo.game.moves import (
    AFTERWARDS,
    PATIENCE,
    PAUSES,
    Heard,
    Move,
    Plan,
    State,
    asked,
    final_state,
    heard,
    next_step,
)
from quantum_wallet import FinalState, Money, NotAccepted, Refused, Step, Unanswered
from quantum_wallet.operations import settlement
from quantum_wallet.shapes import TransactionAnswer

AT = 1_000_000.0
YES = TransactionAnswer(mm_transaction_id="m-1", qw_transaction_id="qw-1", balance=Money.of("5.00", "XAG"))
LOST = Unanswered("withdraw", "m-1", 1, "ReadTimeout")


def move(**given: Any) -> Move:
    about: dict[str, Any] = {
        "id": "m-1",
        "visit": "v",
        "uid": "anna",
        "type": "withdrawal",
        "amount": Decimal("15.00"),
        "currency": "XAG",
        "item": "Lantern",
        "plan": Plan.CONFIRM,
        "state": State.OPENING,
        "next_try_at": AT,
        "made_at": AT,
    }
    return Move(**about | given)


def refused(code: int) -> Refused:
    return Refused("withdraw", code, "why")


def request(one: Move) -> tuple[str, Mapping[str, Any]]:
    """The path and the body of the call that comes next."""
    following = next_step(one, "t")
    assert following is not None
    asked = settlement(following)
    return asked.path, asked.body


@pytest.mark.parametrize(
    ("plan", "state", "next_try_at"),
    [
        (Plan.CONFIRM, State.CONFIRMING, AT),
        (Plan.ROLL_BACK, State.ROLLING_BACK, AT),
        (Plan.LEAVE, State.OPEN, None),
    ],
)
def test_move__once_open_follows_its_plan(plan: Plan, state: State, next_try_at: float | None) -> None:
    opened = heard(move(plan=plan), YES, AT)
    assert (opened.state, opened.next_try_at, opened.qw_id) == (state, next_try_at, "qw-1")


@pytest.mark.parametrize(
    ("state", "answer", "follows"),
    [
        (State.OPENING, refused(104), State.REFUSED),
        (State.OPENING, refused(108), State.REFUSED),
        (State.CONFIRMING, YES, State.CONFIRMED),
        (State.CONFIRMING, refused(108), State.ROLLED_BACK),
        (State.CONFIRMING, refused(109), State.ROLLED_BACK),
        (State.ROLLING_BACK, YES, State.ROLLED_BACK),
        (State.ROLLING_BACK, refused(107), State.CONFIRMED),
    ],
)
def test_move__a_final_answer_ends_it(state: State, answer: Heard, follows: State) -> None:
    ended = heard(move(state=state), answer, AT)
    assert (ended.state, ended.next_try_at, next_step(ended, "t")) == (follows, None, None)


@pytest.mark.parametrize("answer", [LOST, NotAccepted("withdraw", 401, "why")])
def test_move__without_an_answer_is_repeated_on_the_schedule(answer: Heard) -> None:
    one, pauses = move(state=State.CONFIRMING), []
    call = request(one)
    while one.next_try_at is not None:
        one = heard(one, answer, AT)
        assert (one.state, request(one)) == (State.CONFIRMING, call)
        if one.next_try_at is not None:
            pauses.append(one.next_try_at - AT)
    assert tuple(pauses) == PAUSES
    assert sum(pauses) == 48 * 3600 + 2895


def test_withdrawal__that_nobody_answers_is_rolled_back() -> None:
    one = move()
    for _ in range(PATIENCE - 1):
        one = heard(one, LOST, AT)
        assert one.state == State.OPENING
    one = heard(one, LOST, AT)
    assert (one.state, one.next_try_at) == (State.ROLLING_BACK, AT)
    following = next_step(one, "t")
    assert following is not None
    assert (following.id, following.step) == (one.id, Step.ROLL_BACK)


def test_goods__are_handed_out_before_the_confirmation() -> None:
    opened = heard(move(), YES, AT)
    assert (move().is_handed_out, opened.is_handed_out, heard(opened, refused(109), AT).is_handed_out) == (
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (None, FinalState.UNKNOWN),
        (move(), FinalState.PENDING),
        (move(state=State.OPEN), FinalState.PENDING),
        (move(state=State.OPEN, told="UNKNOWN"), FinalState.UNKNOWN),
        (move(state=State.CONFIRMING), FinalState.CONFIRMED),
        (move(state=State.CONFIRMED, told="ROLLED_BACK"), FinalState.CONFIRMED),
        (move(state=State.ROLLED_BACK), FinalState.ROLLED_BACK),
        (move(state=State.REFUSED), FinalState.ROLLED_BACK),
    ],
)
def test_final_state__is_what_the_game_did(known: Move | None, said: FinalState) -> None:
    assert final_state(known) == said


@pytest.mark.parametrize(
    ("told", "state", "next_try_at"),
    [
        ("CONFIRMED", State.CONFIRMING, AT + AFTERWARDS),
        ("ROLLED_BACK", State.ROLLING_BACK, AT + AFTERWARDS),
        ("UNKNOWN", State.OPEN, None),
        ("PENDING", State.OPEN, None),
    ],
)
def test_final_state__once_answered_is_stood_by(told: str, state: State, next_try_at: float | None) -> None:
    after = asked(move(state=State.OPEN, told=told, next_try_at=None), AT)
    assert (after.state, after.next_try_at) == (state, next_try_at)


def test_final_state__changes_nothing_that_has_ended() -> None:
    done = move(state=State.CONFIRMED, told="ROLLED_BACK", next_try_at=None)
    assert asked(done, AT) == replace(done)
