"""What an event means, without a database (contract 4.2, rules 3 and 6)."""

from dataclasses import replace

import pytest

from payments.models import Order, Payment, Refund
from payments.orders.state import standing
from payments.providers.protocol import EchoedOrder, Event, EventType
from payments.settlement.decide import decide
from payments.settlement.snapshot import OrderSnapshot
from payments.settlement.steps import Complete, Contradict, Nothing, Pay, Step
from players.models import Player
from tests.payments.settlement.test_plan import NOON, PROVIDER, Begun, back, make_order, success

ONE = Begun("start-1", "pay-1")
ECHOED = EchoedOrder(uid="anna", server_id="7", product_code="gold", price="4.99", ext_params="x")


def paid_with(*refunds: Refund) -> OrderSnapshot:
    """An order of 4.99 that is paid, with these refunds."""
    snapshot = make_order(4_99, None, [ONE])
    snapshot.payments[0].state, snapshot.payments[0].reference = Payment.State.PAID, ONE.reference
    snapshot.order.state, snapshot.order.paid_at = Order.State.PAID, NOON
    assert standing(4_99, snapshot.kept, 0).missing == 0
    return replace(snapshot, refunds=refunds)


def named(state: str) -> Refund:
    """A refund of 1.00 that we initiated, that the provider has named to us."""
    return Refund(provider_id=PROVIDER, kind=Refund.Kind.REFUND, state=state, amount=1_00, reference="re-1")


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (Refund.State.ASKED, Complete),
        (Refund.State.UNKNOWN, Complete),
        (Refund.State.REFUSED, Complete),
        (Refund.State.DONE, Nothing),
    ],
)
def test_decide__a_named_refund_of_ours_ends_once(state: str, step: type[Step]) -> None:
    assert isinstance(decide(paid_with(named(state)), back(EventType.REFUNDED, "re-1", 1_00)), step)
    other = back(EventType.REFUNDED, "re-1", 1_01)
    assert decide(paid_with(named(state)), other) == Contradict("the refund was of another amount")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uid", "bert"),
        ("server_id", "8"),
        ("server_id", "7.0"),
        ("server_id", ""),
        ("product_code", "silver"),
        ("price", "4.98"),
        ("price", "4,99"),
        ("ext_params", ""),
    ],
)
def test_decide__a_field_that_differs_from_the_order_contradicts(field: str, value: str) -> None:
    snapshot = make_order(4_99, None, [ONE])
    order = snapshot.order
    order.player, order.server_id, order.product_code, order.ext_params = Player(uid="anna"), 7, "gold", "x"
    event = success(ONE, 4_99)
    assert isinstance(decide(snapshot, event_with(event, ECHOED)), Pay)
    step = decide(snapshot, event_with(event, replace(ECHOED, **{field: value})))
    assert isinstance(step, Contradict)
    assert step.problem.endswith(" differs from the order")


def event_with(event: Event, echoed: EchoedOrder) -> Event:
    return replace(event, echoed=echoed)
