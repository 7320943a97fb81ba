"""Providers of every scheme with an order each, and genuine callbacks about it."""

import json
import time
import uuid
from urllib.parse import urlencode

from django.conf import settings

from lib.clock import now
from payments.models import Order, Payment, Provider
from payments.providers.registry import PROVIDERS
from tests.payments.fuzz.calls import FORM, JSON, NOTIFICATION, STRIPE, WEBHOOK, Call, Scheme, Subject
from tests.support.callers import unique
from tests.support.shop import FakeProvider, ShopSetup, event_body, make_provider, notification_fields
from tests.support.stripe_events import recorded


def make_subjects(shop_setup: ShopSetup) -> list[Subject]:
    """One for each scheme and each form of it. The sandbox speaks only where DEMO is on."""
    settings.DEMO = True
    at = int(time.time())
    webhooks, sandbox = (
        make_provider(Provider.Scheme.STANDARD_WEBHOOKS),
        make_provider(Provider.Scheme.SANDBOX),
    )
    notify = make_provider(Provider.Scheme.ORDER_NOTIFY)
    made = [webhook(shop_setup, fake_provider, at) for fake_provider in (webhooks, sandbox)]
    return [
        *made,
        notification(shop_setup, notify, at, JSON),
        notification(shop_setup, notify, at, FORM),
        stripe(shop_setup, at),
    ]


def subject(name: str, fake_provider: FakeProvider, order: Order, scheme: Scheme) -> Subject:
    terms = PROVIDERS.find(fake_provider.provider.slug)
    assert terms is not None
    return Subject(name, terms, fake_provider.secret, order, scheme)


def webhook(shop_setup: ShopSetup, fake_provider: FakeProvider, at: int) -> Subject:
    """The payments of two orders."""
    order, other = (
        shop_setup.order(fake_provider=fake_provider),
        shop_setup.order(fake_provider=fake_provider),
    )
    made = subject(fake_provider.provider.scheme, fake_provider, order, WEBHOOK)
    for of in (order, other):
        named = (
            {}
            if fake_provider.provider.scheme != Provider.Scheme.SANDBOX
            else {"reference": start_reference(of)}
        )
        body = event_body("payment.succeeded", of, **named)
        made.add(Call({"content-type": JSON, "webhook-id": unique("msg")}, body), at)
    return made


def start_reference(order: Order) -> str:
    """What starting the order's payment gave."""
    return order.payments.get().start_reference


def notification(shop_setup: ShopSetup, fake_provider: FakeProvider, at: int, kind: str) -> Subject:
    """The payment of one order, told today and yesterday."""
    order = shop_setup.order(fake_provider=fake_provider, extParams="a=1&b=\u00e4")
    made = subject(f"{fake_provider.provider.scheme} {kind}", fake_provider, order, NOTIFICATION)
    for ts in (at * 1000, at * 1000 - 86_400_000):
        fields = notification_fields(order, ts)
        body = urlencode(fields) if kind == FORM else json.dumps(fields)
        made.add(Call({"content-type": kind}, body.encode()), at)
    return made


def stripe(shop_setup: ShopSetup, at: int) -> Subject:
    """Sessions that were completed, in the shape of recorded events.

    They are begun here, since Stripe is far.
    """
    fake_provider = make_provider(Provider.Scheme.STRIPE, f"whsec_{uuid.uuid4().hex}", page_url="")
    orders = [shop_setup.order(start=False) for _ in range(2)]
    made = subject(fake_provider.provider.scheme, fake_provider, orders[0], STRIPE)
    for order in orders:
        payment = Payment.objects.create(
            order=order,
            provider=fake_provider.provider,
            start_reference=f"cs_test_{order.pk.hex}",
            amount=order.price,
            started_at=now(),
        )
        ids = {"wallet_order_id": str(order.pk), "wallet_payment_id": str(payment.pk)}
        session = {
            "id": payment.start_reference,
            "client_reference_id": str(order.pk),
            "payment_intent": f"pi_{payment.pk.hex}",
            "amount_total": order.price,
        }
        event = recorded("completed_paid", metadata=ids, **session)
        made.add(Call({"content-type": JSON}, json.dumps(event).encode()), at)
    return made
