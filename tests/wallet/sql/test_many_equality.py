"""Calls in random batches do what the same calls do one by one, from the same random state: the same answers,
journal, transactions, discrepancies and call log, but for ids and times.

`LONG=1` plays a hundred times as much.
"""

import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.call_batches import (
    Parameters,
    done_alone,
    done_together,
    is_opening,
    opening,
    settling,
)
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from tests.support.ledger_rows import names, written
from wallet.ledger import Answer
from wallet.models import Transaction
from wallet.operations import freeze_wallet, limit_withdrawals, resolve_transaction
from wallet.outcomes import LedgerRefused

EXAMPLES = 10_000 if os.environ.get("LONG") else 60
# Making a failing story short takes minutes.
PHASES = list(Phase) if os.environ.get("LONG") else [Phase.explicit, Phase.reuse, Phase.generate]
CURRENCIES = ("XAG", "JPY")
TYPES = ("withdrawal", "deposit")


class Draw(NamedTuple):
    """Everything that a step may need; each takes what it wants."""

    seat: int
    type: str
    mm: str
    amount: int
    event: str
    number: int


draws = st.builds(
    Draw,
    # The first two are one player's at one game, in two currencies.
    st.sampled_from([0, 0, 0, 0, 2, *range(11)]),
    st.sampled_from(TYPES),
    st.sampled_from("aab"),
    st.sampled_from([1, 1, 30_00, 30_00, 70_00, 10**17 - 1]),
    st.sampled_from(["confirmed", "rolled_back"]),
    st.integers(0, 5),
)


class Cast:
    """Two players at two games in two currencies; a session that has ended, and two tokens nobody knows."""

    def __init__(self, callers: Callers) -> None:
        self.parties = [make_party(), make_party()]
        self.games = [party.game for party in self.parties]
        self.players = [callers.player() for _ in range(2)]
        self.seats: list[PlayerSession] = [
            open_session(party, player, currency)
            for player in self.players
            for currency in CURRENCIES
            for party in self.parties
        ]
        for seat in self.seats[::2]:
            seat.adjust("credit", 100_00)
        ended = open_session(self.parties[0], self.players[0], "XAG")
        ended.end()
        strangers = [
            replace(self.seats[0], game=self.parties[1].game),
            replace(self.seats[0], token=str(uuid.uuid4())),
        ]
        self.seats += [ended, *strangers]

    # --- What games call ----------------------------------------------------------------------------

    def opening(self, draw: Draw) -> Parameters:
        currency = CURRENCIES[draw.number % 2] if draw.number > 3 else None
        return opening(self.seats[draw.seat], draw.mm, draw.amount, type=draw.type, currency=currency)

    def settling(self, draw: Draw) -> Parameters:
        amount = draw.amount if draw.number > 3 else None
        return settling(
            self.seats[draw.seat], draw.mm, draw.event, type=draw.type, amount=amount, reason="a reason"
        )

    # --- What came before ---------------------------------------------------------------------------

    def open(self, draw: Draw) -> None:
        done_alone(self.opening(draw))

    def settle(self, draw: Draw) -> None:
        done_alone(self.settling(draw))

    def resolve(self, draw: Draw) -> None:
        found = Transaction.objects.filter(player__in=self.players, state="pending").order_by("pk")
        for row in found[:1]:
            event = ("confirmed", "rolled_back", "expired")[draw.number % 3]
            resolve_transaction(row.pk, event=event, source="sweep", actor="test", reason="test")

    def block(self, draw: Draw) -> None:
        self.seats[draw.seat % 8].block(("active", "blocked")[draw.number % 2])

    def freeze(self, draw: Draw) -> None:
        freeze_wallet(self.seats[draw.seat % 8].wallet(), actor="test", reason="test")

    def limit(self, draw: Draw) -> None:
        wallet = self.seats[draw.seat % 8].wallet()
        limit_withdrawals(wallet, most=draw.amount, actor="test", reason="test", is_approved=True)

    def fall_into_debt(self, draw: Draw) -> None:
        self.seats[draw.seat % 8].adjust("debit", 150_00, into_debt=True)

    def fill(self, draw: Draw) -> None:
        """Nearly to the bound, so that a deposit may be too much."""
        with suppress(LedgerRefused):
            for _ in range(10):
                self.seats[draw.seat % 8].adjust("credit", 10**17 - 1)


Act = Callable[[Cast, Draw], None]
Call = Callable[[Cast, Draw], Parameters]
BEFORE: tuple[Act, ...] = (
    *[Cast.open] * 4,
    Cast.settle,
    *[Cast.resolve] * 3,
    *(Cast.block, Cast.freeze, Cast.limit, Cast.fall_into_debt, Cast.fill),
)
CALLS: tuple[Call, ...] = (Cast.opening, Cast.settling)
batches = st.lists(st.tuples(st.sampled_from(CALLS), draws), min_size=1, max_size=20)


class Story(NamedTuple):
    before: list[tuple[Act, Draw]]
    batches: list[list[tuple[Call, Draw]]]


stories = st.builds(
    Story,
    st.lists(st.tuples(st.sampled_from(BEFORE), draws), max_size=12),
    st.lists(batches, min_size=1, max_size=4),
)


Way = Callable[[Sequence[Parameters]], list[Answer]]


@pytest.fixture(scope="module")
def cast(callers: Callers) -> Cast:
    return Cast(callers)


def one_by_one(calls: Sequence[Parameters]) -> list[Answer]:
    return [done_alone(call) for call in calls]


def together(calls: Sequence[Parameters]) -> list[Answer]:
    answers = done_together(calls)
    return [answers[place] for place in range(len(calls))]


def became(cast: Cast, batches: Sequence[Sequence[Parameters]], way: Way) -> dict[str, object]:
    """All that is to be seen afterwards; then it is as if nothing had been."""
    with transaction.atomic():
        answers = [answer for batch in batches for answer in way(batch)]
        rows, named = written(cast.players, cast.games), names(cast.players)
        transaction.set_rollback(True)
    said = [
        (answer.outcome, named.get(answer.transaction_id), answer.balance, answer.currency)
        for answer in answers
    ]
    return rows | {"answers": said}


def in_order(calls: list[Parameters]) -> list[Parameters]:
    """As one statement does them: openings first."""
    return sorted(calls, key=lambda call: not is_opening(call))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(story=stories)
def test_many__does_what_the_calls_do_one_by_one(cast: Cast, story: Story) -> None:
    with transaction.atomic():
        for act, draw in story.before:
            act(cast, draw)
        batches = [in_order([call(cast, draw) for call, draw in batch]) for batch in story.batches]
        alone, many = (became(cast, batches, way) for way in (one_by_one, together))
        transaction.set_rollback(True)
    assert many == alone
    assert many["problems"] == []
