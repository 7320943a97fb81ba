"""Orders of the scripted wallet, as far as a game needs them (contract 4.1)."""

import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from clients.kit.wallet.book import Refused, timestamp

Body = dict[str, Any]
# What is sold, in EUR.
PRODUCTS = {"gold": Decimal("4.99")}
CURRENCY = "EUR"
COMPARED = ("productId", "productPrice", "currencyCode", "serverId", "extParams", "returnUrl")


@dataclass
class Order:
    """What a game has ordered. `delivery_id` is the one of all attempts to have it delivered."""

    content: Body
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    delivery_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "created"
    delivered_at: str | None = None

    @property
    def cp_id(self) -> str:
        return str(self.content["cpOrderId"])


@dataclass
class Orders:
    """By the game's own ids."""

    known: dict[str, Order] = field(default_factory=dict)

    def initiate(self, body: Body, url: str) -> Body:
        """The answer to initiate. Raises Refused."""
        check_order(body)
        order = self.known.get(body["cpOrderId"])
        if order and any(order.content.get(name) != body.get(name) for name in COMPARED):
            raise Refused(110)
        order = order or self.known.setdefault(body["cpOrderId"], Order(body))
        told = {"orderId": order.id, "paymentUrl": f"{url}/checkout/{order.id}", "state": order.state}
        return told | {"expiresAt": "2099-01-01T00:00:00.000Z"}

    def query(self, body: Body) -> Body:
        """The answer to query. Raises Refused."""
        order = self.known.get(str(body.get("cpOrderId")))
        if order is None:
            raise Refused(106)
        told: Body = {"orderId": order.id, "cpOrderId": order.cp_id, "state": order.state}
        price = PRODUCTS[order.content["productId"]]
        told |= {"productId": order.content["productId"], "productPrice": price, "currencyCode": CURRENCY}
        return told | {"refunded": Decimal("0.00"), "deliveredAt": order.delivered_at}

    def deliver(self, order: Order) -> None:
        """Notes that the game has taken the delivery."""
        order.state, order.delivered_at = "delivered", timestamp()


def check_order(body: Body) -> None:
    """Raises 101 where an order cannot be read, or asks for what is not sold at that price."""
    id, product, price, server = (
        body.get(name) for name in ("cpOrderId", "productId", "productPrice", "serverId")
    )
    if not isinstance(id, str) or not 1 <= len(id) <= 64:
        raise Refused(101, "cpOrderId must be 1 to 64 characters.")
    if isinstance(price, bool) or not isinstance(price, Decimal):
        raise Refused(101, "productPrice must be a number.")
    if not isinstance(server, Decimal) or server != server.to_integral_value():
        raise Refused(101, "serverId must be a whole number.")
    if PRODUCTS.get(str(product)) != price or body.get("currencyCode") != CURRENCY:
        raise Refused(101, "The product does not exist, or does not cost that: gold is sold at 4.99 EUR.")
