"""Providers whose callbacks are Standard Webhooks with the body of contract 4.2."""

import json
import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from lib.backoffice.languages import stored
from payments.providers.payment_page import page_address, page_origin
from payments.providers.protocol import (
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
from payments.providers.signatures import standard_webhooks
from payments.providers.signatures.order_notify import refuse_constant
from wallet.currencies import decimals_of
from wallet.money import InvalidAmount, to_major, to_minor

# Those of contract 4.2.
TYPES = {str(type) for type in EventType} - {EventType.REFUND_REVERSED}
ID = re.compile(r"[!-~]{1,255}")
ORDER = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


class StandardWebhooks(TellsOnce, NeverAsked):
    """A generic provider: told of the order in the address of its page, tells us in signed messages."""

    can_refund = False
    tells_refunds = True
    has_api_secret = False
    calls_to_start = False

    def check_secret(self, text: str) -> None:
        standard_webhooks.key_of(text)

    def takes(self, config: ProviderConfig, currency: str) -> bool:
        return config.currency in (None, currency) and bool(config.page_url)

    def origins(self, config: ProviderConfig) -> tuple[str, ...]:
        return page_origin(config)

    def start(self, config: ProviderConfig, request: PaymentRequest) -> HostedPayment:
        told = {
            "orderId": str(request.order_id),
            "amount": str(to_major(request.price, request.decimals)),
            "currencyCode": request.currency,
            "description": request.product_name,
            "returnUrl": request.result_url,
        }
        return HostedPayment(page_address(config, told))

    def verify(self, config: ProviderConfig, raw: RawCallback) -> Event:
        envelope = standard_webhooks.read(raw.headers)
        standard_webhooks.verify(envelope, raw.body, list(config.callback_secrets), raw.at)
        return read_event(envelope.id, raw.body)

    def read(self, config: ProviderConfig, raw: RawCallback) -> Event:
        return read_event(standard_webhooks.read(raw.headers).id, raw.body)

    def refund(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        raise ProviderUnavailable(stored("This provider cannot be asked for refunds."))

    def status(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        raise ProviderUnavailable(stored("This provider cannot be asked about refunds."))


def read_event(message_id: str, body: bytes) -> Event:
    """What a genuine body says; where it makes no sense, an event with a `problem`."""
    try:
        said = json.loads(
            body.decode(), parse_float=Decimal, parse_int=Decimal, parse_constant=refuse_constant
        )
    except (ValueError, ArithmeticError, RecursionError):
        return Event(message_id, problem="The body is not JSON in UTF-8.")
    type, data = (said.get("type"), said.get("data")) if isinstance(said, dict) else (None, None)
    if not isinstance(type, str) or type not in TYPES:
        return Event(message_id, problem="type is none that is known.")
    if not isinstance(data, dict):
        return Event(message_id, problem="data is missing.")
    return read_data(message_id, EventType(type), data)


def read_data(message_id: str, type: EventType, data: dict[str, Any]) -> Event:
    order, reference, currency = data.get("orderId"), data.get("providerReference"), data.get("currencyCode")
    if not isinstance(order, str) or not ORDER.fullmatch(order):
        return Event(message_id, type, problem="orderId is missing or no UUID.")
    order_id = UUID(order)
    if not isinstance(reference, str) or not ID.fullmatch(reference):
        return Event(
            message_id,
            type,
            order_id,
            problem="providerReference is missing, or not 1 to 255 printable ASCII characters.",
        )
    decimals = decimals_of(currency) if isinstance(currency, str) else None
    if not isinstance(currency, str) or decimals is None:
        return Event(message_id, type, order_id, reference, problem="currencyCode is missing or unknown.")
    try:
        amount = to_minor(data.get("amount"), decimals)
    except InvalidAmount:
        return Event(message_id, type, order_id, reference, problem="amount is no amount of that currency.")
    return Event(message_id, type, order_id, reference, amount, currency)


ADAPTER = StandardWebhooks()
