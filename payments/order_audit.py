"""What the audit of the ledger asks about orders.

Whether they say what the journal moved, and what was kept of them makes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar
from uuid import UUID

from payments.models import Callback, Order, Payment, Refund
from payments.providers.protocol import ProviderConfig
from payments.providers.registry import PROVIDERS
from payments.settlement.replay import EFFECTIVE, Kept, Unreplayable, replayed
from wallet.audit.problems import Problem
from wallet.currencies import show_amount
from wallet.models import Alert

TYPES = "('payment', 'sale', 'payment_return', 'sale_return', 'top_up', 'clawback', 'set_aside')"
# How a description names an order; the journal's first format covers it, and not the reference.
ORDER = "'^order [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'"
# What an order's transactions moved: in the currency that was paid, and in that of the credit.
MOVED = f"""
    SELECT player_id, reference,
        sum(CASE WHEN type IN ('payment', 'sale') THEN amount
                 WHEN type IN ('payment_return', 'sale_return') THEN -amount ELSE 0 END) AS cleared,
        sum(CASE WHEN type = 'top_up' THEN amount
                 WHEN type IN ('clawback', 'set_aside') THEN -amount ELSE 0 END) AS credited
    FROM wallet_transaction
    WHERE state = 'confirmed' AND type IN {TYPES} AND reference IS NOT NULL
    GROUP BY player_id, reference
"""
CAME = "SELECT order_id, sum(amount) AS amount FROM payments_payment WHERE state = 'paid' GROUP BY order_id"
KEPT = "coalesce(came.amount, 0) - coalesce(went.amount, 0)"
WENT = "SELECT order_id, sum(amount) AS amount FROM payments_refund WHERE state = 'done' GROUP BY order_id"

# Each question names the rows that should not be there.
ORPHANS = {
    "orders that are not as the ledger moved": f"""
        FROM payments_order x
        LEFT JOIN ({MOVED}) moved ON moved.player_id = x.player_id AND moved.reference = x.id
        LEFT JOIN ({CAME}) came ON came.order_id = x.id
        LEFT JOIN ({WENT}) went ON went.order_id = x.id
        WHERE coalesce(moved.cleared, 0) <> {KEPT}
           OR x.refunded + x.charged_back <> CASE
               WHEN x.paid_at IS NULL THEN 0 ELSE least(greatest(x.price - ({KEPT}), 0), x.price) END
           OR coalesce(moved.credited, 0) <> CASE
               WHEN x.paid_at IS NULL THEN 0 ELSE coalesce(x.credit, 0) - x.clawed_back END
    """,
    "payments' transactions of no order": """
        FROM wallet_transaction x
        WHERE x.reference IS NOT NULL
          AND NOT EXISTS (
            SELECT 1 FROM (SELECT * FROM payments_order) o
            WHERE o.id = x.reference AND o.player_id = x.player_id
          )
    """,
    "transactions whose description names another order than their reference": f"""
        FROM wallet_transaction x
        WHERE x.type IN {TYPES} AND x.description ~ {ORDER}
          AND x.description IS DISTINCT FROM 'order ' || x.reference
    """,
    "credit set aside for no open refund": """
        FROM wallet_transaction x
        WHERE x.type = 'set_aside' AND x.settled_at IS NULL AND x.reference IS NOT NULL
          AND NOT EXISTS (
            SELECT 1 FROM (SELECT * FROM payments_refund) r
            WHERE r.set_aside_transaction = x.id AND r.set_aside = x.amount
              AND r.state IN ('asked', 'unknown')
          )
    """,
}

# Orders whose rows are read at once.
BATCH = 500
OF_CREDIT = "taken back of the credit"
Row = TypeVar("Row", Payment, Refund, Callback)


def differing_orders() -> Iterator[Problem]:
    """The orders whose money is not what their callbacks and refunds make of it.

    They are replayed by today's rules.
    """
    configs = {config.id: config for config in PROVIDERS.all(0).values()}
    paid = Order.objects.exclude(paid_at=None).order_by("pk").values_list("pk", flat=True).iterator()
    while ids := list(islice(paid, BATCH)):
        held = set(Alert.objects.filter(kind=Alert.Kind.CREDIT_HELD).values_list("subject", flat=True))
        for kept in read_kept(ids):
            is_held = str(kept.order.pk) in held
            if difference := difference_of(kept, configs, is_held=is_held):
                words = difference_of(kept, configs, is_held=is_held, show=show_amount)
                yield Problem(f"order {kept.order.pk}: {difference}", f"order {kept.order.pk}: {words}")


def read_kept(ids: list[UUID]) -> Iterator[Kept]:
    """Everything that was kept of these orders."""
    payments = by_order(Payment.objects.filter(order_id__in=ids).order_by("pk"))
    refunds = by_order(Refund.objects.filter(order_id__in=ids).order_by("pk"))
    effective = Callback.objects.filter(order_id__in=ids, outcome__in=EFFECTIVE)
    callbacks = by_order(effective.order_by("pk"))
    for order in Order.objects.filter(pk__in=ids).select_related("player").order_by("pk"):
        yield Kept(order, payments[order.pk], refunds[order.pk], callbacks[order.pk])


def by_order(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        if row.order_id:
            found[row.order_id].append(row)
    return found


def minor_units(amount: int, currency: str) -> str:
    return str(amount)


def difference_of(
    kept: Kept,
    configs: dict[UUID, ProviderConfig],
    *,
    is_held: bool,
    show: Callable[[int, str], str] = minor_units,
) -> str:
    """How an order's money differs from its replay, by `show` in amounts; empty if it does not."""
    try:
        right = replayed(kept, configs)
    except Unreplayable as problem:
        return f"what was kept of it cannot be replayed: {problem}"
    came = sum(payment.amount for payment in kept.payments if payment.state == Payment.State.PAID)
    went = sum(refund.amount for refund in kept.refunds if refund.state == Refund.State.DONE)
    said = {"kept": came - went, "refunded": kept.order.refunded, "charged back": kept.order.charged_back}
    made = {"kept": right.kept, "refunded": right.order.refunded, "charged back": right.order.charged_back}
    if not is_held:
        # What a wallet's bound refused, an alert tells and an operator decides.
        said[OF_CREDIT], made[OF_CREDIT] = kept.order.clawed_back, right.order.clawed_back
    codes = defaultdict(lambda: kept.order.currency_id, {OF_CREDIT: kept.order.credit_currency_id or ""})
    return "; ".join(
        f"{name} is {show(said[name], codes[name])}, not {show(made[name], codes[name])}"
        for name in said
        if said[name] != made[name]
    )
