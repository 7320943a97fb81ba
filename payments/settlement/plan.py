"""Plans what becomes of an order: snapshot, step and time make a plan, without a database (contract 4.2).

The arguments stay as they are; `settlement.commit` writes a plan.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from lib.backoffice.languages import stored
from lib.ids import new_id
from payments.models import Order, Payment, Refund
from payments.orders.events import Actor
from payments.providers.protocol import EventType
from payments.settlement.changes import Change, Notice, Plan, changed
from payments.settlement.draft import Draft, events_of
from payments.settlement.returns import moved, stood_for
from payments.settlement.snapshot import OrderSnapshot
from payments.settlement.steps import (
    Complete,
    Fail,
    Nothing,
    Pay,
    Refuse,
    Remember,
    Restate,
    Return,
    Reverse,
    Step,
)
from wallet.models import Alert

REFUSED = "The refund of {{amount}} of order {order} was refused by the provider: {problem}"
OVERPAID = (
    "Order {order}: a refund of {{amount}} was done after other returns; more has gone back than was paid."
)


ANSWERED = "provider_answered"


# --- From a step to a plan ------------------------------------------------------------------------------


def plan(snapshot: OrderSnapshot, step: Step, by: Actor, ids: Callable[[], UUID] = new_id) -> Plan:
    """The plan for a step that somebody (`by`) takes; `ids` gives the ids of new rows and transactions."""
    draft = Draft(snapshot, by, ids)
    if isinstance(step, Pay):
        return plan_payment(draft, step)
    if isinstance(step, Return):
        return plan_return(draft, step)
    if isinstance(step, Complete):
        return plan_completion(draft, step)
    if isinstance(step, Reverse):
        return plan_reversal(draft, step)
    if isinstance(step, Restate):
        return plan_restatement(draft, step)
    return plan_without_money(draft, step)


# --- Steps that move money ------------------------------------------------------------------------------


def plan_payment(draft: Draft, step: Pay) -> Plan:
    """Money came in. What has gone back of it before is booked after it (rule 5)."""
    before, order, by = draft.before, draft.order, draft.by
    is_duplicate, amount = before.first is not None, step.amount or order.price
    payment = step.payment or Payment(
        id=draft.ids(), order=order, provider_id=draft.provider_id, amount=amount, started_at=by.at
    )
    draft.amount, draft.reason = amount, step.note or f"paid through {by.name.partition(':')[2]}"
    came = draft.move(amount)
    # The copies that returns are booked against know the transaction.
    fields = {"state": Payment.State.PAID, "reference": step.reference, "paid_at": by.at, "transaction": came}
    paid = changed(Change(payment, fields))
    early = early_returns(before, amount, step.reference)
    for refund in early:
        draft.give_back(refund, paid)
    fields |= {
        "is_duplicate": is_duplicate,
        "returned": booked(payment, sum(refund.amount for refund in early)),
    }
    draft.change(payment, is_new=step.payment is None, **fields)
    is_too_much = draft.kept > order.price
    draft.what = "duplicate_payment" if is_too_much else str(EventType.SUCCEEDED)
    draft.note = step.note or (paid_already(before) if is_too_much else "")
    return draft.finish()


def paid_already(before: OrderSnapshot) -> str:
    first = before.first
    is_ours = first is not None and first.provider_id == before.provider_id
    return stored("paid already") if is_ours else stored("paid already through another provider")


def early_returns(before: OrderSnapshot, more: int, reference: str = "") -> list[Refund]:
    """The remembered returns that count once `more` minor units are there to go back.

    Those that name the payment with that reference, then of the others as many as there is money for.
    """
    named = [refund for refund in before.remembered if reference and refund.payment_reference == reference]
    left = before.left() + more - sum(refund.amount for refund in named)
    chosen = []
    for refund in before.remembered:
        if not refund.payment_reference and refund.amount <= left:
            chosen.append(refund)
            left -= refund.amount
    return [*named, *chosen]


def plan_return(draft: Draft, step: Return) -> Plan:
    """The provider has given money back, or lost it to a chargeback."""
    refund = Refund(
        id=draft.ids(),
        order=draft.order,
        provider_id=draft.provider_id,
        kind=step.kind,
        amount=step.amount,
        reference=step.reference,
        payment_reference=step.payment_reference,
        actor=draft.by.name,
        created_at=draft.by.at,
    )
    draft.what, draft.amount, draft.note = str(step.kind), step.amount, step.reference
    draft.reason = f"{refund.get_kind_display()} {step.reference}"
    draft.give_back(refund, step.payment, is_new=True)
    draft.change(step.payment, returned=booked(step.payment, step.amount))
    return draft.finish()


def plan_completion(draft: Draft, step: Complete) -> Plan:
    """A refund that we initiated is done: what was set aside is gone, what was not there becomes debt."""
    refund, order = step.refund, draft.order
    payment = next(row for row in draft.before.payments if row.pk == refund.payment_id)
    reference = step.reference or refund.reference
    if refund.state in Refund.OPEN and refund.set_aside_transaction:
        # If the provider had refused it first, the player has it again.
        draft.set_aside = (refund.set_aside_transaction, "confirmed", f"refund {reference} is done")
        draft.set_aside_amount = refund.set_aside
    replaced = stood_for(draft.before, refund, step.facts)
    again = sum(row.amount for row in replaced)
    if refund.amount > draft.before.left_of(payment) + again:
        text, money = OVERPAID.format(order=order.pk), (refund.amount, order.currency_id)
        draft.notices.append(Notice(Alert.Kind.REFUND_OPEN, str(refund.pk), text, [money]))
    draft.what, draft.amount, draft.note = str(refund.kind), refund.amount, refund.reason or reference
    draft.reason = f"refund {reference or refund.pk}: {refund.reason}"
    draft.changes += [written(draft, change) for change in step.also]
    for row in replaced:
        draft.move(row.amount, row.return_transaction)
        draft.change(row, state=Refund.State.REPLACED)
    draft.give_back(refund, payment, reference=reference, problem="", **step.facts)
    draft.change(payment, returned=booked(payment, refund.amount - again))
    return draft.finish()


def plan_reversal(draft: Draft, step: Reverse) -> Plan:
    """A chargeback is reversed: the money is there again, and the credit with it (rule 6)."""
    refund, order = step.refund, draft.order
    draft.what, draft.amount, draft.note = "charge_back_reversed", refund.amount, refund.reference
    draft.reason = f"chargeback {refund.reference} reversed"
    draft.change(refund, state=Refund.State.REVERSED, ended_at=draft.by.at)
    if refund.state == Refund.State.REMEMBERED:
        draft.note = stored("before the payment is told of")
        return Plan(order, draft.by, draft.changes, events=events_of(draft, order.state))
    draft.move(refund.amount, refund.return_transaction)
    payment = next(row for row in draft.before.payments if row.pk == refund.payment_id)
    early = early_returns(draft.before, refund.amount)
    for other in early:
        draft.give_back(other, payment)
    draft.change(payment, returned=booked(payment, sum(other.amount for other in early) - refund.amount))
    return draft.finish()


def plan_restatement(draft: Draft, step: Restate) -> Plan:
    """Returns stand otherwise than before: money moves by the difference, in one posting (rule 6)."""
    order, payment = draft.order, step.payment
    done, early = (moved(step.changes, (state,)) for state in (Refund.State.DONE, Refund.State.REMEMBERED))
    draft.what, draft.note = draft.by.callback.type if draft.by.callback else "", step.note
    changes = [written(draft, change) for change in step.changes]
    if step.warning:
        draft.notices.append(Notice(Alert.Kind.RETURN_CHANGED, str(row_id(changes[0])), step.warning))
    if payment is None or not done:
        if early:
            draft.what = f"{step.kind}_remembered" if early > 0 else f"{step.kind}_reversed"
            draft.amount = abs(early)
        draft.changes += [inherited(change, step) for change in changes]
        events = events_of(draft, order.state)
        return Plan(order, draft.by, draft.changes, events=events, notices=draft.notices)
    draft.what, draft.amount = (str(step.kind) if done > 0 else f"{step.kind}_reversed"), abs(done)
    draft.reason = f"{Refund.Kind(step.kind).label} {step.note}{'' if done > 0 else ' reversed'}"
    if done > 0:
        book_restated(draft, changes, payment, done)
        draft.change(payment, returned=booked(payment, done))
        return draft.finish()
    draft.move(-done, left_by(step)[0].return_transaction)
    draft.changes += [inherited(change, step) for change in changes]
    others = early_returns(draft.before, -done)
    for other in others:
        draft.give_back(other, payment)
    draft.change(payment, returned=booked(payment, done + sum(other.amount for other in others)))
    return draft.finish()


def book_restated(draft: Draft, changes: Sequence[Change], payment: Payment, done: int) -> None:
    """Books what has gone back more; the first return that is done now takes the share of the credit."""
    before = draft.kept
    fields = {"payment": payment, "return_transaction": draft.move(-done, payment.transaction)}
    fields |= {"ended_at": draft.by.at}
    share = draft.credit_for(before) - draft.credit_for(draft.kept)
    for change in changes:
        if becomes_done(change):
            draft.returns.append((replace(change, fields={**change.fields, **fields}), share))
            share = 0
        else:
            draft.changes.append(change)


def becomes_done(change: Change) -> bool:
    is_now = change.fields.get("state") == Refund.State.DONE
    return is_now and getattr(change.row, "state", "") != Refund.State.DONE


def left_by(step: Restate) -> list[Refund]:
    """The returns that were done, and are not any more."""
    rows = [
        change.row for change in step.changes if change.fields.get("state") not in (None, Refund.State.DONE)
    ]
    return [row for row in rows if isinstance(row, Refund) and row.state == Refund.State.DONE]


def inherited(change: Change, step: Restate) -> Change:
    """A return that is done by money that went back under another row."""
    left = left_by(step)
    if not left or not becomes_done(change):
        return change
    amount = getattr(change.row, "amount", 0)
    fields: dict[str, Any] = {"payment": step.payment, "return_transaction": left[0].return_transaction}
    fields |= {"clawback": left[0].clawback * amount // left[0].amount, "ended_at": left[0].ended_at}
    return replace(change, fields={**change.fields, **fields})


def booked(payment: Payment, amount: int) -> int:
    """The returns that stand against a payment with `amount` more, up to its own amount.

    A return that names no payment can be more than one payment's.
    """
    return min(max(payment.returned + amount, 0), payment.amount)


# --- Steps that move none -------------------------------------------------------------------------------


def plan_without_money(draft: Draft, step: Step) -> Plan:
    """A failure, a return that overtook its payment, a refund that was refused, or nothing at all."""
    order, new_state = draft.order, draft.order.state
    set_aside = None
    if isinstance(step, Fail):
        draft.what, new_state = str(EventType.FAILED), Order.State.FAILED
        draft.change(order, state=new_state)
        if step.payment is not None:
            draft.change(step.payment, state=Payment.State.FAILED, reference=step.reference)
    elif isinstance(step, Remember):
        draft.what, draft.amount, draft.note = (
            f"{step.kind}_remembered",
            step.amount,
            "the payment is not told of yet",
        )
        draft.change(remembered(draft, step), is_new=True)
    elif isinstance(step, Refuse):
        draft.what, draft.amount, draft.note = "refund_refused", step.refund.amount, step.problem
        draft.change(step.refund, **refusal(draft, step))
        text = REFUSED.format(order=order.pk, problem=step.problem)
        money = (step.refund.amount, order.currency_id)
        draft.notices.append(Notice(Alert.Kind.REFUND_REFUSED, str(step.refund.pk), text, [money]))
        if step.refund.set_aside_transaction:
            set_aside = (step.refund.set_aside_transaction, "rolled_back", "the refund was refused")
    elif isinstance(step, Nothing):
        draft.what, draft.note = draft.by.callback.type if draft.by.callback else "", step.note
        # Only what was asked for is about an order and of no type.
        draft.what = draft.what or ANSWERED
    else:
        raise TypeError(f"{type(step).__name__} changes nothing about an order")
    return Plan(
        order,
        draft.by,
        draft.changes,
        events=events_of(draft, new_state),
        set_aside=set_aside,
        notices=draft.notices,
    )


def remembered(draft: Draft, step: Remember) -> Refund:
    return Refund(
        id=draft.ids(),
        order=draft.order,
        provider_id=draft.provider_id,
        kind=step.kind,
        state=Refund.State.REMEMBERED,
        amount=step.amount,
        reference=step.reference,
        payment_reference=step.payment_reference,
        actor=draft.by.name,
        created_at=draft.by.at,
    )


def refusal(draft: Draft, step: Refuse) -> dict[str, Any]:
    fields = {"state": Refund.State.REFUSED, "ended_at": draft.by.at, "problem": step.problem[:255]}
    fields |= step.facts
    return fields | {"next_attempt_at": None, "leased_until": None}


def written(draft: Draft, change: Change) -> Change:
    """A change of a return or total, with what every new row of these has."""
    if not change.is_new:
        return change
    fields = {"id": draft.ids(), **change.fields}
    if isinstance(change.row, Refund):
        fields |= {"actor": draft.by.name, "created_at": draft.by.at}
    return Change(change.row, fields, is_new=True)


def row_id(change: Change) -> UUID:
    id: UUID = change.fields.get("id", change.row.pk)
    return id
