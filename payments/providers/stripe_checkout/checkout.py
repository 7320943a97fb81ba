"""Starting, verifying and refunding payments through Stripe Checkout."""

import json
import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from stripe import DEFAULT_API_BASE, StripeClient
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from lib.backoffice.languages import _, stored
from lib.clock import now
from payments.providers.payment_page import page_origin
from payments.providers.protocol import (
    Event,
    EventType,
    HostedPayment,
    PaymentQuery,
    PaymentRequest,
    ProviderConfig,
    ProviderUnavailable,
    RawCallback,
    RefundRequest,
    RefundResult,
    RefundStatus,
)
from payments.providers.stripe_checkout import signature
from payments.providers.stripe_checkout.calls import Failed, call
from payments.providers.stripe_checkout.events import (
    ID,
    ORDER_KEY,
    PAYMENT_KEY,
    REFUND_KEY,
    SESSION_FIELDS,
    Senseless,
    is_holding,
    order_of,
    read_event,
    read_session,
    time_of,
)
from payments.providers.stripe_checkout.minor_units import Inexpressible, is_payable, to_stripe
from wallet.currencies import decimals_of

logger = logging.getLogger(__name__)
SAYS = stored("Stripe says: {status}")
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{24,240}")
# Stripe keeps a session open for 30 minutes to 24 hours; a minute is left for the way.
SHORTEST, LONGEST = timedelta(minutes=31), timedelta(hours=24, minutes=-1)
# In steps, so that a start that is repeated says the same:
# with another time it would be another call under the same key.
STEP = 300
LONGEST_NAME = 250
PAGE = re.compile(r"https://[!-~]+")
STATUS = re.compile(r"[a-z_]{1,40}")
# The languages of Stripe's page.
LOCALES = (
    *(
        "bg",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "en-GB",
        "es",
        "es-419",
        "et",
        "fi",
        "fil",
        "fr",
        "fr-CA",
        "hi-IN",
        "hr",
        "hu",
        "id",
        "it",
        "ja",
        "ko",
        "lt",
    ),
    *(
        "lv",
        "ms",
        "mt",
        "nb",
        "nl",
        "pl",
        "pt",
        "pt-BR",
        "ro",
        "ru",
        "sk",
        "sl",
        "sv",
        "th",
        "tr",
        "vi",
        "zh",
        "zh-HK",
        "zh-TW",
    ),
)
BY_LANGUAGE = {locale.lower(): locale for locale in LOCALES}


class StripeCheckout:
    """Speaks to Stripe at the address `api`; tests have one of their own."""

    can_refund = True
    tells_refunds = True
    has_api_secret = True
    calls_to_start = True
    can_query = True

    def __init__(self, api: str = DEFAULT_API_BASE) -> None:
        self.api = api

    def check_secret(self, text: str) -> None:
        if not SECRET.fullmatch(text):
            raise ValueError(
                _(
                    "A Stripe signing secret is whsec_ and at least 24 letters and digits, "
                    "as the endpoint's page shows it."
                )
            )

    def takes(self, config: ProviderConfig, currency: str) -> bool:
        return config.currency in (None, currency) and bool(config.api_secret) and is_payable(currency)

    def origins(self, config: ProviderConfig) -> tuple[str, ...]:
        # An account may have its checkout at a name of its own: that is then its payment page.
        return ("https://checkout.stripe.com", *page_origin(config))

    def start(self, config: ProviderConfig, request: PaymentRequest) -> HostedPayment:
        try:
            session = session_of(request, now())
            return call(
                config,
                self.api,
                lambda client: create_session(client, session, f"start-{request.payment_id}"),
            )
        except (Failed, Inexpressible) as problem:
            raise ProviderUnavailable(str(problem)) from None

    def verify(self, config: ProviderConfig, raw: RawCallback) -> Event:
        signature.check(raw.headers.get("stripe-signature", ""), raw.body, config.callback_secrets, raw.at)
        return read_event(raw.body, is_live=config.is_live)

    def read(self, config: ProviderConfig, raw: RawCallback) -> Event:
        # Of whatever mode it was taken in: the provider may have been switched since.
        return read_event(raw.body, is_live=None)

    def find_order(self, config: ProviderConfig, event: Event) -> Event:
        try:
            order_id = call(
                config, self.api, lambda client: order_of_payment(client, event.payment_reference)
            )
        except Failed as problem:
            undecided(f"the payment of event {event.message_id} cannot be looked up", problem)
            return event
        return replace(event, order_id=order_id) if order_id else Event(event.message_id)

    def confirm(self, config: ProviderConfig, event: Event) -> Event:
        try:
            is_gone = call(config, self.api, lambda client: is_disputed(client, event.reference))
        except (Failed, Senseless) as problem:
            undecided(f"dispute {event.reference} cannot be looked at", problem)
            return event
        return replace(event, is_confirmed=is_gone == (event.type == EventType.CHARGED_BACK))

    def query(self, config: ProviderConfig, query: PaymentQuery) -> bytes:
        try:
            body = call(config, self.api, lambda client: session_said(client, query, is_live=config.is_live))
        except Failed as problem:
            raise ProviderUnavailable(str(problem)) from None
        return body

    def read_answer(self, body: bytes) -> Event:
        return read_session(body)

    def refund(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        try:
            refund = refund_of(request)
            return call(
                config,
                self.api,
                lambda client: read_refund(
                    client.v1.refunds.create(refund, {"idempotency_key": f"refund-{request.id}"}).to_dict()
                ),
            )
        except Inexpressible as problem:
            return RefundResult(RefundStatus.REFUSED, problem=str(problem))
        except Failed as problem:
            return RefundResult(
                RefundStatus.REFUSED if problem.is_refusal else RefundStatus.UNKNOWN, problem=str(problem)
            )

    def status(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        try:
            return call(config, self.api, lambda client: find_refund(client, request))
        except Failed as problem:
            # Whatever is said of the question, it says nothing of the refund.
            return RefundResult(RefundStatus.UNKNOWN, problem=str(problem))


def undecided(what: str, problem: Failed | Senseless) -> None:
    """A look told nothing. Raises `ProviderUnavailable` if Stripe may answer another time."""
    if isinstance(problem, Failed) and not problem.is_refusal:
        raise ProviderUnavailable(f"{what}: {problem}") from None
    logger.warning("%s: %s", what, problem)


# --- Starting -------------------------------------------------------------------------------------------


def session_of(request: PaymentRequest, at: datetime) -> SessionCreateParams:
    """What Stripe is told of an order. The player's id is not among it."""
    ids = {ORDER_KEY: str(request.order_id), PAYMENT_KEY: str(request.payment_id)}
    return {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": request.currency.lower(),
                    "unit_amount": to_stripe(request.price, request.currency, request.decimals),
                    "product_data": {"name": request.product_name[:LONGEST_NAME]},
                },
            }
        ],
        # What is paid is compared with the order: neither another currency nor a rebate.
        "adaptive_pricing": {"enabled": False},
        "client_reference_id": str(request.order_id),
        "metadata": ids,
        "payment_intent_data": {"metadata": ids},
        "success_url": request.result_url,
        "cancel_url": request.result_url,
        "expires_at": closing_of(request.expires_at, at),
        "locale": locale_of(request.language),
    }


