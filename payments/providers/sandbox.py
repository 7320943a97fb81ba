"""The sandbox: a provider that exists only where DEMO is on.

Its hosted page and its own API are in `payments.sandbox`. Everything between it and us goes over HTTP,
as with a real one. Its callbacks are Standard Webhooks, and starting gives a reference.
"""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import UUID

from django.conf import settings

from lib.backoffice.languages import stored
from lib.outbound.client import Reply, Unanswered, post_json
from payments.providers.protocol import (
    Event,
    HostedPayment,
    PaymentQuery,
    PaymentRequest,
    ProviderConfig,
    ProviderUnavailable,
    RawCallback,
    RefundRequest,
    RefundResult,
    RefundStatus,
    TellsOnce,
)
from payments.providers.signatures import standard_webhooks
from payments.providers.signatures.refused import Refused
from payments.providers.standard_webhooks import read_event
from wallet.money import to_major

# What starting a payment gave, or the payment that a refund or dispute is of; empty if it names none.
REFERENCE = re.compile(r"[!-~]{0,255}")
# How a payment stands.
STATE = re.compile(r"[a-z]{1,20}")


class Sandbox(TellsOnce):
    """Offered only where DEMO is on; elsewhere nothing it says counts."""

    can_refund = True
    tells_refunds = True
    has_api_secret = False
    calls_to_start = False
    can_query = True

    def check_secret(self, text: str) -> None:
        standard_webhooks.key_of(text)

    def takes(self, config: ProviderConfig, currency: str) -> bool:
        return bool(settings.DEMO) and config.currency in (None, currency)

    def origins(self, config: ProviderConfig) -> tuple[str, ...]:
        return ()

    def start(self, config: ProviderConfig, request: PaymentRequest) -> HostedPayment:
        if not settings.DEMO:
            raise ProviderUnavailable(stored("The sandbox is only there where DEMO is on."))
        reference = f"sbx_{request.payment_id.hex}"
        told = {
            "orderId": str(request.order_id),
            "reference": reference,
            "amount": str(to_major(request.price, request.decimals)),
            "currencyCode": request.currency,
            "description": request.product_name,
            "returnUrl": request.result_url,
        }
        parts = urlsplit(request.result_url)
        return HostedPayment(
            f"{parts.scheme}://{parts.netloc}/sandbox/{config.slug}/pay?{urlencode(told)}", reference
        )

    def verify(self, config: ProviderConfig, raw: RawCallback) -> Event:
        if not settings.DEMO:
            raise Refused(stored("The sandbox is only there where DEMO is on."))
        envelope = standard_webhooks.read(raw.headers)
        standard_webhooks.verify(envelope, raw.body, list(config.callback_secrets), raw.at)
        return with_references(read_event(envelope.id, raw.body), raw.body)

    def read(self, config: ProviderConfig, raw: RawCallback) -> Event:
        return with_references(read_event(standard_webhooks.read(raw.headers).id, raw.body), raw.body)

    def query(self, config: ProviderConfig, query: PaymentQuery) -> bytes:
        if not settings.DEMO:
            raise ProviderUnavailable(stored("The sandbox is only there where DEMO is on."))
        told = {"orderId": str(query.order_id), "startReference": query.start_reference}
        try:
            reply = post_json(
                own_address(f"/sandbox/{config.slug}/payments/status"), json.dumps(told).encode()
            )
        except Unanswered as problem:
            raise ProviderUnavailable(str(problem)) from None
        if not is_about(reply, told):
            words = stored("status {status}, and no answer that can be read")
            raise ProviderUnavailable(words.format(status=reply.status))
        return reply.body

    def read_answer(self, body: bytes) -> Event:
        said = read_said(body)
        state, order_id = str(said["state"]), UUID(str(said["orderId"]))
        id = f"query-{said['startReference']}-{state}"
        if state != "paid":
            return Event(id, order_id=order_id, said=f"not paid ({state})")
        told = str(said["callback"]).encode()
        return with_references(read_event(id, told), told)

    def refund(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        told = {
            "id": str(request.id),
            "orderId": str(request.order_id),
            "amount": request.amount,
            "currencyCode": request.currency,
            "payment": request.payment_reference,
        }
        return self.asked(config, "refunds", told)

    def status(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        return self.asked(config, "refunds/status", {"id": str(request.id)})

    def asked(self, config: ProviderConfig, call: str, told: dict[str, Any]) -> RefundResult:
        """What the sandbox's own API says, over HTTP."""
        try:
            reply = post_json(own_address(f"/sandbox/{config.slug}/{call}"), json.dumps(told).encode())
        except Unanswered as problem:
            return RefundResult(RefundStatus.UNKNOWN, problem=str(problem))
        return read_result(reply)


def with_references(event: Event, body: bytes) -> Event:
    """What the sandbox says besides the contract's body.

    Which start a payment is of, and which payment a refund or dispute.
    """
    if event.problem:
        return event
    # Only texts are of use here, and a number may have more digits than Python reads.
    data = json.loads(body, parse_int=str, parse_float=str)["data"]
    start, payment = (str(data.get(name, "")) for name in ("startReference", "paymentReference"))
    if not REFERENCE.fullmatch(start) or not REFERENCE.fullmatch(payment):
        return replace(event, problem="startReference or paymentReference is none of the sandbox's.")
    return replace(event, start_reference=start, payment_reference=payment)


def is_about(reply: Reply, told: dict[str, str]) -> bool:
    """Whether an answer is about the payment that was asked about, and can be read."""
    try:
        said = read_said(reply.body)
    except Refused:
        return False
    return reply.status == 200 and told.items() <= said.items()


def read_said(body: bytes) -> dict[str, Any]:
    """The answer about a payment. Raises `Refused` if it makes no sense."""
    try:
        said = json.loads(body.decode())
    except (ValueError, RecursionError) as problem:
        raise Refused(stored("The answer is not JSON in UTF-8.")) from problem
    is_whole = isinstance(said, dict) and STATE.fullmatch(str(said.get("state"))) is not None
    if not is_whole or (said["state"] == "paid" and not isinstance(said.get("callback"), str)):
        raise Refused(stored("The answer says no state, or paid and not by what."))
    return said  # type: ignore[no-any-return]


def read_result(reply: Reply) -> RefundResult:
    """The sandbox's answer about a refund."""
    try:
        said = json.loads(reply.body)
        return RefundResult(
            RefundStatus(said["state"]), str(said.get("reference", "")), str(said.get("problem", ""))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return RefundResult(
            RefundStatus.UNKNOWN, problem=f"status {reply.status}, and no answer that can be read"
        )


def own_address(path: str) -> str:
    """An address of this platform, for the sandbox that lives within it."""
    return urljoin(settings.PUBLIC_URL or "http://127.0.0.1:8000", path)


ADAPTER = Sandbox()
