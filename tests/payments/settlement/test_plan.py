"""Decide and plan without a database (contract 4.2, rule 6).

The end does not depend on the order in which genuine events arrive.

`LONG=1` plays 10 000 orders instead of 1 000, each in four orders of arrival; `make quick` plays 100.
"""

import os
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count, permutations
from typing import NamedTuple
from uuid import UUID

import pytest

from lib.ids import new_id
from payments.models import Order, Payment, Refund
from payments.orders.events import Actor
from payments.providers.protocol import Event, EventType
from payments.settlement.changes import Delivery, Plan, applied
from payments.settlement.decide import decide
from payments.settlement.plan import plan
from payments.settlement.snapshot import OrderSnapshot
from payments.settlement.steps import Contradict, Pay

ORDERS = 10_000 if os.environ.get("LONG") else 100 if os.environ.get("QUICK") else 1_000
ARRIVALS = 4
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
PROVIDER = new_id()
SIGNS = {"payment": 1, "sale": 1, "payment_return": -1, "sale_return": -1}
# Price and credit, some of which divide badly.
PRICES = [(4_99, 500_00), (3_33, 10_01), (7, 3), (20_00, None), (3, 10**15 + 1)]


class Begun(NamedTuple):
    """A payment that was begun: what starting gave, and the provider's id of it."""

    start_reference: str
    reference: str


@dataclass
class Told:
    """An order that is told of events, one after the other.

    As a provider does that repeats what is refused.
    """

    snapshot: OrderSnapshot
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    accounts: Counter[str] = field(default_factory=Counter)
    delivery: str = ""

    def tell_all(self, events: list[Event]) -> None:
        """Tells all events.

        Those that contradict are told again after the others, until nothing more is taken.
        """
        waiting = list(events)
        while waiting:
            refused = [event for event in waiting if not self.tell(event)]
            if len(refused) == len(waiting):
                # A dispute and its reversal, of money that has gone back otherwise meanwhile:
                # together they are nothing.
                disputes = {event.reference for event in refused if event.type == EventType.CHARGED_BACK}
                reversals = {
                    event.reference for event in refused if event.type == EventType.CHARGE_BACK_REVERSED
                }
                assert disputes == reversals, f"never taken: {refused}"
                return
            waiting = refused

    def tell(self, event: Event) -> bool:
        step = decide(self.snapshot, event)
        if isinstance(step, Contradict):
            return False
        planned = plan(self.snapshot, step, Actor("provider:test", "provider", NOON), self.next_id)
        self.commit(planned)
        return True

    def commit(self, planned: Plan) -> None:
        self.snapshot = applied(self.snapshot, planned.changes)
        for posting in planned.money:
            amount = SIGNS[posting.type] * posting.amount
            self.accounts["clearing"] += amount
            self.accounts["revenue"] += amount if posting.type.startswith("sale") else 0
        for posting in planned.credit:
            self.accounts["credit"] += posting.amount if posting.type == "top_up" else -posting.amount
        moves = {Delivery.BEGIN: "pending", Delivery.GO_ON: "pending", Delivery.STOP: "returned"}
        self.delivery = moves.get(planned.delivery, self.delivery)

    def next_id(self) -> UUID:
        return UUID(int=next(self.numbers))

    @property
    def end(self) -> tuple[object, ...]:
        """Everything about money and state that must not depend on the order of arrival."""
        order = self.snapshot.order
        money = tuple(self.accounts[name] for name in ("clearing", "revenue", "credit"))
        return (order.state, order.refunded, order.charged_back, order.clawed_back, self.is_running, *money)

    @property
    def is_running(self) -> bool:
        return self.delivery == "pending"


def make_order(price: int, credit: int | None, begun: list[Begun], *, by_game: bool = False) -> OrderSnapshot:
    order = Order(id=new_id(), currency_id="EUR", price=price, credit=credit, is_delivered_by_game=by_game)
    order.credit_currency_id = "XAG" if credit else None
    payments = [
        Payment(
            id=UUID(int=(1 << 100) + number),
            order=order,
            provider_id=PROVIDER,
            state="started",
            amount=price,
            start_reference=one.start_reference,
        )
        for number, one in enumerate(begun)
    ]
    return OrderSnapshot(order, 2, PROVIDER, payments, [])


