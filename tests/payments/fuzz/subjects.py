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
from tests.support.shop import Market, Till, event_body, make_till, notification_fields
from tests.support.stripe_events import recorded


def make_subjects(market: Market) -> list[Subject]:
    """One for each scheme and each form of it. The sandbox speaks only where DEMO is on."""
    settings.DEMO = True
    at = int(time.time())
    webhooks, sandbox = make_till(Provider.Scheme.STANDARD_WEBHOOKS), make_till(Provider.Scheme.SANDBOX)
    notify = make_till(Provider.Scheme.ORDER_NOTIFY)
    made = [webhook(market, till, at) for till in (webhooks, sandbox)]
    return [
        *made,
        notification(market, notify, at, JSON),
        notification(market, notify, at, FORM),
        stripe(market, at),
    ]


def subject(name: str, till: Till, order: Order, scheme: Scheme) -> Subject:
    terms = PROVIDERS.find(till.provider.slug)
    assert terms is not None
    return Subject(name, terms, till.secret, order, scheme)


def webhook(market: Market, till: Till, at: int) -> Subject:
    """The payments of two orders."""
    order, other = market.order(till=till), market.order(till=till)
    made = subject(till.provider.scheme, till, order, WEBHOOK)
    for of in (order, other):
        named = {} if till.provider.scheme != Provider.Scheme.SANDBOX else {"reference": start_reference(of)}
        body = event_body("payment.succeeded", of, **named)
        made.add(Call({"content-type": JSON, "webhook-id": unique("msg")}, body), at)
    return made


def start_reference(order: Order) -> str:
    """What starting the order's payment gave."""
    return order.payments.get().start_reference


def notification(market: Market, till: Till, at: int, kind: str) -> Subject:
    """The payment of one order, told today and yesterday."""
    order = market.order(till=till, extParams="a=1&b=\u00e4")
    made = subject(f"{till.provider.scheme} {kind}", till, order, NOTIFICATION)
    for ts in (at * 1000, at * 1000 - 86_400_000):
        fields = notification_fields(order, ts)
        body = urlencode(fields) if kind == FORM else json.dumps(fields)
        made.add(Call({"content-type": kind}, body.encode()), at)
    return made


def stripe(market: Market, at: int) -> Subject:
    """Sessions that were completed, in the shape of recorded events.

    They are begun here, since Stripe is far.
    """
    till = make_till(Provider.Scheme.STRIPE, f"whsec_{uuid.uuid4().hex}", page_url="")
    orders = [market.order(start=False) for _ in range(2)]
    made = subject(till.provider.scheme, till, orders[0], STRIPE)
    for order in orders:
        payment = Payment.objects.create(
            order=order,
            provider=till.provider,
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
