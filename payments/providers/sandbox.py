"""The sandbox: a provider that exists only where DEMO is on; its hosted page and its own API are in `payments.sandbox`.

Everything between it and us goes over HTTP, as with a real one. Its callbacks are Standard Webhooks, and starting gives a reference.
"""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.conf import settings

from lib.outbound.client import Reply, Unanswered, post_json
from payments.providers.protocol import (
    Event,
    Fate,
    Purchase,
    Received,
    Started,
    Terms,
    Unstartable,
    Wish,
    Word,
)
from payments.providers.signatures import standard_webhooks
from payments.providers.signatures.refused import Refused
from payments.providers.standard_webhooks import read_event
from wallet.money import to_major


class Sandbox:
    """Offered only where DEMO is on; elsewhere nothing it says counts."""

    can_refund = True
    tells_refunds = True
    has_api_secret = False

    def check_secret(self, text: str) -> None:
        standard_webhooks.key_of(text)

    def takes(self, terms: Terms, currency: str) -> bool:
        return bool(settings.DEMO) and terms.currency in (None, currency)

    def origins(self, terms: Terms) -> tuple[str, ...]:
        return ()

    def start(self, terms: Terms, purchase: Purchase) -> Started:
        if not settings.DEMO:
            raise Unstartable("The sandbox is only there where DEMO is on.")
        reference = f"sbx_{purchase.payment_id.hex}"
        told = {
            "orderId": str(purchase.order_id),
            "reference": reference,
            "amount": str(to_major(purchase.price, purchase.decimals)),
            "currencyCode": purchase.currency,
            "description": purchase.product_name,
            "returnUrl": purchase.result_url,
        }
        parts = urlsplit(purchase.result_url)
        return Started(
            f"{parts.scheme}://{parts.netloc}/sandbox/{terms.slug}/pay?{urlencode(told)}", reference
        )

    def verify(self, terms: Terms, received: Received) -> Event:
        if not settings.DEMO:
            raise Refused("The sandbox is only there where DEMO is on.")
        envelope = standard_webhooks.read(received.headers)
        standard_webhooks.verify(envelope, received.body, list(terms.callback_secrets), received.at)
        return with_references(read_event(envelope.id, received.body), received.body)

    def refund(self, terms: Terms, wish: Wish) -> Word:
        told = {
            "id": str(wish.id),
            "orderId": str(wish.order_id),
            "amount": wish.amount,
            "currencyCode": wish.currency,
            "payment": wish.payment_reference,
        }
        return self.asked(terms, "refunds", told)

    def status(self, terms: Terms, wish: Wish) -> Word:
        return self.asked(terms, "refunds/status", {"id": str(wish.id)})

    def asked(self, terms: Terms, call: str, told: dict[str, Any]) -> Word:
        """What the sandbox's own API says, over HTTP."""
        try:
            reply = post_json(own_address(f"/sandbox/{terms.slug}/{call}"), json.dumps(told).encode())
        except Unanswered as problem:
            return Word(Fate.UNKNOWN, problem=str(problem))
        return read_word(reply)


def with_references(event: Event, body: bytes) -> Event:
    """What the sandbox says besides the contract's body: which start a payment is of, and which payment a refund or dispute."""
    if event.problem:
        return event
    # Only texts are of use here, and a number may have more digits than Python reads.
    data = json.loads(body, parse_int=str, parse_float=str)["data"]
    return replace(
        event,
        start_reference=str(data.get("startReference", "")),
        payment_reference=str(data.get("paymentReference", "")),
    )


def read_word(reply: Reply) -> Word:
    """The sandbox's answer about a refund."""
    try:
        said = json.loads(reply.body)
        return Word(Fate(said["state"]), str(said.get("reference", "")), str(said.get("problem", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Word(Fate.UNKNOWN, problem=f"status {reply.status}, and no answer that can be read")


def own_address(path: str) -> str:
    """An address of this platform, for the sandbox that lives within it."""
    return urljoin(settings.PUBLIC_URL or "http://127.0.0.1:8000", path)


SPEAKER = Sandbox()