def success(one: Begun, price: int) -> Event:
    return Event(
        f"msg-{one.reference}",
        EventType.SUCCEEDED,
        reference=one.reference,
        amount=price,
        start_reference=one.start_reference,
    )


def back(type: EventType, reference: str, amount: int, of: str = "") -> Event:
    return Event(f"msg-{type}-{reference}", type, reference=reference, amount=amount, payment_reference=of)


def some_events(random_source: random.Random, price: int, begun: list[Begun]) -> list[Event]:
    """Genuine events about an order: of each payment never more goes back than came in."""
    events: list[Event] = []
    for one in begun:
        events.append(success(one, price))
        left = price
        for number in range(random_source.randrange(3)):
            if not left:
                break
            amount = random_source.choice([left, random_source.randint(1, left)])
            left -= amount
            reference = f"{one.reference}-{number}"
            of = one.reference if random_source.random() < 0.7 else ""
            if random_source.random() < 0.5:
                events.append(back(EventType.REFUNDED, reference, amount, of))
                continue
            events.append(back(EventType.CHARGED_BACK, reference, amount, of))
            if random_source.random() < 0.5:
                events.append(back(EventType.CHARGE_BACK_REVERSED, reference, amount))
                left += amount
    return events


def test_plan__any_order_of_arrival_has_the_same_end() -> None:
    random_source = random.Random(20261128)
    seen: Counter[str] = Counter()
    for number in range(ORDERS):
        price, credit = PRICES[number % len(PRICES)]
        begun = [Begun(f"start-{name}", f"pay-{name}") for name in "ABC"[: random_source.randint(1, 3)]]
        if random_source.random() < 0.5:
            # Where starting gives no reference, an order is begun once and may still be paid again.
            begun = [one._replace(start_reference="") for one in begun]
        started = begun if begun[0].start_reference else begun[:1]
        before = make_order(price, credit, started, by_game=credit is None or number % 2 == 0)
        events = some_events(random_source, price, begun)
        ends = set()
        for _ in range(ARRIVALS):
            random_source.shuffle(events)
            told = Told(before)
            told.tell_all(events)
            ends.add(told.end)
            check_money(told)
        assert len(ends) == 1, (events, ends)
        seen[told.snapshot.order.state] += 1
    assert min(seen[state] for state in ("paid", "delivered", "refunded", "charged_back")) > ORDERS // 100


def check_money(told: Told) -> None:
    order, kept = told.snapshot.order, told.snapshot.kept
    assert told.accounts["clearing"] == kept
    missing = max(order.price - kept, 0)
    assert told.accounts["credit"] == (order.credit or 0) - (order.credit or 0) * missing // order.price
    assert told.accounts["credit"] == told.snapshot.credited
    assert told.accounts["revenue"] == (0 if order.credit else min(kept, order.price))


# --- The faults of money, one by one -----------------------------------------------------------------------

A, B = Begun("start-a", "pay-a"), Begun("start-b", "pay-b")
BOTH = [success(A, 4_99), success(B, 4_99), back(EventType.REFUNDED, "ref", 4_99, B.reference)]


@pytest.mark.parametrize("events", list(permutations(BOTH)))
def test_plan__refund_that_overtakes_its_payment_is_of_that_one(events: tuple[Event, ...]) -> None:
    told = Told(make_order(4_99, 500_00, [A, B]))
    told.tell_all(list(events))
    order = told.snapshot.order
    assert (order.state, order.refunded, told.accounts["credit"]) == ("delivered", 0, 500_00)
    (refund,) = told.snapshot.refunds
    assert (refund.state, refund.payment.reference if refund.payment else "") == ("done", B.reference)


def test_plan__duplicates_go_back_before_the_credit() -> None:
    told = Told(make_order(4_99, 500_00, [Begun("", "")]))
    for number in range(3):
        assert told.tell(success(Begun("", f"pay-{number}"), 4_99))
    assert told.tell(back(EventType.REFUNDED, "ref-1", 1_00))
    assert told.tell(back(EventType.REFUNDED, "ref-2", 4_99))
    assert (told.snapshot.kept, told.accounts["credit"], told.snapshot.order.refunded) == (8_98, 500_00, 0)
    assert not told.tell(back(EventType.REFUNDED, "ref-3", 8_99))
    assert told.tell(back(EventType.REFUNDED, "ref-3", 8_98))
    assert (told.snapshot.order.state, told.accounts["credit"]) == ("refunded", 0)