def create_session(client: StripeClient, session: SessionCreateParams, key: str) -> HostedPayment:
    made = client.v1.checkout.sessions.create(session, {"idempotency_key": key}).to_dict()
    url, id = made["url"], made["id"]
    if not PAGE.fullmatch(url) or not ID.fullmatch(id):
        raise ValueError("a session without a page")
    return HostedPayment(url, id)


def closing_of(expires_at: datetime, at: datetime) -> int:
    """When a session that is begun at `at` closes, in seconds since 1970.

    With its order, as far as Stripe allows.
    """
    earliest = -(-int((at + SHORTEST).timestamp()) // STEP) * STEP
    latest = int((at + LONGEST).timestamp()) // STEP * STEP
    return min(max(int(expires_at.timestamp()), earliest), latest)


def locale_of(language: str) -> str:
    """The language of Stripe's page for one of ours; it goes by the browser where it has not ours."""
    tag = language.lower().replace("_", "-")
    return BY_LANGUAGE.get(tag) or BY_LANGUAGE.get(tag.partition("-")[0]) or "auto"


# --- Asking ---------------------------------------------------------------------------------------------


def session_said(client: StripeClient, query: PaymentQuery, *, is_live: bool) -> bytes:
    """A session as Stripe describes it now, as far as it is read."""
    session = client.v1.checkout.sessions.retrieve(query.start_reference).to_dict()
    if (session["id"], session["livemode"]) != (query.start_reference, is_live):
        raise ValueError("a session that was not asked about")
    body = json.dumps({name: session.get(name) for name in SESSION_FIELDS}, sort_keys=True).encode()
    # What cannot be read is no answer.
    read_session(body)
    return body


# --- Refunds --------------------------------------------------------------------------------------------


def refund_of(request: RefundRequest) -> RefundCreateParams:
    decimals = decimals_of(request.currency)
    if decimals is None:
        raise AssertionError("currencies are never deleted")
    return {
        "payment_intent": request.payment_reference,
        "amount": to_stripe(request.amount, request.currency, decimals),
        "metadata": {REFUND_KEY: str(request.id), ORDER_KEY: str(request.order_id)},
    }


def find_refund(client: StripeClient, request: RefundRequest) -> RefundResult:
    """A refund by Stripe's id of it, or where we never learned that by ours."""
    if request.reference:
        return read_refund(client.v1.refunds.retrieve(request.reference).to_dict())
    for refund in client.v1.refunds.list(
        {"payment_intent": request.payment_reference, "limit": 100}
    ).auto_paging_iter():
        said = refund.to_dict()
        if (said["metadata"] or {}).get(REFUND_KEY) == str(request.id):
            return read_refund(said)
    return RefundResult(RefundStatus.NOT_FOUND)


def order_of_payment(client: StripeClient, payment: str) -> UUID | None:
    """Our order, if a payment intent of the account is of one."""
    return order_of(client.v1.payment_intents.retrieve(payment).to_dict())


def is_disputed(client: StripeClient, dispute: str) -> bool:
    return is_holding(client.v1.disputes.retrieve(dispute).to_dict())


def read_refund(said: dict[str, Any]) -> RefundResult:
    """What became of a refund, by Stripe's description of it."""
    id, status = said["id"], said["status"]
    if not ID.fullmatch(id) or not STATUS.fullmatch(status):
        raise ValueError("a refund without an id or a status")
    made_at = time_of(said, "created") if "created" in said else None
    if status == "succeeded":
        return RefundResult(RefundStatus.DONE, id, made_at=made_at)
    if status in ("failed", "canceled"):
        return RefundResult(RefundStatus.REFUSED, id, SAYS.format(status=status), made_at, is_final=True)
    return RefundResult(RefundStatus.UNKNOWN, id, SAYS.format(status=status))


ADAPTER = StripeCheckout()
