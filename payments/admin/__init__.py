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
from payments.admin.names import FIELDS, MODELS
from players.admin.names import name_models

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

name_models(MODELS, FIELDS)