def test_plan__reversal_makes_room_for_a_remembered_return() -> None:
    told = Told(make_order(4_99, 500_00, [A]))
    told.tell_all(
        [back(EventType.REFUNDED, "ref", 4_99), back(EventType.CHARGED_BACK, "dp", 4_99, A.reference)]
    )
    told.tell_all([success(A, 4_99), back(EventType.CHARGE_BACK_REVERSED, "dp", 4_99)])
    assert (told.snapshot.order.state, told.snapshot.kept, told.accounts["credit"]) == ("refunded", 0, 0)


def test_plan__a_success_after_a_full_refund_pays_again() -> None:
    told = Told(make_order(20_00, 1000_00, [A, B], by_game=True))
    told.tell_all([success(A, 20_00), back(EventType.REFUNDED, "ref", 20_00, A.reference)])
    assert (told.snapshot.order.state, told.delivery) == ("refunded", "returned")
    assert told.tell(success(B, 20_00))
    assert (told.snapshot.order.state, told.delivery, told.accounts["credit"]) == ("paid", "pending", 1000_00)


def test_plan__credit_over_the_bound_is_recorded_as_not_taken() -> None:
    told = Told(make_order(4_99, 500_00, [A]))
    told.tell_all([success(A, 4_99)])
    step = decide(told.snapshot, back(EventType.REFUNDED, "ref", 1_00, A.reference))
    planned = plan(told.snapshot, step, Actor("provider:test", "provider", NOON)).without_credit()
    told.commit(planned)
    order, (refund,) = told.snapshot.order, told.snapshot.refunds
    assert (order.refunded, order.clawed_back, refund.clawback, told.accounts["credit"]) == (
        1_00,
        0,
        0,
        500_00,
    )
    assert [notice.kind for notice in planned.notices] == ["credit_held"]
    assert "clawback of {amount} is more than" in planned.notices[0].text
    assert planned.notices[0].money == [(100_20, "XAG")]
    # What was not taken is taken with the next return.
    assert told.tell(back(EventType.REFUNDED, "ref-2", 3_99, A.reference))
    assert (told.accounts["credit"], told.snapshot.order.state) == (0, "refunded")


def test_plan__a_credit_that_was_held_is_given_by_no_later_event() -> None:
    told = Told(make_order(4_99, 500_00, [A, B]))
    step = decide(told.snapshot, success(A, 4_99))
    told.commit(plan(told.snapshot, step, Actor("provider:test", "provider", NOON)).without_credit())
    assert (told.snapshot.order.state, told.snapshot.order.is_credit_held) == ("paid", True)
    told.tell_all(
        [success(B, 4_99), back(EventType.REFUNDED, "ref", 4_99), back(EventType.REFUNDED, "more", 1_00)]
    )
    assert (told.accounts["credit"], told.snapshot.order.clawed_back) == (0, 500_00)


def columns_of(snapshot: OrderSnapshot) -> list[dict[str, object]]:
    rows = (snapshot.order, *snapshot.payments, *snapshot.refunds)
    return [{name: value for name, value in vars(row).items() if name != "_state"} for row in rows]


def test_plan__its_arguments_stay_as_they_are() -> None:
    snapshot = applied(make_order(4_99, 500_00, [A, B]), [])
    step = decide(snapshot, success(A, 4_99))
    assert isinstance(step, Pay)
    before = columns_of(snapshot)
    planned = plan(snapshot, step, Actor("provider:test", "provider", NOON))
    after = applied(snapshot, planned.changes)
    assert columns_of(snapshot) == before
    assert (snapshot.kept, after.kept) == (0, 4_99)
    assert replace(snapshot) == snapshot


def test_snapshot__left_of_a_payment_is_never_more_than_of_all() -> None:
    told = Told(make_order(4_99, 500_00, [A, B]))
    told.tell_all([success(A, 4_99), success(B, 4_99), back(EventType.REFUNDED, "unnamed", 7_00)])
    assert {payment.reference: told.snapshot.left_of(payment) for payment in told.snapshot.payments} == {
        "pay-a": 2_98,
        "pay-b": 2_98,
    }
    assert told.snapshot.left() == 2_98
    assert isinstance(decide(told.snapshot, back(EventType.REFUNDED, "x", 2_99, "pay-a")), Contradict)
    assert all(isinstance(refund, Refund) for refund in told.snapshot.refunds)
