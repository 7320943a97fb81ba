"""What becomes of returns of which the provider tells how they stand (contract 4.2, rule 6).

Such an event says by `told_at` when that was so, and the end depends on no order of arrival:

- A refund only goes forward: what failed or was canceled is never done again.
- Of a dispute the latest word counts; of one second, the word that ends it. Two ends of one second are
  decided by a look at the dispute.
- A total counts for the refunds in it that the provider has not named. The latest total is kept: what no
  named refund of that time accounts for is booked without a name, and named, replaced or given back when
  more is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lib.backoffice.languages import stored
from payments.models import Payment, Refund, RefundTotal
from payments.providers.protocol import Event, EventType
from payments.settlement.changes import Change, applied
from payments.settlement.snapshot import OrderSnapshot
from payments.settlement.steps import (
    TOO_EARLY,
    TOO_MUCH,
    Complete,
    Contradict,
    Nothing,
    Refuse,
    Restate,
    Step,
)

State = Refund.State
COUNTED = (State.DONE, State.REMEMBERED)
RESTING = (State.REVERSED, State.UNMOVED)
UNDER_WAY = stored("a refund that we initiated is under way")
UNDECIDED = stored("two words of the same second about it differ")
OTHER_AMOUNT = {
    Refund.Kind.REFUND: stored("the refund was of another amount"),
    Refund.Kind.CHARGEBACK: stored("the chargeback was of another amount"),
}
OTHER_PAYMENT = {
    Refund.Kind.REFUND: stored("the refund was of another payment"),
    Refund.Kind.CHARGEBACK: stored("the chargeback was of another payment"),
}
FAILED = (
    "Order {order}: refund {reference} failed or was canceled at the provider. "
    "Its money is kept, and so is the credit. The payer has not got it: refund it again if it is still due."
)
FEWER = (
    "Order {order}: the provider says that less has gone back than before. "
    "A refund must have failed: its credit was given back, and the payer has not got the money."
)
REOPENED = (
    "Order {order}: dispute {reference} was reversed, and now its money is gone again. "
    "The credit was taken back."
)


@dataclass(frozen=True, slots=True)
class Told:
    """The snapshot and the event about a return of one of its payments, with what is known of it."""

    snapshot: OrderSnapshot
    event: Event
    kind: str

    @property
    def payment(self) -> Payment | None:
        """The payment that it is of, if that was told of."""
        named = self.event.payment_reference
        return next((paid for paid in self.snapshot.paid if paid.reference == named), None)

    @property
    def counted(self) -> str:
        """The state of a return that counts, now or when its payment comes."""
        return State.DONE if self.payment else State.REMEMBERED

    @property
    def facts(self) -> dict[str, Any]:
        """What the event says of the return's life."""
        event = self.event
        return {"told_at": event.told_at, "is_final": event.is_final, "made_at": event.made_at}

    def known(self) -> Refund | None:
        """The return, by the provider's id of it or by ours."""
        event = self.event
        same = [row for row in self.snapshot.refunds if row.kind == self.kind and self.snapshot.is_ours(row)]
        named = [row for row in same if row.reference == event.reference]
        ours = [row for row in same if row.pk == event.refund_id and row.reference in ("", event.reference)]
        return next(iter([*named, *ours]), None)

    @property
    def provider_id(self) -> UUID:
        """The provider that tells."""
        if self.snapshot.provider_id is None:
            raise AssertionError("a provider tells")
        return self.snapshot.provider_id

    def new_row(self, amount: int, reference: str, **fields: Any) -> Change:
        snapshot = self.snapshot
        row = Refund(
            order=snapshot.order,
            provider_id=self.provider_id,
            kind=self.kind,
            amount=amount,
            reference=reference,
            payment_reference=self.event.payment_reference,
        )
        return Change(row, fields, is_new=True)


def after_told_refund(snapshot: OrderSnapshot, event: Event) -> Step:
    """A refund is done, or failed for good."""
    told = Told(snapshot, event, Refund.Kind.REFUND)
    is_done, refund = event.type == EventType.REFUNDED, told.known()
    if problem := contradiction(told, refund):
        return Contradict(problem)
    if refund is None:
        return restate(
            told, told.new_row(*named(event), state=told.counted if is_done else State.UNMOVED, **told.facts)
        )
    has_failed = refund.state in RESTING or (refund.state == State.REFUSED and refund.told_at is not None)
    if refund.state in (*Refund.OPEN, State.REFUSED) and not has_failed:
        if is_done:
            return Complete(refund, event.reference, told.facts)
        if refund.state in Refund.OPEN:
            return Refuse(
                refund,
                stored("It failed or was canceled at the provider."),
                {**told.facts, "reference": event.reference},
            )
    if is_done:
        if has_failed or refund.made_at is not None:
            return Nothing("it failed since" if has_failed else "it is booked already")
        return restate(told, Change(refund, {"reference": event.reference, **told.facts}))
    if not has_failed:
        state = State.REVERSED if refund.state == State.DONE else State.UNMOVED
        state = State.REFUSED if refund.state == State.REFUSED else state
        return restate(told, Change(refund, {"state": state, "reference": event.reference, **told.facts}))
    # Of several events that say so, the first tells since when; one that was only looked at has our time of
    # that, which is not the provider's.
    is_first = refund.told_at is not None and event.told_at is not None and event.told_at < refund.told_at
    if is_first or not refund.is_final:
        return restate(told, Change(refund, told.facts))
    return Nothing("that it failed is known already")


