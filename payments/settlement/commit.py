"""Writes plans (contract 4.2).

The one place that changes an order, its payments and returns, and their money.
"""

from collections.abc import Sequence
from uuid import UUID

from lib.backoffice.languages import stored
from payments import prepared_sql
from payments.deliveries.operations import begin_delivery, resume_delivery, stop_delivery
from payments.models import Callback, Order
from payments.settlement.changes import Change, Delivery, Notice, Plan
from wallet import ledger
from wallet.alerts import raise_alert
from wallet.currencies import show_amount
from wallet.ledger import Posting
from wallet.models import Alert, Wallet
from wallet.operations import resolve_transaction


def commit(plan: Plan) -> UUID | None:
    """Writes a plan in the present atomic block, under the order's lock.

    Returns the delivery that is due by it.

    Locks the player's wallets in the order of their ids, as the ledger does.
    """
    first = plan.set_aside is not None and bool(plan.money) and locks_credit_first(plan.order)
    if plan.set_aside and first:
        end_set_aside(plan)
    if plan.money or plan.credit:
        plan = post(plan)
    if plan.set_aside and not first:
        end_set_aside(plan)
    with prepared_sql.together():
        for change in plan.changes:
            write(change)
        for event in plan.events:
            prepared_sql.insert(event)
        delivery_id = begin_delivery(plan.order, plan.by.at).pk if plan.delivery == Delivery.BEGIN else None
    follow_delivery(plan)
    if plan.is_even_again:
        resolve_duplicates(plan)
    for notice in plan.notices:
        tell(notice)
    return delivery_id


def post(plan: Plan) -> Plan:
    """Writes the postings, in one round trip. Returns the plan that they are of.

    That is the one without the credit if a bound refused it.
    """
    if write_postings(plan, [*plan.money, *plan.credit]) == "posted":
        return plan
    plan = plan.without_credit()
    if plan.money and write_postings(plan, plan.money) != "posted":
        raise AssertionError("what moves no player's balance meets no limit")
    return plan


def write_postings(plan: Plan, postings: Sequence[Posting]) -> str:
    order = plan.order
    return ledger.post(
        player_id=order.player_id,
        game_id=order.game_id,
        postings=postings,
        reference=order.pk,
        description=f"order {order.pk}",
        source=plan.by.source,
        actor=plan.by.name[:80],
        reason=plan.reason[:255],
    )


def locks_credit_first(order: Order) -> bool:
    """Whether the credit's wallet comes before the price's."""
    ids = dict(Wallet.objects.filter(player_id=order.player_id).values_list("currency_id", "pk"))
    return bool(ids[str(order.credit_currency_id)] < ids[order.currency_id])


def end_set_aside(plan: Plan) -> None:
    """Confirms or rolls back what was set aside for a refund."""
    if plan.set_aside is None:
        raise AssertionError("only a plan with something set aside ends it")
    id, event, reason = plan.set_aside
    resolve_transaction(id, event=event, source=plan.by.source, actor=plan.by.name[:80], reason=reason[:255])


def write(change: Change) -> None:
    """Gives a row its new values, and writes it."""
    for name, value in change.fields.items():
        setattr(change.row, name, value)
    if change.is_new:
        prepared_sql.insert(change.row)
    else:
        prepared_sql.update(change.row, *change.fields)


def follow_delivery(plan: Plan) -> None:
    """Stops telling the game, or goes on with it."""
    if plan.delivery == Delivery.STOP:
        stop_delivery(plan.order)
    elif plan.delivery == Delivery.GO_ON and not resume_delivery(plan.order, plan.by.at):
        begin_delivery(plan.order, plan.by.at)


def resolve_duplicates(plan: Plan) -> None:
    """Takes the order's duplicate payments off the operators' list: what was paid too much has gone back."""
    rows = Callback.objects.filter(order=plan.order, outcome=Callback.Outcome.DUPLICATE, resolved_at=None)
    reason = stored("no more than the price is kept")
    rows.update(resolved_at=plan.by.at, resolved_by="platform", reason=reason)


def tell(notice: Notice) -> None:
    """Raises an alert.

    The text of an open one about a credit stays in it, because what it asks for is still to be done.
    """
    text = notice.text
    for minor, code in notice.money:
        text = text.replace("{amount}", show_amount(minor, code), 1)
    if notice.kind == Alert.Kind.CREDIT_HELD:
        open_ones = Alert.objects.filter(kind=notice.kind, subject=notice.subject, resolved_at=None)
        text = " ".join([*open_ones.values_list("text", flat=True)[:1], text])
    raise_alert(notice.kind, notice.subject, text)
