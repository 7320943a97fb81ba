"""Payments for the tests of the admin.

An order to which everything has happened, and refunds that a provider can be asked for.
"""

from typing import Any

from benchmarks.seeded_file import HEADER
from lib.clock import now
from payments.callbacks.rejected import REFUSALS
from payments.checkout.payments import start_payment
from payments.deliveries.operations import lease, record_answer
from payments.models import (
    Callback,
    Delivery,
    Difference,
    EventReceiver,
    Order,
    Payment,
    Product,
    Provider,
    ReconciliationFile,
    ReconciliationSource,
    Refund,
    RefusedCallback,
    Secret,
    Shop,
)
from players.models import Game
from tests.support.callers import PlayerSession, unique
from tests.support.reconciled import compared, game_source
from tests.support.shop import BASE, FakeProvider, ShopSetup, fresh, make_provider

PAYMENT_MODELS: list[Any] = [
    *(Product, Shop, Provider, Order, Callback, RefusedCallback, Refund, Delivery),
    *(ReconciliationSource, ReconciliationFile, Difference, EventReceiver),
]


def event_receiver(**attributes: Any) -> EventReceiver:
    """Somebody who is sent nothing, for there is no secret."""
    known = {"name": unique("receiver"), "url": "https://platform.example/events"}
    return EventReceiver.objects.create(**(known | attributes))


def make_orders(shop_setup: ShopSetup) -> Order:
    """An order that was contradicted, paid twice, delivered at the second try, and refunded but for 15 EUR.

    And a forged callback.
    """
    order = shop_setup.order(product="pack", extParams="slot-7", returnUrl="https://game.example/back")
    shop_setup.webhooks.tell("payment.succeeded", order, "1.00")
    shop_setup.webhooks.tell("payment.succeeded", order)
    shop_setup.webhooks.tell("payment.succeeded", order)
    tried(order, 503)
    tried(order, 200)
    shop_setup.webhooks.tell("payment.refunded", order, "25.00")
    REFUSALS.forget()
    shop_setup.webhooks.post(
        b'{"forged": "<b>yes</b>"}',
        {"webhook-id": "msg_forged", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"},
    )
    return fresh(order)


def tried(order: Order, status: int | None, **response: Any) -> Delivery:
    """One try to deliver an order, whenever it is due, answered with this status."""
    Delivery.objects.filter(order=order).update(next_attempt_at=now(), leased_until=None)
    delivery = Delivery.objects.get(order=order)
    [one] = lease(now(), "worker:7", left_out=[], only=delivery.pk)
    record_answer(
        one,
        status=status,
        **({"problem": "" if status else "timeout: no answer", "body": "so it is", "took_ms": 12} | response),
    )
    return Delivery.objects.get(order=order)


def payment_rows() -> dict[Any, list[Any]]:
    """The newest rows of each model: those of the dealings that were just done."""
    if not EventReceiver.objects.exists():
        event_receiver()
    return {model: list(model.objects.order_by("-pk")[:4]) for model in PAYMENT_MODELS}


def reconcile(game: Game) -> None:
    """A file of a game with a row that nobody knows here."""
    row = "lost-1,BET,,5.00,XAG,OK,2026-11-01T12:00:00Z"
    compared(game_source(game), f"{HEADER}\n{row}\n")


def payment_secrets(shop_setup: ShopSetup, order: Order) -> list[str]:
    """Everything that no page may say."""
    keys = list(Secret.objects.values_list("sealed", flat=True))
    key = Order.objects.values_list("page_key", flat=True).get(pk=order.pk)
    return [shop_setup.delivery_secret, shop_setup.webhooks.secret, shop_setup.notify.secret, key, *keys]


def sandbox_provider() -> FakeProvider:
    """A provider that can be asked for refunds; only where DEMO is on."""
    return make_provider("sandbox", slug=unique("sandbox"), name="Sandbox", page_url="")


def paid_there(
    shop_setup: ShopSetup,
    fake_provider: FakeProvider,
    product: str = "gold",
    player_session: PlayerSession | None = None,
) -> Order:
    """An order that was paid through the sandbox."""
    order = shop_setup.order(player_session, product, start=False)
    start_payment(order, fake_provider.provider.slug, BASE)
    payment = Payment.objects.get(order=order)
    answer = fake_provider.tell("payment.succeeded", order, reference=payment.start_reference)
    assert answer.status == 200, answer.raw
    return fresh(order)


def numbers(*models: Any) -> tuple[int, ...]:
    """How many rows there are."""
    return tuple(model.objects.count() for model in models)
