"""What the tests of payments play with.

A game with a shop, products, a provider of each scheme, and orders.
"""

import itertools
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from payments.checkout.payments import start_payment
from payments.models import Callback, Order, OrderEvent, Payment, Price, Product, Provider, Refund, Shop
from payments.providers.registry import PROVIDERS
from payments.providers.signatures import order_notify, standard_webhooks
from payments.providers.signatures.order_notify import Notification
from payments.providers.signing_secrets import add_callback_secret, add_delivery_secret, new_webhook_secret
from players.models import Game
from tests.support.callers import (
    Answer,
    Caller,
    Callers,
    Party,
    PlayerSession,
    dump,
    fresh_address,
    make_party,
    open_session,
    unique,
)

_references = itertools.count(1)
BASE = "http://testserver/"


@dataclass(frozen=True)
class FakeProvider:
    """A provider, its live secret, and what it posts; over HTTP where there is a `url`."""

    provider: Provider
    secret: str
    url: str | None = None

    def post(self, body: bytes, headers: dict[str, str], address: str | None = None) -> Answer:
        caller = Caller(None, address or fresh_address(), self.url)
        return caller.send(
            "POST", f"/pay/{self.provider.slug}", body, {"Content-Type": "application/json"} | headers
        )

    def signed(
        self, body: bytes, *, id: str | None = None, at: int | None = None, secret: str | None = None
    ) -> dict[str, str]:
        """The headers of a Standard Webhook with that body."""
        id, at = id or unique("msg"), int(time.time()) if at is None else at
        return {
            "webhook-id": id,
            "webhook-timestamp": str(at),
            "webhook-signature": standard_webhooks.sign(id, at, body, secret or self.secret),
        }

    def tell(
        self,
        type: str,
        order: Order,
        amount: str | None = None,
        *,
        reference: str | None = None,
        currency: str | None = None,
        id: str | None = None,
        **data: Any,
    ) -> Answer:
        """Posts an event about an order; unasked, of its whole price, under ids of its own.

        `amount` in major units.
        """
        body = event_body(type, order, amount, reference=reference, currency=currency, **data)
        return self.post(body, self.signed(body, id=id))

    def notify(
        self,
        order: Order,
        *,
        secret: str | None = None,
        ts: int | None = None,
        form: bool = False,
        **changes: str,
    ) -> Answer:
        """Posts an order-notify callback about an order, with `changes` of its fields, signed after them."""
        fields = notification_fields(order, ts) | changes
        sign = changes.get("sign") or order_notify.sign(
            Notification(**(fields | {"sign": ""})), secret or self.secret
        )
        if form:
            return self.post(
                urlencode(fields | {"sign": sign}).encode(),
                {"Content-Type": "application/x-www-form-urlencoded"},
            )
        return self.post(json.dumps(fields | {"sign": sign}).encode(), {})


def event_body(
    type: str,
    order: Order,
    amount: str | None = None,
    *,
    reference: str | None = None,
    currency: str | None = None,
    **data: Any,
) -> bytes:
    """The body of a Standard Webhook of contract 4.2."""
    told = {
        "orderId": str(order.pk),
        "providerReference": reference or new_reference(),
        "amount": Decimal(amount) if amount is not None else major(order.price),
        "currencyCode": currency or order.currency_id,
    } | data
    return dump({"type": type, "data": told}).encode()


def notification_fields(order: Order, ts: int | None = None) -> dict[str, str]:
    """The seven fields of an order-notify callback, all but `sign`, as the order has them."""
    return {
        "uid": order.player.uid,
        "serverId": str(order.server_id),
        "cpOrderId": order.pk.hex,
        "productId": order.product_code,
        "productPrice": str(major(order.price)),
        "extParams": order.ext_params,
        "ts": str(ts or int(time.time() * 1000)),
    }


def major(minor: int) -> Decimal:
    """Minor units of a currency with two decimals in major units."""
    return Decimal(minor).scaleb(-2)


