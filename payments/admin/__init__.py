"""What operators see and do about payments."""

from payments.admin import (
    alert_places,
    callbacks,
    deliveries,
    names,
    orders,
    player_orders,
    products,
    providers,
    refunds,
    shops,
)

__all__ = [
    "alert_places",
    "callbacks",
    "deliveries",
    "names",
    "orders",
    "player_orders",
    "products",
    "providers",
    "refunds",
    "shops",
]
