"""The work of payments that waits for a person.

Callbacks to review, deliveries given up, refused refunds, and returns whose payment never came.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from lib.backoffice.formatting import MOST_COUNTED
from payments.deliveries.bulk_retry import GONE_BACK
from payments.models import Callback, Delivery, Difference, Refund

GIVEN_UP = (Delivery.State.GONE, Delivery.State.EXHAUSTED)


def to_look_at(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Callbacks that a person has to review, by their own index."""
    return rows.filter(outcome__in=Callback.TO_LOOK_AT, resolved_at=None)


def given_up(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Deliveries without further attempts although the player has paid."""
    return rows.filter(state__in=GIVEN_UP).exclude(order__state__in=GONE_BACK)


def unmatched(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Refunds and chargebacks of a payment that was never reported, although another has paid the order."""
    return rows.filter(state=Refund.State.REMEMBERED, order__paid_at__isnull=False)


def refused(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Refunds that the provider refused, by their own index, while the payer has got back nothing."""
    return rows.filter(state=Refund.State.REFUSED).exclude(order__state__in=GONE_BACK)


# What waits in the list of a model.
WAITING: dict[str, Callable[[], QuerySet[Any]]] = {
    "payments.callback": lambda: to_look_at(Callback.objects.all()),
    "payments.delivery": lambda: given_up(Delivery.objects.all()),
    "payments.refund": lambda: unmatched(Refund.objects.all()),
    "payments.difference": lambda: Difference.objects.filter(state__in=Difference.UNDECIDED),
}


def waiting(request: HttpRequest, model: str) -> int:
    """The number of rows of a model that wait for a person, up to one more than `MOST_COUNTED`.

    It is as it was when this request asked first.
    """
    known: dict[str, int] | None = getattr(request, "payments_attention", None)
    if known is None:
        known = {}
        request.payments_attention = known  # type: ignore[attr-defined]
    if model not in known:
        known[model] = len(WAITING[model]().values_list("pk", flat=True)[: MOST_COUNTED + 1])
    return known[model]
