"""What goes back: refunds by operators and by providers, chargebacks, and their end."""

from collections.abc import Generator
from datetime import datetime
from uuid import UUID

from lib.clock import now
from payments.approvals.refund import REFUND_OF_ORDER, RefundPayload
from payments.history.callbacks import tell_event
from payments.history.director import Story
from payments.history.operators import requested
from payments.history.world import World
from payments.models import Order, Provider, Refund
from payments.providers.protocol import EventType, RefundResult, RefundStatus
from payments.refunds.operations import NotRefundable, refundable
from payments.refunds.worker import lease, record_result
from payments.sandbox.bills import Bill

WAYS_BACK = ("refunded", "refunded_by_us", "charged_back", "won_back")
REASONS = ("The player bought it twice", "Bought by mistake", "The item did not work")


def goes_back(world: World, order: Order, bill: Bill, reference: str, way: str = "") -> Story:
    """A payment goes back in one of the ways that its provider knows."""
    if bill.fields is not None:
        return
    end, way = "approved" if way else "", way or world.random.choice(list(WAYS_BACK))
    if way == "refunded_by_us" and bill.config.scheme == Provider.Scheme.SANDBOX:
        yield from refunded_by_us(world, order, end)
    elif way in ("charged_back", "won_back"):
        yield from charged_back(world, bill, reference, is_won_back=way == "won_back")
    else:
        amount = bill.amount if world.happens(0.7) else max(1, bill.amount // 2)
        tell_event(bill, EventType.REFUNDED, world.name("ref_"), amount, payment=reference)


def charged_back(
    world: World, bill: Bill, reference: str, *, is_won_back: bool
) -> Generator[datetime, None, None]:
    """The payer's bank takes it all, and may give it back."""
    dispute = world.name("dp_")
    tell_event(bill, EventType.CHARGED_BACK, dispute, bill.amount, payment=reference)
    if is_won_back:
        yield world.after(20_000, 60_000)
        tell_event(bill, EventType.CHARGE_BACK_REVERSED, dispute, bill.amount, payment=reference)


def refunded_by_us(world: World, order: Order, end: str) -> Generator[datetime, None, None]:
    """An operator's request, a second one's approval, and the provider's answer."""
    try:
        most = refundable(order).most
    except NotRefundable:
        return
    payload = RefundPayload(order.pk, most)
    yield from requested(world, REFUND_OF_ORDER, payload, world.random.choice(REASONS), end)
    yield world.after(0.5, 3)
    for refund, _ in lease(now(), only=newest_refund(order)):
        record_result(refund.pk, answered(world))


def newest_refund(order: Order) -> UUID:
    """The id of the order's newest refund, or one that there is not."""
    ids = Refund.objects.filter(order=order).order_by("-pk").values_list("pk", flat=True)
    return ids.first() or UUID(int=0)


def answered(world: World) -> RefundResult:
    """What the provider says: mostly that it is done."""
    if world.happens(0.15):
        return RefundResult(RefundStatus.REFUSED, problem="The payment is too old to be refunded.")
    return RefundResult(RefundStatus.DONE, reference=world.name("ref_"))
