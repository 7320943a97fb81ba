"""A player goes to a provider to pay an order."""

import logging
from contextlib import nullcontext
from urllib.parse import urljoin

from django.conf import settings
from django.db import transaction

from lib.clock import now
from lib.ids import new_id
from lib.texts import storable
from payments.models import Order, OrderEvent, Payment
from payments.orders.events import Actor, record_event
from payments.providers.adapters import adapter_for
from payments.providers.places import PLACES
from payments.providers.protocol import HostedPayment, PaymentRequest, ProviderConfig, ProviderUnavailable
from payments.providers.registry import PROVIDERS
from wallet.currencies import decimals_of

logger = logging.getLogger(__name__)
# How often one order may be begun, with one provider or several; more is no player.
MOST_STARTS = 20
# What an order's history calls it.
STARTED = "started"
PAYABLE = (Order.State.CREATED, Order.State.FAILED)


class NotPayable(Exception):
    """The order cannot be paid any more, or not in that way."""


def offered(order: Order) -> list[ProviderConfig]:
    """The providers that an order can be paid with, by their names."""
    return [
        config
        for config in PROVIDERS.all().values()
        if config.is_active
        and config.callback_secrets
        and adapter_for(config.scheme).takes(config, order.currency_id)
    ]


def is_payable(order: Order) -> bool:
    """Whether a payment of it can still be started."""
    return order.state in PAYABLE and order.expires_at > now()


def checkout_url(order: Order, base: str, page: str = "") -> str:
    """The address of an order's page at the checkout.

    `base` is where the platform was reached, where no PUBLIC_URL is set.
    """
    return urljoin(settings.PUBLIC_URL or base, f"/checkout/{order.page_key}{page}")


def start_payment(order: Order, slug: str, base: str, *, language: str = "") -> HostedPayment:
    """Sends the player to a provider; `language` is what they chose instead of the order's.

    Raises `NotPayable`, or `ProviderUnavailable` where the provider cannot be reached, or is not asked
    (`ProviderBusy`, nothing was begun); it may be tried again.
    """
    config = next((config for config in offered(order) if config.slug == slug), None)
    if config is None:
        raise NotPayable("The order cannot be paid in that way.")
    adapter = adapter_for(config.scheme)
    with PLACES.take(config.id) if adapter.calls_to_start else nullcontext():
        # Written down before the provider knows: its callback may be quicker than its answer.
        payment = begin_payment(order, config)
        return start(payment, config, payment_request(order, payment, base, language))


def start(payment: Payment, config: ProviderConfig, request: PaymentRequest) -> HostedPayment:
    """Asks the provider, and writes down what it said."""
    try:
        started = adapter_for(config.scheme).start(config, request)
    except ProviderUnavailable as problem:
        logger.warning("a payment through %s cannot be started: %s", config.slug, problem)
        unstarted = Payment.objects.filter(pk=payment.pk, state=Payment.State.STARTED, start_reference="")
        unstarted.update(state=Payment.State.UNSTARTED, problem=storable(str(problem), 255))
        raise
    Payment.objects.filter(pk=payment.pk).update(start_reference=started.reference)
    # Two clicks at once are one payment: of these, the one that came through counts.
    Payment.objects.filter(pk=payment.pk, state=Payment.State.UNSTARTED).update(
        state=Payment.State.STARTED, problem=""
    )
    return started


def begin_payment(order: Order, config: ProviderConfig) -> Payment:
    """Writes down that the order is started with a provider.

    A start joins the one before it where nothing tells them apart; it counts all the same.
    """
    with transaction.atomic():
        locked = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
        if not is_payable(locked):
            raise NotPayable("The order cannot be paid any more.")
        if OrderEvent.objects.filter(order=locked, what=STARTED).count() >= MOST_STARTS:
            raise NotPayable("The order was begun too often.")
        at = now()
        record_event(locked, STARTED, Actor("player", "system", at), old_state=locked.state, note=config.slug)
        open_one = Payment.objects.filter(
            order=locked, provider_id=config.id, state=Payment.State.STARTED, start_reference=""
        ).first()
        if open_one is not None:
            return open_one
        return Payment.objects.create(
            id=new_id(), order=locked, provider_id=config.id, amount=locked.price, started_at=at
        )


def payment_request(order: Order, payment: Payment, base: str, language: str = "") -> PaymentRequest:
    decimals = decimals_of(order.currency_id)
    if decimals is None:
        raise AssertionError("currencies are never deleted")
    return PaymentRequest(
        order_id=order.pk,
        payment_id=payment.pk,
        uid=order.player.uid,
        server_id=order.server_id,
        product_code=order.product_code,
        product_name=product_name(order, language or order.language),
        ext_params=order.ext_params,
        price=order.price,
        currency=order.currency_id,
        decimals=decimals,
        language=language or order.language,
        expires_at=order.expires_at,
        result_url=checkout_url(order, base, f"/result?lang={language}" if language else "/result"),
    )


def product_name(order: Order, language: str) -> str:
    """What the player reads that it is."""
    return (order.product.name_de if language.lower().startswith("de") else "") or order.product.name