def new_reference() -> str:
    return f"ref-{next(_references)}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class ShopSetup:
    """A game that sells `gold`, `sword` and `pack`.

    `gold` is 500.00 XAG for 4.99 EUR, `sword` an item for 9.99 EUR, and `pack` both, for 20.00 EUR.
    """

    party: Party
    callers: Callers
    shop: Shop
    products: dict[str, Product]
    webhooks: FakeProvider
    notify: FakeProvider
    delivery_secret: str

    @property
    def game(self) -> Game:
        return self.party.game

    def player_session(self, currency: str = "XAG") -> PlayerSession:
        """A new player with an empty wallet and a session in this game."""
        return open_session(self.party, self.callers.player(), currency)

    def initiate(self, player_session: PlayerSession, product: str = "gold", **changes: Any) -> Answer:
        """Calls the API; `changes` of what is sent, None to leave out."""
        price = self.products[product].prices.get().amount if product in self.products else 4_99
        sent: dict[str, Any] = {
            "token": player_session.token,
            "cpOrderId": unique("cp"),
            "productId": product,
            "productPrice": major(price),
            "currencyCode": "EUR",
            "serverId": 10001,
        }
        sent = {name: value for name, value in (sent | changes).items() if value is not None}
        return player_session.caller.post("/payments/initiate", sent)

    def order(
        self,
        player_session: PlayerSession | None = None,
        product: str = "gold",
        fake_provider: FakeProvider | None = None,
        *,
        start: bool = True,
        **changes: Any,
    ) -> Order:
        """A new order, started with a provider (unasked the one of Standard Webhooks)."""
        answer = self.initiate(player_session or self.player_session(), product, **changes)
        assert (answer.status, answer.error) == (200, None), answer.raw
        order = Order.objects.select_related("player", "game").get(pk=answer.body["orderId"])
        if start:
            start_payment(order, (fake_provider or self.webhooks).provider.slug, BASE)
        return order

    def paid(self, player_session: PlayerSession | None = None, product: str = "gold") -> Order:
        """An order that the provider of Standard Webhooks has told the payment of."""
        order = self.order(player_session, product)
        answer = self.webhooks.tell("payment.succeeded", order)
        assert answer.status == 200, answer.raw
        return fresh(order)


def fresh(order: Order) -> Order:
    """The order as it is now."""
    return Order.objects.select_related("player", "game").get(pk=order.pk)


def story_of(order: Order) -> list[tuple[str, str]]:
    """What has happened to an order, and its state after each."""
    return list(OrderEvent.objects.filter(order=order).order_by("pk").values_list("what", "new_state"))


def outcomes(order: Order) -> list[str]:
    """What came of each callback that was stored about an order."""
    return list(Callback.objects.filter(order=order).order_by("pk").values_list("outcome", flat=True))


def refunds_of(order: Order) -> list[tuple[str, str, int]]:
    return list(Refund.objects.filter(order=order).order_by("pk").values_list("kind", "state", "amount"))


def payments_of(order: Order) -> list[tuple[str, bool]]:
    return list(Payment.objects.filter(order=order).order_by("pk").values_list("state", "is_duplicate"))


def make_provider(scheme: str, secret: str | None = None, **attributes: Any) -> FakeProvider:
    """A new provider with a live secret."""
    defaults: dict[str, Any] = {
        "slug": unique("till"),
        "name": f"Till {scheme}",
        "scheme": scheme,
        "page_url": "https://pay.example/start",
    }
    if scheme == Provider.Scheme.ORDER_NOTIFY:
        defaults["currency_id"] = "EUR"
    provider = Provider.objects.create(**(defaults | attributes))
    secret = secret or (
        unique("order-notify-secret") if scheme == Provider.Scheme.ORDER_NOTIFY else new_webhook_secret()
    )
    add_callback_secret(provider, secret, actor="test")
    PROVIDERS.forget()
    return FakeProvider(provider, secret)


def make_product(
    game: Game,
    code: str,
    price: int,
    *,
    credit: int | None = None,
    is_delivered: bool = False,
    currency: str = "EUR",
) -> Product:
    """A product at a price in minor units; the credit in minor units of XAG."""
    product = Product.objects.create(
        game=game,
        code=code,
        name=code.capitalize(),
        credit=credit,
        credit_currency_id="XAG" if credit else None,
        is_delivered=is_delivered,
    )
    Price.objects.create(product=product, currency_id=currency, amount=price)
    return product


def make_shop_setup(
    callers: Callers,
    order_url: str = "https://game.example/orders",
    origins: Sequence[str] = ("https://game.example",),
) -> ShopSetup:
    party = make_party()
    shop = Shop.objects.create(game=party.game, order_url=order_url, return_origins=list(origins))
    secret = new_webhook_secret()
    add_delivery_secret(party.game, secret, actor="test")
    products = {
        "gold": make_product(party.game, "gold", 4_99, credit=500_00),
        "sword": make_product(party.game, "sword", 9_99, is_delivered=True),
        "pack": make_product(party.game, "pack", 20_00, credit=1000_00, is_delivered=True),
    }
    return ShopSetup(
        party,
        callers,
        shop,
        products,
        make_provider("standard-webhooks"),
        make_provider("order-notify"),
        secret,
    )
