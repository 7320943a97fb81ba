"""A genuine callback that contradicts its order is accepted as the order's payment, by operators.

From then on it is one that was acted on: it acts once, by the same ids as others, and the audit replays it.
What it names as paid is booked, neither more nor less, and what is kept decides about the credit.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet

from lib.backoffice.languages import _, format_lazy
from lib.clock import now
from payments.models import Callback, Order, Payment, Refund, RefundTotal
from payments.orders.events import Actor
from payments.providers.protocol import EventType
from payments.providers.registry import PROVIDERS
from payments.settlement.changes import Plan
from payments.settlement.commit import commit
from payments.settlement.decide import accepted
from payments.settlement.plan import plan
from payments.settlement.replay import Unreplayable, event_of
from payments.settlement.snapshot import OrderSnapshot, snapshot_of
from payments.settlement.steps import Contradict

Outcome = Callback.Outcome


class NotAcceptable(Exception):
    """Why a callback cannot be accepted as an order's payment; the text is for operators."""


def contradicting(order_id: UUID | OuterRef) -> QuerySet[Callback]:
    """The callbacks that say that an order was paid, and contradict it."""
    told = Callback.objects.filter(order_id=order_id, type=str(EventType.SUCCEEDED))
    return told.filter(outcome=Outcome.CONTRADICTS).select_related("provider")


def lock(order_id: UUID, callback_id: UUID) -> tuple[Order, Callback]:
    """The order, then its callback. Raises `NotAcceptable`."""
    orders = Order.objects.select_for_update(of=("self",)).select_related("player", "game")
    order = orders.get(pk=order_id)
    callback = contradicting(order_id).select_for_update(of=("self",)).filter(pk=callback_id).first()
    if callback is None:
        raise NotAcceptable(_("This callback does not contradict the order any more, or is of another one."))
    return order, callback


def plan_acceptance(order: Order, callback: Callback, actor: str) -> tuple[OrderSnapshot, Plan]:
    """The order as it stands, and what becomes of it. Both are locked. Raises `NotAcceptable`."""
    require_untaken(callback)
    config = {config.id: config for config in PROVIDERS.all().values()}[callback.provider_id]
    if config.currency not in (None, order.currency_id):
        words = _("{provider} takes {currency}, not {other}.")
        raise NotAcceptable(
            format_lazy(
                words, provider=callback.provider.name, currency=config.currency, other=order.currency_id
            )
        )
    try:
        event = event_of(callback, config)
    except Unreplayable as problem:
        raise NotAcceptable(str(problem)) from problem
    snapshot = snapshot_of(
        order,
        callback.provider_id,
        list(Payment.objects.filter(order=order).order_by("pk")),
        list(Refund.objects.filter(order=order).order_by("pk")),
        totals=list(RefundTotal.objects.filter(order=order).order_by("pk")),
    )
    step = accepted(snapshot, event)
    if isinstance(step, Contradict):
        raise NotAcceptable(
            format_lazy(_("It cannot be this order's payment: {problem}."), problem=step.problem)
        )
    return snapshot, plan(snapshot, step, Actor(actor, "operator", now(), callback))


def require_untaken(callback: Callback) -> None:
    """Raises `NotAcceptable` if its message, or the payment that it names, has acted already (rule 4)."""
    same = Q(message_id=callback.message_id)
    if callback.reference:
        same |= Q(type=callback.type, reference=callback.reference)
    if Callback.objects.filter(same, provider=callback.provider_id, outcome__in=Callback.TAKEN).exists():
        raise NotAcceptable(_("The payment that it names has been taken already, by another callback."))


def accept_callback(order_id: UUID, callback_id: UUID, *, actor: str) -> UUID | None:
    """Takes a callback as its order's payment. Returns the delivery that is due by it.

    Raises `NotAcceptable`; then nothing has changed. Who accepts it and why stands in the approval.
    """
    with transaction.atomic():
        order, callback = lock(order_id, callback_id)
        planned = plan_acceptance(order, callback, actor)[1]
        callback.outcome = Outcome.DUPLICATE if planned.is_duplicate else Outcome.ACTED
        callback.accepted_at, callback.accepted_by = planned.by.at, actor[:80]
        callback.save(update_fields=["outcome", "accepted_at", "accepted_by"])
        return commit(planned)
