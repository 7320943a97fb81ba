"""What operators see and do about payments."""

from payments.admin import (
    alert_places,
    callbacks,
    deliveries,
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
    "orders",
    "player_orders",
    "products",
    "providers",
    "refunds",
    "shops",
]
