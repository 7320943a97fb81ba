"""A plan in the making: the movements of a step, then what follows for state, credit and delivery."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Model

from lib.backoffice.languages import stored
from payments.models import Order, OrderEvent, Payment, Refund
from payments.orders.events import Actor, new_event
from payments.orders.state import standing, standing_of
from payments.settlement import postings
from payments.settlement.changes import Change, Delivery, Notice, Plan, applied
from payments.settlement.snapshot import OrderSnapshot
from wallet.ledger import Posting
from wallet.models import Alert

HELD = (
    "Its {what} is more than the wallet may hold or owe. "
    "What the provider holds is booked, and the wallet's part is not."
)
WITHOUT_CREDIT = (
    "Then {amount} of its price went back: "
    "the share of a credit that was given by an adjustment is not taken."
)


@dataclass
class Draft:
    """The movements of a step, before it is known what follows for the order, its credit and its delivery."""

    before: OrderSnapshot
    by: Actor
    ids: Callable[[], UUID]
    what: str = ""
    amount: int = 0
    note: str = ""
    reason: str = ""
    changes: list[Change] = field(default_factory=list)
    money: list[Posting] = field(default_factory=list)
    # Returns, each with the share of the credit that it takes.
    returns: list[tuple[Change, int]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    set_aside: tuple[UUID, str, str] | None = None
    set_aside_amount: int = 0

    @property
    def order(self) -> Order:
        return self.before.order

    @property
    def provider_id(self) -> UUID:
        """The provider that tells."""
        if self.before.provider_id is None:
            raise AssertionError("money moves through a provider")
        return self.before.provider_id

    @property
    def kept(self) -> int:
        """How much is kept after the movements so far."""
        signs = {postings.Type.PAYMENT: 1, postings.Type.SALE: 1}
        return self.before.kept + sum(
            signs.get(postings.Type(one.type), -1) * one.amount for one in self.money
        )

    def change(self, row: Model, *, is_new: bool = False, **fields: Any) -> None:
        self.changes.append(Change(row, fields, is_new))

    def move(self, amount: int, reverses: UUID | None = None) -> UUID:
        """Books `amount` minor units that came in or (negative) went back. Returns the last id."""
        self.money += postings.move(self.order, self.kept, amount, reverses, self.ids)
        return self.money[-1].id

    def give_back(self, refund: Refund, payment: Payment, *, is_new: bool = False, **fields: Any) -> None:
        """Books a return of a payment, and takes its share of the credit."""
        before = self.kept
        returned = self.move(-refund.amount, payment.transaction)
        fields |= {"payment": payment, "return_transaction": returned, "ended_at": self.by.at}
        fields |= {"state": Refund.State.DONE, "next_attempt_at": None, "leased_until": None}
        share = self.credit_for(before) - self.credit_for(self.kept)
        self.returns.append((Change(refund, fields, is_new), share))

    def credit_for(self, kept: int) -> int:
        """The part of the credit that belongs to what is kept."""
        return standing(self.order.price, kept, 0).credit_of(self.order.credit or 0)

    def finish(self) -> Plan:
        return follow(self, is_credited=True)


def follow(draft: Draft, *, is_credited: bool) -> Plan:
    """The plan of a draft: state, credit and delivery follow from what is kept then (rule 6)."""
    order = draft.order
    changes = [*draft.changes, *with_shares(draft, is_credited=is_credited)]
    after = applied(draft.before, changes)
    stands, credit = after.standing, credit_postings(draft, after)
    fields: dict[str, Any] = {"refunded": stands.refunded, "charged_back": stands.charged_back}
    fields |= credit_fields(draft, credit, is_credited=is_credited)
    fields |= {"paid_at": order.paid_at or draft.by.at, "delivered_at": order.delivered_at}
    # A credit is delivered with its first part; the game and operators deliver themselves.
    is_left_to_others = order.is_delivered_by_game or fields["is_credit_held"]
    if is_credited and not is_left_to_others and stands.missing < order.price:
        fields["delivered_at"] = order.delivered_at or draft.by.at
    fields["state"] = stands.state(fields["delivered_at"])
    more = stands.missing - standing_of(order).missing
    return Plan(
        order=order,
        by=draft.by,
        changes=[*changes, Change(order, fields)],
        money=draft.money,
        credit=credit if is_credited else (),
        reason=draft.reason,
        events=events_of(draft, fields["state"]),
        delivery=delivery_of(draft.before, is_running=not stands.stops_delivery),
        notices=[*draft.notices, *credit_notices(draft, credit, more=more, is_credited=is_credited)],
        set_aside=draft.set_aside,
        is_duplicate=after.kept > order.price,
        is_even_again=draft.before.kept > order.price >= after.kept,
        uncredited=partial(follow, draft, is_credited=False),
    )


def with_shares(draft: Draft, *, is_credited: bool) -> list[Change]:
    """The returns, each with its share of the credit; a share that the ledger refused was never taken."""
    takes = is_credited and not draft.order.is_credit_held
    aside = draft.set_aside_amount
    return [
        replace(change, fields={**change.fields, "clawback": max(share, 0) if takes else aside})
        for change, share in draft.returns
    ]


def credit_postings(draft: Draft, after: OrderSnapshot) -> list[Posting]:
    """The postings that bring the player's part of the credit to what belongs to what is kept."""
    order = draft.order
    if not order.credit or order.is_credit_held:
        return []
    has = draft.before.credited - draft.set_aside_amount
    return postings.credit(order, after.standing.credit_of(order.credit) - has, draft.ids)


