"""The lives of refunds and disputes, without a database (contract 4.2, rule 6).

Each life is told in every order of arrival, and with every event twice: the end is the same.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice, permutations
from typing import NamedTuple, cast
from uuid import UUID

import pytest

from payments.models import Refund
from payments.orders.events import Actor
from payments.providers.protocol import Event, EventType, RefundResult, RefundStatus
from payments.refunds import worker
from payments.settlement.changes import Change, applied
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
            amount = self.random_source.choice([self.random_source.randint(1, left), min(2_00, left)])
            name = f"re-{of.reference}-{self.second}"
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


OURS, AMOUNT = UUID(int=7 << 100), 2_00


class Look(NamedTuple):
    """What the provider answers about our refund, by our clock, and when it made it by its own."""

    status: RefundStatus
    second: int
    reference: str = "re-ours"
    made: int | None = None
    is_final: bool = False


PENDING, DENIED = Look(RefundStatus.UNKNOWN, 30), Look(RefundStatus.REFUSED, 30, "")


def seen_done(second: int, made: int) -> Look:
    return Look(RefundStatus.DONE, second, made=made)


def seen_failed(second: int, made: int) -> Look:
    return Look(RefundStatus.REFUSED, second, made=made, is_final=True)


class TellsOfOurs(Told):
    """Told of looks at our refund, too."""

    def tell_all(self, events: Sequence[Event | Look]) -> None:
        super().tell_all(cast(list[Event], events))

    def tell(self, event: Event | Look) -> bool:
        if isinstance(event, Event):
            return super().tell(event)
        (ours,) = (row for row in self.snapshot.refunds if row.pk == OURS)
        if ours.state not in Refund.OPEN:
            return True
        made_at = None if event.made is None else NOON + timedelta(seconds=event.made)
        result = RefundResult(event.status, event.reference, made_at=made_at, is_final=event.is_final)
        step = worker.step_after(ours, result, NOON + timedelta(seconds=event.second))
        if step is None:
            self.snapshot = applied(self.snapshot, [Change(ours, {"reference": event.reference})])
        else:
            by = Actor("provider:test", "provider", NOON)
            self.commit(plan(self.snapshot, step, by, self.next_id))
        return True


@pytest.fixture
def no_refund_is_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where our refund is the only one of its name, which otherwise the database says."""
    monkeypatch.setattr(worker, "is_booked", lambda refund, result: False)


def with_ours(state: str, **fields: object) -> "TellsOfOurs":
    """A paid order with a refund of 2.00 that we requested."""
    told = TellsOfOurs(make_order(PRICE, CREDIT, [A, B]))
    told.tell_all([PAID])
    (payment,) = (row for row in told.snapshot.payments if row.reference == A.reference)
    ours = Refund(
        id=OURS,
        order=told.snapshot.order,
        payment=payment,
        provider_id=PROVIDER,
        kind="refund",
        state=state,
        amount=AMOUNT,
        payment_reference=A.reference,
        times_asked=1,
        **fields,
    )
    told.snapshot = replace(told.snapshot, refunds=[ours])
    return told


def ours_is(status: str, second: int = 90, made: int = 10) -> Event:
    return replace(refund(status, second, "re-ours", AMOUNT, made=made), refund_id=OURS)


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
    assert isinstance(decide(told.snapshot, ours_is(status)), step)
    assert told.tell(ours_is(status))
    kept = PRICE - (2_00 if status == "succeeded" else 0)
    assert (len(told.snapshot.refunds), told.snapshot.kept) == (1, kept)
    assert isinstance(decide(told.snapshot, ours_is("succeeded")), Nothing)
    assert told.snapshot.refunds[0].reference == "re-ours"


