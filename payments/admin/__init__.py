"""What operators see and do about payments."""

from payments.admin import (
    alert_places,
    callbacks,
    deliveries,
    differences,
    event_receivers,
    names,
    orders,
    player_orders,
    products,
    providers,
    reconciliation_files,
    reconciliation_sources,
    refunds,
    shops,
)

__all__ = [
    "alert_places",
    "callbacks",
    "deliveries",
    "differences",
    "event_receivers",
    "names",
    "orders",
    "player_orders",
    "products",
    "providers",
    "reconciliation_files",
    "reconciliation_sources",
    "refunds",
    "shops",
]