def after_told_dispute(snapshot: OrderSnapshot, event: Event) -> Step:
    """A dispute holds money at present, or holds none."""
    told = Told(snapshot, event, Refund.Kind.CHARGEBACK)
    is_gone, dispute = event.type == EventType.CHARGED_BACK, told.known()
    if problem := contradiction(told, dispute):
        return Contradict(problem)
    if dispute is None:
        return restate(
            told, told.new_row(*named(event), state=told.counted if is_gone else State.UNMOVED, **told.facts)
        )
    was_gone = dispute.state in COUNTED
    if dispute.told_at is not None and event.told_at is not None:
        before, now = (dispute.told_at, dispute.is_final), (event.told_at, event.is_final)
        if now == before:
            if is_gone == was_gone or event.is_confirmed is False:
                return Nothing(
                    "it is known already" if is_gone == was_gone else "the provider says otherwise"
                )
            if event.is_confirmed is None:
                return Contradict(UNDECIDED)
        if now < before:
            return Nothing("something later was told already")
    state = dispute.state
    if is_gone and not was_gone:
        state = told.counted
    elif was_gone and not is_gone:
        state = State.REVERSED if dispute.state == State.DONE else State.UNMOVED
    return restate(told, Change(dispute, {"state": state, **told.facts}))


def after_total(snapshot: OrderSnapshot, event: Event) -> Step:
    """How much has gone back of a payment by refunds, at that time, and not which refunds these were."""
    told = Told(snapshot, event, Refund.Kind.REFUND)
    amount, total = event.total or 0, total_of(told, snapshot)
    if event.told_at is None:
        raise AssertionError("a total is told with its time")
    if total is not None and (event.told_at, amount) <= (total.told_at, total.amount):
        return Nothing("it was told of already")
    fields = {"amount": amount, "told_at": event.told_at}
    change = Change(total, fields) if total else Change(new_total(told), fields, is_new=True)
    more = -excess(told, applied(snapshot, [change]))
    # Only of one that the provider has named is it known that it was made.
    ours = next((one for one in requested(told) if one.amount == more and one.reference), None)
    return Complete(ours, "", also=[change]) if ours else restate(told, change)


def restate(told: Told, change: Change) -> Step:
    """The step for a change of one return or total, and for what follows for refunds without a name."""
    changes = [change]
    if told.kind == Refund.Kind.REFUND:
        changes = with_unnamed(told, change)
        new = [one.row for one in changes if one.is_new and isinstance(one.row, Refund)]
        is_more = any(not row.reference for row in new)
        nameless = sum(row.amount for row in unnamed(told, applied(told.snapshot, changes)))
        if is_more and any(ours.amount <= nameless for ours in requested(told)):
            # It may be ours or not: that can be told when the provider has answered, and tells this again.
            return Contradict(UNDER_WAY)
    payment, more = told.payment, moved(changes, COUNTED)
    if payment is not None and more > max(told.snapshot.left_of(payment), 0):
        return Contradict(TOO_MUCH)
    early = [
        row.amount
        for row in told.snapshot.remembered
        if row.payment_reference == told.event.payment_reference
    ]
    if payment is None and more > 0 and sum(early) + more > told.snapshot.order.price:
        return Contradict(TOO_EARLY)
    return Restate(told.kind, changes, payment, told.event.reference, warning_of(told, changes))


def warning_of(told: Told, changes: Sequence[Change]) -> str:
    """What a person has to know: a refund that the payer does not get, and a dispute that is decided anew."""
    before, after = getattr(changes[0].row, "state", ""), changes[0].fields.get("state")
    says = {"order": told.snapshot.order.pk, "reference": told.event.reference}
    if told.kind == Refund.Kind.CHARGEBACK:
        return REOPENED.format(**says) if before == State.REVERSED and after == State.DONE else ""
    if told.event.total is not None:
        return FEWER.format(**says) if moved(changes, COUNTED) < 0 else ""
    return FAILED.format(**says) if after in RESTING else ""


def contradiction(told: Told, known: Refund | None) -> str:
    """How the event differs from the return that is known; empty if it does not."""
    event = told.event
    if known is None:
        return stored("it is of another order") if told.snapshot.is_of_another_order else ""
    if event.amount != known.amount:
        return OTHER_AMOUNT[Refund.Kind(known.kind)]
    is_same = known.payment_reference in ("", event.payment_reference)
    return "" if is_same else OTHER_PAYMENT[Refund.Kind(known.kind)]