# A refund of the same amount that somebody made at the provider.
THEIRS = [total(AMOUNT, 10), refund("succeeded", 11, "re-2", AMOUNT)]
LIVES_OF_OURS: dict[str, tuple[Sequence[Event | Look], int]] = {
    "made, and told": ([total(AMOUNT, 10), ours_is("succeeded", 11)], 3_00),
    "made, and seen": ([total(AMOUNT, 10), seen_done(11, 10)], 3_00),
    "under way, then made": ([PENDING, total(AMOUNT, 10), seen_done(40, 10), ours_is("succeeded", 35)], 3_00),
    "made after theirs, and told": ([*THEIRS, total(4_00, 30), ours_is("succeeded", 31, 30)], 1_00),
    "made after theirs, and seen": ([*THEIRS, total(4_00, 30), seen_done(31, 30)], 1_00),
    "under way after theirs": ([*THEIRS, PENDING, total(4_00, 30), ours_is("succeeded", 31, 30)], 1_00),
    "made after theirs without a name": ([THEIRS[0], total(4_00, 30), seen_done(31, 30)], 1_00),
    "denied after theirs": ([*THEIRS, DENIED], 3_00),
    "denied after theirs without a name": ([THEIRS[0], DENIED], 3_00),
    "failed, seen by a clock behind": (
        [total(AMOUNT, 100), seen_failed(95, 100), ours_is("failed", 101, 100)], PRICE
    ),
    "failed, seen by a clock ahead": (
        [total(AMOUNT, 100), seen_failed(200, 100), ours_is("failed", 101, 100), total(1_00, 105)], 4_00
    ),
    "made, then failed, then theirs": (
        [
            total(AMOUNT, 10), seen_done(12, 10), ours_is("failed", 20),
            total(AMOUNT, 30), refund("succeeded", 31, "re-2", AMOUNT, made=30),
        ],
        3_00,
    ),
}  # fmt: skip


@pytest.mark.usefixtures("no_refund_is_anothers")
@pytest.mark.parametrize("name", LIVES_OF_OURS)
def test_return__life_of_ours_has_one_end_in_every_order(name: str) -> None:
    said, kept = LIVES_OF_OURS[name]
    for arrival in permutations(said):
        check_end(arrival, kept)


def check_end(arrival: Sequence[Event | Look], kept: int) -> None:
    told = with_ours("unknown")
    told.tell_all(list(arrival))
    told.tell_all([event for event in arrival if isinstance(event, Event) and event.told_at is not None])
    assert told.snapshot.kept == kept, arrival
    assert told.accounts["clearing"] == kept
    assert told.accounts["credit"] == CREDIT - CREDIT * max(PRICE - kept, 0) // PRICE


@dataclass
class ProviderWithOurs(FakeProvider):
    """One that is asked for our refund too, and takes it at some time or never."""

    said: list[Look] = field(default_factory=list)
    made: int | None = None

    def live(self, of: Begun) -> None:
        gone, is_due = self.gone[A], self.random_source.random() < 0.4
        is_room = A not in self.disputed and sum(gone.values()) + AMOUNT <= PRICE
        if self.made is None and is_due and is_room:
            self.second += self.random_source.randint(1, 3)
            self.made = self.second
            gone[self.name] = AMOUNT
            self.events.append(total(sum(gone.values()), self.second))
            if self.is_naming:
                self.events.append(ours_is("succeeded", self.second, self.second))
            if self.random_source.random() < 0.5:
                self.said.append(PENDING)
        super().live(of)

    @property
    def name(self) -> str:
        return f"re-ours-{self.made}"

    def everything(self) -> list[Event | Look]:
        """All that is told but of the first payment, and the look that ends our refund."""
        events = [self.as_ours(event) for event in self.events if event is not PAID]
        if self.made is None:
            return [*events, *self.said, DENIED]
        # By a clock that is not the provider's.
        second = self.second + self.random_source.randint(-9, 9)
        has_failed = self.name not in self.gone[A]
        is_late = has_failed and self.random_source.random() < 0.5
        look = seen_failed(second, self.made) if is_late else seen_done(second, self.made)
        return [*events, *self.said, look]

    def as_ours(self, event: Event) -> Event:
        """Our refund carries our id of it."""
        if event.reference != self.name:
            return event
        return replace(event, reference="re-ours", refund_id=OURS)


@pytest.mark.usefixtures("no_refund_is_anothers")
@pytest.mark.parametrize("is_naming", [True, False])
def test_return__random_lives_with_ours_end_as_the_provider_stands(*, is_naming: bool) -> None:
    random_source = random.Random(20261130)
    for _ in range(ORDERS // 4):
        provider = ProviderWithOurs(random_source, is_naming)
        for _ in range(random_source.randint(2, 10)):
            provider.live(random_source.choice([A, B]))
        everything = provider.everything()
        for _ in range(ARRIVALS):
            random_source.shuffle(everything)
            check_end(everything, provider.kept)
