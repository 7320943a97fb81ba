"""Stripe Checkout, by the official library."""

from payments.providers.protocol import Event, Purchase, Received, Started, Terms, Unstartable, Wish, Word
from payments.signatures.refused import Refused


class StripeCheckout:
    can_refund = True
    has_api_secret = True

    def check_secret(self, text: str) -> None:
        if not text.startswith("whsec_"):
            raise ValueError("A Stripe signing secret begins with whsec_.")

    def takes(self, terms: Terms, currency: str) -> bool:
        return terms.currency in (None, currency) and bool(terms.api_secret)

    def origins(self, terms: Terms) -> tuple[str, ...]:
        return ("https://checkout.stripe.com",)

    def start(self, terms: Terms, purchase: Purchase) -> Started:
        raise Unstartable("not yet")

    def verify(self, terms: Terms, received: Received) -> Event:
        raise Refused("not yet")

    def refund(self, terms: Terms, wish: Wish) -> Word:
        raise Unstartable("not yet")

    def status(self, terms: Terms, wish: Wish) -> Word:
        raise Unstartable("not yet")


SPEAKER = StripeCheckout()