def named(event: Event) -> tuple[int, str]:
    if event.amount is None:
        raise AssertionError("a return that is told by its name has an amount")
    return event.amount, event.reference


# --- Refunds without a name ---------------------------------------------------------------------------------


def with_unnamed(told: Told, change: Change) -> list[Change]:
    """A change, and those of the refunds without a name that follow from it."""
    row = change.row
    if isinstance(row, Refund) and change.is_new:
        too_many = excess(told, applied(told.snapshot, [change]))
        same = [one for one in unnamed(told, told.snapshot) if one.amount == row.amount <= too_many]
        if same:
            # It was booked without its name.
            change = named_at_last(same[0], change)
    after = applied(told.snapshot, [change])
    too_many = excess(told, after)
    changes = [change]
    for one in unnamed(told, after):
        if too_many <= 0:
            break
        changes.append(Change(one, {"state": State.REPLACED}))
        too_many -= one.amount
    if too_many < 0:
        changes.append(told.new_row(-too_many, "", state=told.counted))
    return changes


def stood_for(snapshot: OrderSnapshot, ours: Refund, facts: Mapping[str, Any]) -> list[Refund]:
    """The refunds without a name that are too many once ours is done: they stood for it.

    None if nobody says when ours was made: then it may be later than the total.
    """
    told = Told(snapshot, Event("", payment_reference=ours.payment_reference), Refund.Kind.REFUND)
    done = Change(ours, {"state": State.DONE, "made_at": ours.made_at, **facts})
    if done.fields["made_at"] is None:
        return []
    after = applied(snapshot, [done])
    too_many, rows = excess(told, after), list[Refund]()
    for row in unnamed(told, after):
        if row.state == State.DONE and row.amount <= too_many:
            rows.append(row)
            too_many -= row.amount
    return rows


def named_at_last(row: Refund, change: Change) -> Change:
    """What a new row was to say, said of the one that stood for it."""
    fields = {**change.fields, "reference": getattr(change.row, "reference", "")}
    if fields["state"] == State.UNMOVED and row.state == State.DONE:
        fields["state"] = State.REVERSED
    return Change(row, fields)


def excess(told: Told, snapshot: OrderSnapshot) -> int:
    """How much more is booked without a name than the latest total has beside the refunds with one."""
    total = total_of(told, snapshot)
    if total is None:
        return 0
    known = [row.amount for row in refunds_of(told, snapshot) if is_named(row) and is_in(row, total)]
    booked = sum(row.amount for row in unnamed(told, snapshot))
    return booked - max(total.amount - sum(known), 0)


def is_in(refund: Refund, total: RefundTotal) -> bool:
    """Whether a total has a refund in it: it was made by then, and had not failed yet."""
    if refund.made_at is not None and refund.made_at > total.told_at:
        return False
    if refund.state in COUNTED:
        return True
    return (
        refund.state in (*RESTING, State.REFUSED)
        and refund.told_at is not None
        and refund.told_at >= total.told_at
    )


def unnamed(told: Told, snapshot: OrderSnapshot) -> list[Refund]:
    return [row for row in refunds_of(told, snapshot) if row.state in COUNTED and not is_named(row)]


def refunds_of(told: Told, snapshot: OrderSnapshot) -> list[Refund]:
    """The refunds of the payment that the event names."""
    return [row for row in snapshot.refunds if is_refund_of(told, row)]


def requested(told: Told) -> list[Refund]:
    """Our refunds of the payment that the provider was asked for, and that have not ended."""
    ours = refunds_of(told, told.snapshot)
    return [row for row in ours if row.state in Refund.OPEN and row.times_asked > 0]


def is_refund_of(told: Told, refund: Refund) -> bool:
    is_refund = refund.kind == Refund.Kind.REFUND and told.snapshot.is_ours(refund)
    return is_refund and is_of(refund, told.event)


def is_of(refund: Refund, event: Event) -> bool:
    """Whether a refund is of the payment that the event names, as far as both name one."""
    return not refund.payment_reference or event.payment_reference in ("", refund.payment_reference)


def is_named(refund: Refund) -> bool:
    """Whether it is known which of the provider's refunds it is, or that it is the one that we requested."""
    return bool(refund.reference) or refund.times_asked > 0


def total_of(told: Told, snapshot: OrderSnapshot) -> RefundTotal | None:
    named, provider = told.event.payment_reference, snapshot.provider_id
    same = [row for row in snapshot.totals if row.provider_id == provider and row.payment_reference == named]
    return next(iter(same), None)


def new_total(told: Told) -> RefundTotal:
    snapshot = told.snapshot
    return RefundTotal(
        order=snapshot.order, provider_id=told.provider_id, payment_reference=told.event.payment_reference
    )


def moved(changes: Sequence[Change], counted: Sequence[str]) -> int:
    """How much more counts as gone by these changes, in minor units."""
    more = 0
    for change in changes:
        if isinstance(change.row, Refund) and "state" in change.fields:
            was = not change.is_new and change.row.state in counted
            more += change.row.amount * ((change.fields["state"] in counted) - was)
    return more
