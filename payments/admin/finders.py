"""What a search finds of orders, and what belongs to them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from lib.backoffice.finders import LEAST_PART, MOST_FOUND, Asked, Finder, starting
from lib.backoffice.languages import _
from payments.models import Callback, Delivery, Order, Payment, Product, Provider, Refund, Secret
from payments.providers.signing_secrets import shown_fingerprint


def providers() -> list[Any]:
    """The keys of all providers: the indexes of references begin with them."""
    return list(Provider.objects.values_list("pk", flat=True))


def orders_of_payments(text: str, lookup: str) -> list[Any]:
    """The orders of payments that have the text as their reference, or were started with it."""
    payments = Payment.objects.filter(provider_id__in=providers())
    started = payments.filter(**{f"start_reference__{lookup}": text}).exclude(start_reference="")
    paid = payments.filter(**{f"reference__{lookup}": text}).exclude(reference="")
    found = (rows.values_list("order_id", flat=True)[:MOST_FOUND] for rows in (started, paid))
    return [id for ids in found for id in ids]


class OrderFinder(Finder):
    model = Order
    by = _("orders by orderId, cpOrderId, or a provider's reference, and by the beginning of either")
    has_ends = True

    def exactly(self, asked: Asked) -> list[Any]:
        named = self.rows.filter(cp_order_id=asked.text)[:MOST_FOUND]
        paid = self.rows.filter(pk__in=orders_of_payments(asked.text, "exact"))
        return [*self.by_id(asked), *named, *paid]

    def partly(self, asked: Asked) -> list[Any]:
        if not asked.is_part:
            return []
        begun = starting(self.rows, "cp_order_id", asked.text)
        paid = self.rows.filter(pk__in=orders_of_payments(asked.text, "startswith"))
        return [*begun, *paid, *self.by_part(asked)]

    def note(self, row: Order) -> str:
        return row.cp_order_id


class RefundFinder(Finder):
    model = Refund
    by = _("refunds by id or a provider's reference")
    has_ends = True

    def exactly(self, asked: Asked) -> list[Any]:
        told = Q(provider_id__in=providers(), kind__in=Refund.Kind.values, reference=asked.text)
        named = self.rows.filter(told).exclude(reference="")[:MOST_FOUND]
        return [*self.by_id(asked), *named]

    def note(self, row: Refund) -> str:
        return row.reference


class DeliveryFinder(Finder):
    model = Delivery
    by = _("deliveries by message id")
    has_ends = True


class CallbackFinder(Finder):
    """A callback is found by its own names; a payment's reference finds the order first."""

    model = Callback
    by = _("callbacks by message id or a provider's reference")
    has_ends = True

    def exactly(self, asked: Asked) -> list[Any]:
        # As the two partial indexes of message ids have it.
        mine = self.rows.filter(provider_id__in=providers(), message_id=asked.text)
        taken = mine.filter(outcome__in=Callback.TAKEN)[:MOST_FOUND]
        refused = mine.filter(outcome__in=(Callback.Outcome.CONTRADICTS, Callback.Outcome.NO_ORDER))
        return [*self.by_id(asked), *taken, *refused[:MOST_FOUND]]

    def otherwise(self, asked: Asked) -> Iterable[Any]:
        named = self.rows.filter(reference=asked.text).exclude(reference="")
        return named.order_by("-pk")[:MOST_FOUND]


class ProductFinder(Finder):
    """There are few: they need no index."""

    model = Product
    by = _("products by id or name")

    def exactly(self, asked: Asked) -> Iterable[Any]:
        return self.rows.filter(Q(code=asked.text) | Q(name__iexact=asked.text) | Q(pk=asked.id))

    def partly(self, asked: Asked) -> Iterable[Any]:
        return self.rows.filter(name__istartswith=asked.text) if asked.is_name else ()


class ProviderFinder(Finder):
    """There are few: they need no index, and the fingerprints of their secrets none either."""

    model = Provider
    by = _("providers by slug, name, or the fingerprint of a secret")

    def exactly(self, asked: Asked) -> Iterable[Any]:
        named = Q(slug=asked.text) | Q(name__iexact=asked.text) | Q(pk=asked.id)
        return self.rows.filter(named | Q(pk__in=self.with_fingerprint(asked)))

    def partly(self, asked: Asked) -> Iterable[Any]:
        begun = Q(slug__istartswith=asked.text) | Q(name__istartswith=asked.text)
        return self.rows.filter(begun) if asked.is_name else ()

    def with_fingerprint(self, asked: Asked) -> list[Any]:
        """The providers that have a secret whose fingerprint, as pages show it, is the text."""
        if len(asked.text) < LEAST_PART:
            return []
        secrets = Secret.objects.filter(provider__isnull=False).values_list("provider_id", "fingerprint")
        return [owner for owner, print in secrets if shown_fingerprint(print) == asked.text.lower()]


FINDERS = (
    OrderFinder,
    RefundFinder,
    DeliveryFinder,
    CallbackFinder,
    ProductFinder,
    ProviderFinder,
)
