"""Providers that speak order-notify (contract 4.2).

A page to send the player to, and one signed callback when it is paid.
"""

import hashlib
import json
import re
from dataclasses import asdict
from decimal import Decimal
from uuid import UUID

from lib.backoffice.languages import _, format_lazy, stored
from payments.providers.payment_page import page_address, page_origin
from payments.providers.protocol import (
    EchoedOrder,
    Event,
    EventType,
    HostedPayment,
    NeverAsked,
    PaymentRequest,
    ProviderConfig,
    ProviderUnavailable,
    RawCallback,
    RefundRequest,
    RefundResult,
    TellsOnce,
)
from payments.providers.signatures import order_notify
from payments.providers.signatures.order_notify import Notification
from payments.providers.signatures.refused import Refused
from wallet.money import to_major

LEAST_CHARACTERS = 16
# How far the time of a callback may lie ahead of ours, in milliseconds; a late retry is still true.
MOST_AHEAD_MS = 300_000
ORDER = re.compile(r"[0-9a-f]{32}")
MILLISECONDS = re.compile(r"[0-9]{1,15}")
NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")


class OrderNotify(TellsOnce, NeverAsked):
    """The scheme has neither refunds nor ids of its own: our order is all that it names."""

    can_refund = False
    tells_refunds = False
    has_api_secret = False
    calls_to_start = False

    def check_secret(self, text: str) -> None:
        if not LEAST_CHARACTERS <= len(text) <= 255 or not text.isascii() or not text.isprintable():
            words = _("An order-notify secret has {least} to 255 printable ASCII characters.")
            raise ValueError(format_lazy(words, least=LEAST_CHARACTERS))

    def takes(self, config: ProviderConfig, currency: str) -> bool:
        return currency == config.currency and bool(config.page_url)

    def origins(self, config: ProviderConfig) -> tuple[str, ...]:
        return page_origin(config)

    def start(self, config: ProviderConfig, request: PaymentRequest) -> HostedPayment:
        return HostedPayment(
            page_address(
                config,
                {
                    "uid": request.uid,
                    "serverId": str(request.server_id),
                    "cpOrderId": request.order_id.hex,
                    "productId": request.product_code,
                    "productPrice": str(to_major(request.price, request.decimals)),
                    "extParams": request.ext_params,
                    "returnUrl": request.result_url,
                },
            )
        )

    def verify(self, config: ProviderConfig, raw: RawCallback) -> Event:
        said = order_notify.read(raw.body, raw.headers.get("content-type", ""))
        if not order_notify.is_genuine(said, list(config.callback_secrets)):
            raise Refused(stored("The signature is not of a live secret."))
        if not MILLISECONDS.fullmatch(said.ts):
            raise Refused(stored("ts is no whole number of milliseconds."))
        if int(said.ts) > raw.at * 1000 + MOST_AHEAD_MS:
            raise Refused(stored("The callback is from the future."))
        return event_of(said)

    def read(self, config: ProviderConfig, raw: RawCallback) -> Event:
        return event_of(order_notify.read(raw.body, raw.headers.get("content-type", "")))

    def refund(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        raise ProviderUnavailable(stored("An order-notify provider cannot be asked for refunds."))

    def status(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        raise ProviderUnavailable(stored("An order-notify provider cannot be asked about refunds."))


def event_of(said: Notification) -> Event:
    """The event of a notification.

    It names neither message nor payment: a success of an order is always the same one.
    """
    echoed = EchoedOrder(
        said.uid, plain(said.serverId), said.productId, plain(said.productPrice), said.extParams
    )
    signed = order_notify.signed_text(said).encode(errors="surrogatepass")
    # Whoever knows one genuine callback can add to it what nobody signed.
    kept = json.dumps(asdict(said)).encode()
    if not ORDER.fullmatch(said.cpOrderId):
        # Not ours, and perhaps longer than an id, or no text that can be stored.
        named = hashlib.sha256(said.cpOrderId.encode(errors="surrogatepass")).hexdigest()
        return Event(named, EventType.SUCCEEDED, echoed=echoed, signed=signed, kept_body=kept)
    order_id = UUID(said.cpOrderId)
    return Event(
        said.cpOrderId,
        EventType.SUCCEEDED,
        order_id,
        said.cpOrderId,
        echoed=echoed,
        signed=signed,
        kept_body=kept,
    )


def plain(text: str) -> str:
    """A number in its plainest spelling, so that 4.990 says the same as 4.99; another text as it is."""
    if not NUMBER.fullmatch(text):
        return text
    written = format(Decimal(text), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


ADAPTER = OrderNotify()
