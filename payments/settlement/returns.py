"""Money that goes back: refunds, charge-backs and their reversal, and the credit that they take (contract 4.2, rules 5 and 6)."""

from collections.abc import Sequence
from uuid import UUID

from lib.ids import new_id
from payments.deliveries.operations import begin_delivery, resume_delivery, stop_delivery
from payments.models import Order, Payment, Refund
from payments.orders.events import Actor, record_event
from payments.providers.protocol import Event, ProviderConfig
from payments.settlement.decide import Remember, Return, clawback_of, present_state, stops_delivery
from payments.settlement.postings import Movements, raise_held
from wallet.alerts import raise_alert
from wallet.models import Alert, Wallet
from wallet.operations import resolve_transaction

WITHOUT_CREDIT = "Then {amount} minor units of {currency} of its price went back: what belongs to them of a credit that was given by an adjustment is not taken."
RETURNED_FIELDS = ["state", "refunded", "charged_back", "clawed_back", "credit_transaction"]


def remember(order: Order, step: Remember, event: Event, config: ProviderConfig, by: Actor) -> None:
    """It overtook its payment: nothing moves until that comes."""
    Refund.objects.create(
        id=new_id(),
        order=order,
        provider_id=config.id,
        kind=step.kind,
        state=Refund.State.REMEMBERED,
        amount=step.amount,
        reference=event.reference,
        actor=by.name,
        created_at=by.at,
    )
    record_event(
        order,
        f"{step.kind}_remembered",
        by,
        amount=step.amount,
        old_state=order.state,
        note="the payment is not told of yet",
    )


def apply_remembered(
    order: Order, payment: Payment, remembered: Sequence[Refund], moves: Movements, by: Actor
) -> None:
    """What came before the payment is booked after it."""
    for refund in remembered:
        refund.return_transaction = moves.pay_back(refund.amount, payment.transaction)
        count(order, refund.kind, refund.amount)
        refund.clawback = take_credit(order, moves)
        refund.state, refund.payment, refund.ended_at = Refund.State.DONE, payment, by.at
        refund.save(update_fields=["state", "payment", "clawback", "return_transaction", "ended_at"])


def apply_to_second(payment: Payment, remembered: Sequence[Refund], moves: Movements, by: Actor) -> None:
    """What came before a second payment is booked after it; the caller saves the payment."""
    for refund in remembered:
        refund.return_transaction, refund.of_second = (
            moves.pay_back_second(refund.amount, payment.transaction),
            refund.amount,
        )
        payment.returned += refund.amount
        refund.state, refund.payment, refund.ended_at = Refund.State.DONE, payment, by.at
        refund.save(update_fields=["state", "payment", "of_second", "return_transaction", "ended_at"])


def give_back(order: Order, step: Return, event: Event, config: ProviderConfig, by: Actor) -> None:
    """The provider has given money back, or lost it to a charge-back."""
    refund = Refund(
        id=new_id(),
        order=order,
        provider_id=config.id,
        payment=step.payment,
        kind=step.kind,
        amount=step.amount,
        of_second=step.of_second,
        reference=event.reference,
        actor=by.name,
        created_at=by.at,
    )
    moves = Movements(order, by, f"{refund.get_kind_display()} {event.reference}")
    book_return(order, refund, step.amount - step.of_second, moves, by)
    refund.save(force_insert=True)


def book_return(order: Order, refund: Refund, of_order: int, moves: Movements, by: Actor) -> None:
    """Books a return of which `of_order` is of the order's price; the caller saves the refund."""
    old_state, payment = order.state, refund.payment
    if payment is None:
        raise AssertionError("a return that is booked is of a payment")
    if refund.of_second:
        refund.return_transaction = moves.pay_back_second(refund.of_second, payment.transaction)
        payment.returned += refund.of_second
        payment.save(update_fields=["returned"])
    if refund.amount > refund.of_second:
        # What exceeds the price has gone all the same: it is booked where the money is, and an alert says so.
        refund.return_transaction = moves.pay_back(refund.amount - refund.of_second, payment.transaction)
    count(order, refund.kind, of_order)
    refund.clawback = take_credit(order, moves)
    refund.state, refund.ended_at, refund.next_at, refund.leased_until = Refund.State.DONE, by.at, None, None
    moves.post()
    order.state = present_state(order)
    order.save(update_fields=RETURNED_FIELDS)
    record_event(
        order,
        refund.kind,
        by,
        amount=refund.amount,
        old_state=old_state,
        note=refund.reason or refund.reference,
    )
    if of_order and order.credit and order.credit_transaction is None:
        raise_held(order, WITHOUT_CREDIT.format(amount=of_order, currency=order.currency_id))
    if stops_delivery(order):
        stop_delivery(order)


def count(order: Order, kind: str, amount: int) -> None:
    """Counts `amount` minor units as gone back."""
    if kind == Refund.Kind.REFUND:
        order.refunded += amount
    else:
        order.charged_back += amount


def refunds_done(order: Order, provider_id: UUID) -> int:
    """What the provider that took the order's own payment has refunded of it, in minor units, even where that was more than was left of it."""
    done = Refund.objects.filter(
        order=order, provider=provider_id, kind=Refund.Kind.REFUND, state=Refund.State.DONE
    )
    return sum(amount - of_second for amount, of_second in done.values_list("amount", "of_second"))


