"""What operators see and do about payments."""

from payments.admin import callbacks, deliveries, orders, player_orders, products, providers, refunds, shops

__all__ = ["callbacks", "deliveries", "orders", "player_orders", "products", "providers", "refunds", "shops"]
