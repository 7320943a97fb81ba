"""Stripe Checkout, by the official library: the player pays on a page of Stripe's."""

from payments.providers.stripe_checkout.checkout import ADAPTER

__all__ = ["ADAPTER"]