def take_credit(order: Order, moves: Movements) -> int:
    """Takes the credit that belongs to what has gone back. Returns how much, in minor units; nothing where none was ever given."""
    before = order.clawed_back
    if order.credit and order.credit_transaction is None:
        return 0
    moves.settle_credit(clawback_of(order, order.returned))
    return order.clawed_back - before


def reverse(order: Order, refund: Refund, by: Actor) -> None:
    """A charge-back is taken back: the money is there again, and the credit with it (rule 6)."""
    old_state = order.state
    moves = Movements(order, by, f"charge-back {refund.reference} reversed")
    was_remembered = refund.state == Refund.State.REMEMBERED
    refund.state, refund.ended_at = Refund.State.REVERSED, by.at
    refund.save(update_fields=["state", "ended_at"])
    payment = refund.payment
    if was_remembered or payment is None:
        record_event(
            order,
            "charge_back_reversed",
            by,
            amount=refund.amount,
            old_state=old_state,
            note="before the payment is told of",
        )
        return
    if refund.of_second:
        moves.pay_second(refund.of_second)
        payment.returned -= refund.of_second
        payment.save(update_fields=["returned"])
    if of_order := refund.amount - refund.of_second:
        moves.pay(of_order, refund.return_transaction)
        order.charged_back -= of_order
        # A refund that was done meanwhile found nothing left to be counted of; now there is.
        order.refunded = min(refunds_done(order, refund.provider_id), order.price - order.charged_back)
        moves.settle_credit(clawback_of(order, order.returned))
    is_credited = moves.post()
    if not order.is_delivered_by_game and not stops_delivery(order) and is_credited:
        order.delivered_at = order.delivered_at or by.at
    order.state = present_state(order)
    order.save(update_fields=[*RETURNED_FIELDS, "delivered_at"])
    record_event(
        order, "charge_back_reversed", by, amount=refund.amount, old_state=old_state, note=refund.reference
    )
    if order.is_delivered_by_game and not stops_delivery(order) and not resume_delivery(order, by.at):
        begin_delivery(order, by.at)


def complete(order: Order, refund: Refund, reference: str, by: Actor) -> None:
    """A refund of our own asking is done: what was set aside for it is gone, and what was not there becomes debt."""
    refund.reference = reference or refund.reference
    # Where the provider had refused it first, the player has it again.
    set_aside = refund.set_aside if refund.state in Refund.OPEN else 0
    order.clawed_back += set_aside
    is_confirmed_first = bool(set_aside) and locks_credit_first(order)
    if is_confirmed_first:
        confirm_set_aside(refund, by)
    refund.of_second, of_order = parts_of(order, refund)
    if refund.of_second + of_order < refund.amount:
        text = f"Order {order.pk}: a refund of {refund.amount} minor units was done after other returns; more has gone back than was paid."
        raise_alert(Alert.Kind.REFUND_OPEN, str(refund.pk), text)
    book_return(
        order,
        refund,
        of_order,
        Movements(order, by, f"refund {refund.reference or refund.pk}: {refund.reason}"),
        by,
    )
    refund.clawback += set_aside
    refund.problem = ""
    refund.save()
    if set_aside and not is_confirmed_first:
        confirm_set_aside(refund, by)


def parts_of(order: Order, refund: Refund) -> tuple[int, int]:
    """How much of a refund that is done is of a second payment, and how much of the order's price: other returns may have come meanwhile."""
    payment = refund.payment
    if payment is None or not payment.is_second:
        return 0, min(refund.amount, order.price - order.returned)
    of_second = min(refund.amount, payment.amount - payment.returned)
    is_of_first = Payment.objects.filter(
        order=order, provider=payment.provider_id, state=Payment.State.PAID, is_second=False
    ).exists()
    return of_second, min(refund.amount - of_second, order.price - order.returned) if is_of_first else 0


def locks_credit_first(order: Order) -> bool:
    """Whether the credit's wallet comes before the price's: every step locks a player's wallets in the order of their ids, as the ledger does."""
    ids = dict(Wallet.objects.filter(player_id=order.player_id).values_list("currency_id", "pk"))
    return bool(ids[str(order.credit_currency_id)] < ids[order.currency_id])


def confirm_set_aside(refund: Refund, by: Actor) -> None:
    """What was set aside for a refund is gone."""
    if refund.set_aside_transaction is None:
        raise AssertionError("what is set aside has its transaction")
    reason = f"refund {refund.reference} is done"[:255]
    resolve_transaction(
        refund.set_aside_transaction, event="confirmed", source=by.source, actor=by.name[:80], reason=reason
    )


def refuse(order: Order, refund: Refund, problem: str, by: Actor) -> None:
    """The provider will not refund: what was set aside is the player's again."""
    if refund.set_aside_transaction:
        resolve_transaction(
            refund.set_aside_transaction,
            event="rolled_back",
            source=by.source,
            actor=by.name[:80],
            reason="the refund was refused",
        )
    refund.state, refund.ended_at, refund.problem = Refund.State.REFUSED, by.at, problem[:255]
    refund.next_at = refund.leased_until = None
    refund.save()
    record_event(order, "refund_refused", by, amount=refund.amount, old_state=order.state, note=problem)