def credit_fields(draft: Draft, credit: Sequence[Posting], *, is_credited: bool) -> dict[str, Any]:
    """The order's columns about its credit.

    A credit that was refused when it was first given is an operator's from then on.
    """
    order, has = draft.order, draft.before.credited - draft.set_aside_amount
    top_up = next((posting for posting in credit if posting.type == postings.Type.TOP_UP), None)
    moved = sum(posting.amount if posting is top_up else -posting.amount for posting in credit)
    is_first = top_up is not None and order.credit_transaction is None
    return {
        "clawed_back": (order.credit or 0) - has - (moved if is_credited else 0),
        "credit_transaction": top_up.id if top_up and is_first and is_credited else order.credit_transaction,
        "is_credit_held": order.is_credit_held or (is_first and not is_credited),
    }


def credit_notices(draft: Draft, credit: Sequence[Posting], *, more: int, is_credited: bool) -> list[Notice]:
    """What an operator has to do about the credit by hand, if `more` minor units of the price are missing."""
    order = draft.order
    text, money = "", []
    if credit and not is_credited:
        moved = [f"{one.type.replace('_', '-')} of {{amount}}" for one in credit]
        text, money = HELD.format(what=" and ".join(moved)), [(one.amount, one.currency) for one in credit]
    elif order.is_credit_held and more > 0:
        text, money = WITHOUT_CREDIT, [(more, order.currency_id)]
    return [Notice(Alert.Kind.CREDIT_HELD, str(order.pk), text, money)] if text else []


def delivery_of(before: OrderSnapshot, *, is_running: bool) -> Delivery:
    """What becomes of the delivery: it begins with the first payment, stops and goes on with the money."""
    if not before.order.is_delivered_by_game:
        return Delivery.AS_BEFORE
    if before.first is None:
        return Delivery.BEGIN if is_running else Delivery.AS_BEFORE
    was_running = not standing_of(before.order).stops_delivery
    if was_running == is_running:
        return Delivery.AS_BEFORE
    return Delivery.GO_ON if is_running else Delivery.STOP


def events_of(draft: Draft, new_state: str) -> list[OrderEvent]:
    """The history of a step: what happened, and the returns that were remembered and are booked now."""
    order, old_state = draft.order, draft.order.state
    first = new_event(
        order,
        draft.what,
        draft.by,
        old_state=old_state,
        new_state=new_state,
        amount=draft.amount or None,
        note=draft.note,
    )
    early = [
        change.row
        for change, _ in draft.returns
        if getattr(change.row, "state", "") == Refund.State.REMEMBERED
    ]
    return [
        first,
        *(applied_event(draft, refund, new_state) for refund in early if isinstance(refund, Refund)),
    ]


def applied_event(draft: Draft, refund: Refund, state: str) -> OrderEvent:
    note = stored("it came before the payment")
    what = f"{refund.kind}_applied"
    return new_event(
        draft.order, what, draft.by, old_state=state, new_state=state, amount=refund.amount, note=note
    )
