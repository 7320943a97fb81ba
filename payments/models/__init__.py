"""How money enters.

What is sold, who is paid, what providers said, what goes back, and what games are told.
"""

from payments.models.callbacks import Callback, RefusalCount, RefusedCallback
from payments.models.deliveries import Delivery, DeliveryAttempt
from payments.models.orders import Order, OrderEvent
from payments.models.payments import Payment, Refund, RefundTotal
from payments.models.products import Price, Product, Shop
from payments.models.providers import Provider, Secret
from payments.models.receivers import EventReceiver
from payments.models.reconciliation import (
    Difference,
    ReconciliationFile,
    ReconciliationPart,
    ReconciliationRow,
    ReconciliationSource,
)

__all__ = [
    "Callback",
    "Delivery",
    "DeliveryAttempt",
    "Difference",
    "EventReceiver",
    "Order",
    "OrderEvent",
    "Payment",
    "Price",
    "Product",
    "Provider",
    "ReconciliationFile",
    "ReconciliationPart",
    "ReconciliationRow",
    "ReconciliationSource",
    "Refund",
    "RefundTotal",
    "RefusalCount",
    "RefusedCallback",
    "Secret",
    "Shop",
]
