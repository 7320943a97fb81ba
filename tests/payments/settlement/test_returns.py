"""The lives of refunds and disputes, without a database (contract 4.2, rule 6).

Each life is told in every order of arrival, and with every event twice: the end is the same.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice, permutations
from typing import NamedTuple

import pytest

from payments.models import Refund
from payments.orders.events import Actor
from payments.providers.protocol import Event, EventType
from payments.settlement.decide import decide
from payments.settlement.plan import plan
from payments.settlement.steps import Complete, Contradict, Nothing, Refuse, Restate
from tests.payments.settlement.test_plan import (
    ARRIVALS,
    NOON,
    ORDERS,
    PROVIDER,
    Begun,
    Told,
    make_order,
    success,
)

PRICE, CREDIT = 5_00, 500_00
A, B = Begun("start-a", "pay-a"), Begun("start-b", "pay-b")
PAID, PAID_AGAIN = success(A, PRICE), success(B, PRICE)
MOST_ARRIVALS = 720


def refund(
    status: str, second: int, name: str = "re-1", amount: int = PRICE, of: Begun = A, made: int = 10
) -> Event:
    """A refund that was made at second 10 is done or has failed."""
    return Event(
        f"{name}-{status}-{second}",
        EventType.REFUNDED if status == "succeeded" else EventType.REFUND_REVERSED,
        reference=name,
        amount=amount,
        payment_reference=of.reference,
        told_at=NOON + timedelta(seconds=second),
        is_final=status != "succeeded",
        made_at=NOON + timedelta(seconds=made),
    )


def total(amount: int, second: int, of: Begun = A) -> Event:
    """All that was ever refunded of a payment."""
    return Event(
        f"total-{of.reference}-{amount}-{second}",
        EventType.REFUNDED,
        payment_reference=of.reference,
        total=amount,
        told_at=NOON + timedelta(seconds=second),
    )


def dispute(status: str, second: int, name: str = "dp-1", amount: int = PRICE, of: Begun = A) -> Event:
    is_gone = status in ("needs_response", "under_review", "lost")
    return Event(
        f"{name}-{status}-{second}",
        EventType.CHARGED_BACK if is_gone else EventType.CHARGE_BACK_REVERSED,
        reference=name,
        amount=amount,
        payment_reference=of.reference,
        told_at=NOON + timedelta(seconds=second),
        is_final=status not in ("needs_response", "under_review"),
    )


class Life(NamedTuple):
    """What happened, and the end: the order's state, what is kept, and the player's credit."""

    events: Sequence[Event]
    state: str
    kept: int
    credit: int


LIVES = {
    # --- A refund, named
    "refund succeeded": Life([PAID, refund("succeeded", 11)], "refunded", 0, 0),
    "refund failed at once": Life([PAID, refund("failed", 11)], "delivered", PRICE, CREDIT),
    "refund succeeded, then failed": Life(
        [PAID, refund("succeeded", 11), refund("failed", 90)], "delivered", PRICE, CREDIT
    ),
    "refund succeeded, then canceled, told twice": Life(
        [PAID, refund("succeeded", 11), refund("canceled", 90), refund("canceled", 91)],
        "delivered", PRICE, CREDIT,
    ),
    "refund in part failed, another one is done": Life(
        [
            PAID,
            refund("succeeded", 11, amount=2_00),
            refund("failed", 90, amount=2_00),
            refund("succeeded", 95, "re-2", 1_00, made=95),
        ],
        "delivered", 4_00, 400_00,
    ),
    "refunds in part": Life(
        [PAID, refund("succeeded", 11, amount=2_00), refund("succeeded", 21, "re-2", 1_50, made=20)],
        "delivered", 1_50, 150_00,
    ),
    # --- A refund by totals
    "totals alone": Life(
        [PAID, total(1_00, 10), total(3_00, 20), total(3_50, 30)], "delivered", 1_50, 150_00
    ),
    "a total, and the refund by its name": Life(
        [PAID, total(PRICE, 10), refund("succeeded", 11)], "refunded", 0, 0
    ),
    "totals, and the refunds by their names": Life(
        [
            PAID,
            total(2_00, 10),
            total(3_50, 20),
            refund("succeeded", 11, amount=2_00),
            refund("succeeded", 21, "re-2", 1_50, made=20),
        ],
        "delivered", 1_50, 150_00,
    ),
    "a total with a refund that failed": Life(
        [PAID, total(PRICE, 10), refund("failed", 90)], "delivered", PRICE, CREDIT
    ),
    "a total with a refund that failed in its second": Life(
        [PAID, total(PRICE, 10), refund("failed", 10)], "delivered", PRICE, CREDIT
    ),
    "totals, of which one refund failed": Life(
        [PAID, total(2_00, 10), total(3_50, 20), refund("failed", 90, amount=2_00)], "delivered", 3_50, 350_00
    ),
    "a total, told after another refund had failed": Life(
        [PAID, total(2_00, 10), refund("failed", 90, amount=2_00), total(2_00, 95)],
        "delivered", 3_00, 300_00,
    ),
    "everything of a refund that fails": Life(
        [PAID, total(PRICE, 10), refund("succeeded", 11), refund("failed", 90), refund("failed", 91)],
        "delivered", PRICE, CREDIT,
    ),
    "a refund in part is made again after it failed": Life(
        [
            PAID,
            total(2_00, 10),
            refund("succeeded", 11, amount=2_00),
            refund("failed", 90, amount=2_00),
            total(2_00, 95),
            refund("succeeded", 96, "re-2", 2_00, made=95),
        ],
        "delivered", 3_00, 300_00,
    ),
    "a total that fell": Life([PAID, total(3_00, 10), total(1_00, 90)], "delivered", 4_00, 400_00),
    # --- A payment made twice
    "of two payments the first is refunded": Life(
        [PAID, PAID_AGAIN, total(PRICE, 10), refund("succeeded", 11)], "delivered", PRICE, CREDIT
    ),
    "of two payments the second is refunded": Life(
        [PAID, PAID_AGAIN, refund("succeeded", 11, of=B)], "delivered", PRICE, CREDIT
    ),
    "of two payments the first is refunded, and that fails": Life(
        [PAID, PAID_AGAIN, refund("succeeded", 11), refund("failed", 90)], "delivered", 2 * PRICE, CREDIT
    ),
    "of two payments one is refunded and the other disputed": Life(
        [PAID, PAID_AGAIN, total(PRICE, 10), dispute("needs_response", 50, of=B)], "charged_back", 0, 0
    ),
    # --- A dispute
    "dispute lost": Life([PAID, dispute("needs_response", 10), dispute("lost", 90)], "charged_back", 0, 0),
    "dispute won": Life(
        [PAID, dispute("needs_response", 10), dispute("under_review", 20), dispute("won", 90)],
        "delivered", PRICE, CREDIT,
    ),
    "dispute won, then lost": Life(
        [PAID, dispute("needs_response", 10), dispute("won", 50), dispute("lost", 90)], "charged_back", 0, 0
    ),
    "dispute lost, then won": Life(
        [PAID, dispute("needs_response", 10), dispute("lost", 50), dispute("won", 90)],
        "delivered", PRICE, CREDIT,
    ),
    "dispute reopened and won again": Life(
        [PAID, dispute("won", 50), dispute("needs_response", 60), dispute("won", 90)],
        "delivered", PRICE, CREDIT,
    ),
    "dispute begun and won in one second": Life(
        [PAID, dispute("needs_response", 10), dispute("won", 10)], "delivered", PRICE, CREDIT
    ),
    "inquiry closed": Life([PAID, dispute("warning_closed", 10)], "delivered", PRICE, CREDIT),
    "inquiry becomes a dispute": Life(
        [PAID, dispute("warning_closed", 10), dispute("needs_response", 50)], "charged_back", 0, 0
    ),
    "dispute ends as a closed inquiry": Life(
        [PAID, dispute("needs_response", 10), dispute("warning_closed", 50)], "delivered", PRICE, CREDIT
    ),
    "dispute prevented": Life(
        [PAID, dispute("needs_response", 10), dispute("prevented", 50)], "delivered", PRICE, CREDIT
    ),
    "dispute prevented by a refund": Life(
        [PAID, dispute("prevented", 50), total(PRICE, 45), refund("succeeded", 46, made=45)], "refunded", 0, 0
    ),
    "dispute in part lost": Life([PAID, dispute("lost", 50, amount=1_00)], "charged_back", 4_00, 400_00),
    "refund in part, the rest disputed and won": Life(
        [PAID, total(2_00, 10), dispute("needs_response", 50, amount=3_00), dispute("won", 90, amount=3_00)],
        "delivered", 3_00, 300_00,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIVES)
def test_return__life_has_one_end_in_every_order(name: str) -> None:
    life = LIVES[name]
    for arrival in islice(permutations(life.events), MOST_ARRIVALS):
        told = Told(make_order(PRICE, CREDIT, [A, B]))
        told.tell_all([*arrival])
        # Under another message's id; a payment acts once by its own reference.
        told.tell_all([event for event in arrival if event.told_at is not None])
        order = told.snapshot.order
        end = (order.state, told.snapshot.kept, told.accounts["credit"])
        assert end == (life.state, life.kept, life.credit), [event.message_id for event in arrival]
        assert told.accounts["clearing"] == told.snapshot.kept
        assert (order.credit or 0) - order.clawed_back == life.credit


# --- Random lives -------------------------------------------------------------------------------------------


@dataclass
class FakeProvider:
    """A provider that refunds and lets refunds fail, at random, and tells of all of it."""

    random_source: random.Random
    # Whether it tells of refunds by their names; failures are named always.
    is_naming: bool
    second: int = 10
    events: list[Event] = field(default_factory=lambda: [PAID, PAID_AGAIN])
    gone: dict[Begun, dict[str, int]] = field(default_factory=lambda: {A: {}, B: {}})
    disputed: set[Begun] = field(default_factory=set)

    def live(self, of: Begun) -> None:
        self.second += self.random_source.randint(1, 3)
        gone, what = self.gone[of], self.random_source.choice(["refund", "refund", "fail", "dispute"])
        left = PRICE - sum(gone.values())
        if what == "refund" and left and of not in self.disputed:
            name, amount = f"re-{of.reference}-{self.second}", self.random_source.randint(1, left)
            gone[name] = amount
            self.events.append(total(sum(gone.values()), self.second, of))
            if self.is_naming:
                made = self.second
                self.events.append(refund("succeeded", self.second, name, amount, of, made))
        elif what == "fail" and gone:
            name = self.random_source.choice(list(gone))
            made = int(name.rpartition("-")[2])
            self.events.append(refund("failed", self.second, name, gone.pop(name), of, made))
        elif what == "dispute" and not gone:
            status = self.random_source.choice(["won", "warning_closed"] if of in self.disputed else ["lost"])
            self.disputed ^= {of}
            self.events.append(dispute(status, self.second, f"dp-{of.reference}", PRICE, of))

    @property
    def kept(self) -> int:
        gone = sum(sum(refunds.values()) for refunds in self.gone.values())
        return 2 * PRICE - gone - PRICE * len(self.disputed)


@pytest.mark.parametrize("is_naming", [True, False])
def test_return__random_lives_end_as_the_provider_stands(*, is_naming: bool) -> None:
    random_source = random.Random(20261129)
    for _ in range(ORDERS // 4):
        provider = FakeProvider(random_source, is_naming)
        for _ in range(random_source.randint(2, 10)):
            provider.live(random_source.choice([A, B]))
        for _ in range(ARRIVALS):
            random_source.shuffle(provider.events)
            told = Told(make_order(PRICE, CREDIT, [A, B]))
            told.tell_all(provider.events)
            assert told.snapshot.kept == provider.kept, provider.events
            missing = max(PRICE - provider.kept, 0)
            assert told.accounts["credit"] == CREDIT - CREDIT * missing // PRICE


# --- What a person is told ----------------------------------------------------------------------------------


def notices(*events: Event) -> list[tuple[str, str]]:
    """The alerts that the last of these raises: kind, and the first words after the order."""
    told = Told(make_order(PRICE, CREDIT, [A, B]))
    told.tell_all(list(events[:-1]))
    planned = plan(told.snapshot, decide(told.snapshot, events[-1]), Actor("provider:test", "provider", NOON))
    return [(notice.kind, notice.text.partition(": ")[2][:30]) for notice in planned.notices]


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([PAID, refund("succeeded", 11), refund("failed", 90)], "refund re-1 failed or was canc"),
        ([PAID, refund("failed", 90)], "refund re-1 failed or was canc"),
        ([PAID, total(PRICE, 10), refund("canceled", 90)], "refund re-1 failed or was canc"),
        ([PAID, total(3_00, 10), total(1_00, 90)], "the provider says that less ha"),
        ([PAID, dispute("won", 50), dispute("lost", 90)], ""),
        (
            [PAID, dispute("lost", 10), dispute("won", 50), dispute("lost", 90)],
            "dispute dp-1 was reversed, and",
        ),
        ([PAID, dispute("lost", 10), dispute("won", 50)], ""),
        ([PAID, refund("succeeded", 11)], ""),
    ],
)
def test_return__that_turns_is_told_to_a_person(events: list[Event], told: str) -> None:
    assert notices(*events) == ([("return_changed", told)] if told else [])


# --- What cannot be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "event", "problem"),
    [
        ([dispute("won", 50)], dispute("lost", 50), "two words of the same second about it differ"),
        ([dispute("lost", 50)], dispute("won", 50), "two words of the same second about it differ"),
        ([dispute("lost", 50)], dispute("won", 90, amount=4_99), "the chargeback was of another amount"),
        ([dispute("lost", 50)], dispute("won", 90, of=B), "the chargeback was of another payment"),
        ([refund("succeeded", 11)], refund("failed", 90, amount=4_99), "the refund was of another amount"),
        ([refund("succeeded", 11)], dispute("lost", 90), "more would go back than was paid"),
        ([], total(PRICE + 1, 10), "more would go back than was paid"),
    ],
)
def test_return__contradiction_is_for_a_person(before: list[Event], event: Event, problem: str) -> None:
    told = Told(make_order(PRICE, CREDIT, [A, B]))
    told.tell_all([PAID, *before])
    assert decide(told.snapshot, event) == Contradict(problem)


# --- Refunds that we requested ------------------------------------------------------------------------------


def with_ours(state: str, **fields: object) -> Told:
    """A paid order with a refund of 2.00 that we requested."""
    told = Told(make_order(PRICE, CREDIT, [A, B]))
    told.tell_all([PAID])
    (payment,) = (row for row in told.snapshot.payments if row.reference == A.reference)
    ours = Refund(
        order=told.snapshot.order,
        payment=payment,
        provider_id=PROVIDER,
        kind="refund",
        state=state,
        amount=2_00,
        payment_reference=A.reference,
        times_asked=1,
        **fields,
    )
    told.snapshot = replace(told.snapshot, refunds=[ours])
    return told


def ours_is(told: Told, status: str) -> Event:
    return replace(refund(status, 90, "re-ours", 2_00), refund_id=told.snapshot.refunds[0].pk)


@pytest.mark.parametrize(
    ("state", "status", "step"),
    [
        ("unknown", "succeeded", Complete),
        ("unknown", "failed", Refuse),
        ("refused", "succeeded", Complete),
        ("done", "succeeded", Restate),
        ("done", "failed", Restate),
    ],
)
def test_return__of_ours_is_known_by_our_id(state: str, status: str, step: type) -> None:
    told = with_ours(state)
    assert isinstance(decide(told.snapshot, ours_is(told, status)), step)
    assert told.tell(ours_is(told, status))
    kept = PRICE - (2_00 if status == "succeeded" else 0)
    assert (len(told.snapshot.refunds), told.snapshot.kept) == (1, kept)
    assert isinstance(decide(told.snapshot, ours_is(told, "succeeded")), Nothing)
    assert told.snapshot.refunds[0].reference == "re-ours"
