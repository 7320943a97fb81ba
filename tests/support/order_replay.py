"""What the audit finds about one order."""

from payments.models import Order
from payments.order_audit import difference_of, read_kept
from payments.providers.registry import PROVIDERS


def difference(order: Order) -> str:
    """How an order's money differs from its replay."""
    (kept,) = read_kept([order.pk])
    return difference_of(kept, {config.id: config for config in PROVIDERS.all(0).values()}, is_held=False)
