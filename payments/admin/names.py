"""What operators call the models and fields of payments that say no name themselves."""

from typing import Any

from lib.backoffice.languages import _
from payments.models import Callback, Delivery, Order, Price, Product, Provider, Refund, RefusedCallback, Shop

# One and many.
MODELS: dict[Any, tuple[str, str]] = {
    Callback: (_("callback"), _("callbacks")),
    Delivery: (_("delivery"), _("deliveries")),
    Order: (_("order"), _("orders")),
    Price: (_("price"), _("prices")),
    Product: (_("product"), _("products")),
    Provider: (_("provider"), _("providers")),
    Refund: (_("refund"), _("refunds")),
    RefusedCallback: (_("refused callback"), _("refused callbacks")),
    Shop: (_("shop"), _("shops")),
}
FIELDS: dict[Any, dict[str, str]] = {
    Order: {"language": _("language")},
    Price: {"currency": _("currency")},
    Product: {
        "game": _("game"),
        "name": _("name"),
        "credit_currency": _("credit currency"),
        "on_sale_from": _("on sale from"),
        "on_sale_to": _("on sale to"),
    },
    Provider: {
        "slug": _("slug"),
        "name": _("name"),
        "scheme": _("scheme"),
        "is_active": _("is active"),
        "currency": _("currency"),
        "allowed_networks": _("allowed networks"),
    },
    Refund: {"actor": _("actor")},
    Shop: {"game": _("game"), "return_origins": _("return origins")},
}
