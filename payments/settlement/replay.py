"""Replays an order from what was kept of it (contract 4.2, rule 6).

That is its callbacks, read again, and the refunds that we initiated.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from payments.models import Callback, Order, Payment, Refund
from payments.orders.events import Actor
from payments.providers.adapters import adapter_for
from payments.providers.protocol import Event, ProviderConfig, RawCallback
from payments.providers.signatures.refused import Refused
from payments.settlement.changes import applied
from payments.settlement.decide import accepted, decide
from payments.settlement.plan import plan
from payments.settlement.snapshot import OrderSnapshot, is_paid_through, snapshot_of
from payments.settlement.steps import Complete, Contradict, Refuse, Step

# The callbacks that changed something.
EFFECTIVE = (Callback.Outcome.ACTED, Callback.Outcome.DUPLICATE)


class Unreplayable(Exception):
    """Why a stored callback does not fit what came before it; the text is for operators."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that was kept of an order; callbacks are those that changed something."""

    order: Order
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    callbacks: Sequence[Callback]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a callback says that contradicted its order, and was accepted by operators."""

    event: Event


Said = Event | Accepted | Refund


def replayed(kept: Kept, configs: Mapping[UUID, ProviderConfig]) -> OrderSnapshot:
    """The order as its callbacks and refunds make it. Raises `Unreplayable`."""
    snapshot = begun(kept)
    ours = [refund for refund in kept.refunds if is_ended_ours(refund)]
    for at, provider_id, said in happened(kept, configs):
        # What ended later was ended by nothing before: until then, a provider's own refund is not ours.
        known = {refund.pk for refund in snapshot.refunds}
        ended = [refund for refund in ours if refund.ended_at is not None and refund.ended_at <= at]
        unknown = [refund for refund in ended if refund.pk not in known]
        new = [row for refund in unknown if (row := requested(refund, snapshot))]
        seen = replace(snapshot, provider_id=provider_id, refunds=[*snapshot.refunds, *new])
        step = step_for(seen, said)
        if isinstance(step, Contradict):
            raise Unreplayable(step.problem)
        if step is not None:
            snapshot = applied(seen, plan(seen, step, Actor("audit", "system", at)).changes)
    return snapshot


def step_for(snapshot: OrderSnapshot, said: Said) -> Step | None:
    """The step of an event, or of a refund that we initiated and that no callback has ended.

    Raises `Unreplayable`.
    """
    if isinstance(said, Event):
        return decide(snapshot, said)
    if isinstance(said, Accepted):
        return accepted(snapshot, said.event)
    refund = next((row for row in snapshot.refunds if row.pk == said.pk), None)
    if refund is None:
        raise Unreplayable(f"no callback before refund {said.pk} tells of its payment")
    if refund.state not in Refund.OPEN:
        return None
    if said.state == Refund.State.REFUSED:
        return Refuse(refund, said.problem, {"told_at": said.told_at, "is_final": said.is_final})
    return Complete(refund, refund.reference)


def begun(kept: Kept) -> OrderSnapshot:
    """The order before anything came in, with the payments that were begun."""
    order = copy(kept.order)
    order.state, order.paid_at, order.delivered_at = Order.State.CREATED, None, None
    order.refunded = order.charged_back = order.clawed_back = 0
    order.credit_transaction = None
    payments = [reset(payment) for payment in kept.payments if payment.started_at != payment.paid_at]
    return snapshot_of(order, None, payments, [])


def reset(payment: Payment) -> Payment:
    row = copy(payment)
    if row.state != Payment.State.UNSTARTED:
        row.state = Payment.State.STARTED
    row.reference, row.is_duplicate, row.returned, row.paid_at, row.transaction = "", False, 0, None, None
    return row


def is_ended_ours(refund: Refund) -> bool:
    """Whether it was done, even if it failed afterwards, or is shown by the provider as failed."""
    is_settled = refund.state in (Refund.State.DONE, Refund.State.REVERSED)
    has_failed = refund.state == Refund.State.REFUSED and refund.told_at is not None
    return (is_settled or has_failed) and not refund.actor.startswith("provider:")


def requested(refund: Refund, snapshot: OrderSnapshot) -> Refund | None:
    """A refund that we initiated, before its end; None as long as its payment has not come in.

    A payment that its callback made has another id in the replay; its reference is the same.
    """
    paid = [payment for payment in snapshot.payments if is_paid_through(payment, refund.provider_id)]
    same = [payment for payment in paid if payment.pk == refund.payment_id]
    named = [payment for payment in paid if payment.reference == refund.payment_reference]
    row = copy(refund)
    row.state, row.payment = Refund.State.UNKNOWN, next(iter(same or named), None)
    row.told_at, row.is_final = None, False
    return row if row.payment else None


def happened(kept: Kept, configs: Mapping[UUID, ProviderConfig]) -> Iterator[tuple[datetime, UUID, Said]]:
    """What happened, in the order of time; what was accepted happened when it was.

    At one moment, a callback stands before the refund that it may have ended by its name. One that has none
    was ended by a total, when totals did not wait for its name yet: it stands before that total.
    """
    told: list[tuple[datetime, int, UUID, Callback | Refund]] = [
        (callback.accepted_at or callback.received_at, 0, callback.pk, callback)
        for callback in kept.callbacks
    ]
    ended = [(refund, refund.ended_at) for refund in kept.refunds if is_ended_ours(refund)]
    told += [(at, 1 if refund.reference else -1, refund.pk, refund) for refund, at in ended if at is not None]
    for at, _, _, row in sorted(told, key=itemgetter(0, 1, 2)):
        yield at, row.provider_id, said_by(row, configs)


def said_by(row: Callback | Refund, configs: Mapping[UUID, ProviderConfig]) -> Said:
    """What a row tells. Raises `Unreplayable`."""
    if isinstance(row, Refund):
        return row
    event = event_of(row, configs[row.provider_id])
    return event if row.accepted_at is None else Accepted(event)


def event_of(callback: Callback, config: ProviderConfig) -> Event:
    """The event of a stored callback, as it was read when it came. Raises `Unreplayable`."""
    raw = RawCallback(
        callback.headers, bytes(callback.body), callback.address or "", int(callback.received_at.timestamp())
    )
    try:
        adapter, is_answer = adapter_for(config.scheme), callback.source == Callback.Source.QUERY
        event = adapter.read_answer(raw.body) if is_answer else adapter.read(config, raw)
    except Refused as problem:
        raise Unreplayable(str(problem)) from problem
    # It took effect: if that needed a look at the provider, the look said the same.
    return replace(event, is_confirmed=True)
