"""Starting, verifying and refunding payments through Stripe Checkout."""

import re
from datetime import datetime, timedelta
from typing import Any

from stripe import DEFAULT_API_BASE, StripeClient
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from lib.clock import now
from payments.providers.payment_page import page_origin
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
from payments.providers.stripe_checkout import signature
from payments.providers.stripe_checkout.calls import Failed, call
from payments.providers.stripe_checkout.events import ID, ORDER_KEY, PAYMENT_KEY, REFUND_KEY, read_event
from payments.providers.stripe_checkout.minor_units import Inexpressible, is_payable, to_stripe
from wallet.currencies import decimals_of

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{24,240}")
# Stripe keeps a session open for 30 minutes to 24 hours; a minute is left for the way.
SHORTEST, LONGEST = timedelta(minutes=31), timedelta(hours=24, minutes=-1)
# In steps, so that a start that is repeated says the same: with another time it would be another call under the same key.
STEP = 300
LONGEST_NAME = 250
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

    def __init__(self, api: str = DEFAULT_API_BASE) -> None:
        self.api = api

    def check_secret(self, text: str) -> None:
        if not SECRET.fullmatch(text):
            raise ValueError(
                "A Stripe signing secret is whsec_ and at least 24 letters and digits, as the endpoint's page shows it."
            )

    def takes(self, terms: Terms, currency: str) -> bool:
        return terms.currency in (None, currency) and bool(terms.api_secret) and is_payable(currency)

    def origins(self, terms: Terms) -> tuple[str, ...]:
        # An account may have its checkout at a name of its own: that is then its payment page.
        return ("https://checkout.stripe.com", *page_origin(terms))

    def start(self, terms: Terms, purchase: Purchase) -> Started:
        try:
            session = session_of(purchase, now())
            # Once more: of two clicks at once, one is told to come again (409).
            return call(
                terms,
                self.api,
                lambda client: create_session(client, session, f"start-{purchase.payment_id}"),
                retries=1,
            )
        except (Failed, Inexpressible) as problem:
            raise Unstartable(str(problem)) from None

    def verify(self, terms: Terms, received: Received) -> Event:
        signature.check(
            received.headers.get("stripe-signature", ""), received.body, terms.callback_secrets, received.at
        )
        return read_event(received.body, is_live=terms.is_live)

    def refund(self, terms: Terms, wish: Wish) -> Word:
        try:
            refund = refund_of(wish)
            return call(
                terms,
                self.api,
                lambda client: read_refund(
                    client.v1.refunds.create(refund, {"idempotency_key": f"refund-{wish.id}"}).to_dict()
                ),
            )
        except Inexpressible as problem:
            return Word(Fate.REFUSED, problem=str(problem))
        except Failed as problem:
            return Word(Fate.REFUSED if problem.is_refusal else Fate.UNKNOWN, problem=str(problem))

    def status(self, terms: Terms, wish: Wish) -> Word:
        try:
            return call(terms, self.api, lambda client: find_refund(client, wish))
        except Failed as problem:
            # Whatever is said of the question, it says nothing of the refund.
            return Word(Fate.UNKNOWN, problem=str(problem))


# --- Starting -------------------------------------------------------------------------------------------


def session_of(purchase: Purchase, at: datetime) -> SessionCreateParams:
    """What Stripe is told of an order. The player's id is not among it."""
    ids = {ORDER_KEY: str(purchase.order_id), PAYMENT_KEY: str(purchase.payment_id)}
    return {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": purchase.currency.lower(),
                    "unit_amount": to_stripe(purchase.price, purchase.currency, purchase.decimals),
                    "product_data": {"name": purchase.product_name[:LONGEST_NAME]},
                },
            }
        ],
        # What is paid is compared with the order: neither another currency nor a rebate.
        "adaptive_pricing": {"enabled": False},
        "client_reference_id": str(purchase.order_id),
        "metadata": ids,
        "payment_intent_data": {"metadata": ids},
        "success_url": purchase.result_url,
        "cancel_url": purchase.result_url,
        "expires_at": closing_of(purchase.expires_at, at),
        "locale": locale_of(purchase.language),
    }


def create_session(client: StripeClient, session: SessionCreateParams, key: str) -> Started:
    made = client.v1.checkout.sessions.create(session, {"idempotency_key": key}).to_dict()
    url, id = made["url"], made["id"]
    if not url.startswith("https://") or not ID.fullmatch(id):
        raise ValueError("a session without a page")
    return Started(url, id)


def closing_of(expires_at: datetime, at: datetime) -> int:
    """When a session that is begun at `at` closes, in seconds since 1970: with its order, as far as Stripe allows."""
    earliest = -(-int((at + SHORTEST).timestamp()) // STEP) * STEP
    latest = int((at + LONGEST).timestamp()) // STEP * STEP
    return min(max(int(expires_at.timestamp()), earliest), latest)


def locale_of(language: str) -> str:
    """The language of Stripe's page for one of ours; it goes by the browser where it has not ours."""
    tag = language.lower().replace("_", "-")
    return BY_LANGUAGE.get(tag) or BY_LANGUAGE.get(tag.partition("-")[0]) or "auto"


# --- Refunds --------------------------------------------------------------------------------------------


def refund_of(wish: Wish) -> RefundCreateParams:
    decimals = decimals_of(wish.currency)
    if decimals is None:
        raise AssertionError("currencies are never deleted")
    return {
        "payment_intent": wish.payment_reference,
        "amount": to_stripe(wish.amount, wish.currency, decimals),
        "metadata": {REFUND_KEY: str(wish.id), ORDER_KEY: str(wish.order_id)},
    }


def find_refund(client: StripeClient, wish: Wish) -> Word:
    """A refund by Stripe's id of it, or where we never learned that by ours."""
    if wish.reference:
        return read_refund(client.v1.refunds.retrieve(wish.reference).to_dict())
    for refund in client.v1.refunds.list(
        {"payment_intent": wish.payment_reference, "limit": 100}
    ).auto_paging_iter():
        said = refund.to_dict()
        if (said["metadata"] or {}).get(REFUND_KEY) == str(wish.id):
            return read_refund(said)
    return Word(Fate.UNHEARD)


def read_refund(said: dict[str, Any]) -> Word:
    """What became of a refund, by Stripe's description of it."""
    id, status = said["id"], said["status"]
    if not ID.fullmatch(id) or not STATUS.fullmatch(status):
        raise ValueError("a refund without an id or a status")
    if status == "succeeded":
        return Word(Fate.DONE, id)
    if status in ("failed", "canceled"):
        return Word(Fate.REFUSED, id, f"Stripe says: {status}")
    return Word(Fate.UNKNOWN, id, f"Stripe says: {status}")


SPEAKER = StripeCheckout()
