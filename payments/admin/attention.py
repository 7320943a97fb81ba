"""The work of payments that waits for a person: callbacks to review, and deliveries given up."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from lib.backoffice.formatting import MOST_COUNTED
from payments.deliveries.bulk_retry import GONE_BACK
from payments.models import Callback, Delivery

GIVEN_UP = (Delivery.State.GONE, Delivery.State.EXHAUSTED)


def to_look_at(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Callbacks that a person has to review, by their own index."""
    return rows.filter(outcome__in=Callback.TO_LOOK_AT, resolved_at=None)


def given_up(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Deliveries without further attempts although the player has paid."""
    return rows.filter(state__in=GIVEN_UP).exclude(order__state__in=GONE_BACK)


def waiting(request: HttpRequest, model: str) -> int:
    """The number of rows of a model that wait for a person, up to one more than `MOST_COUNTED`.

    It is as it was when this request asked first.
    """
    known: dict[str, int] | None = getattr(request, "payments_attention", None)
    if known is None:
        known = {}
        request.payments_attention = known  # type: ignore[attr-defined]
    if model not in known:
        rows = (
            to_look_at(Callback.objects.all())
            if model == "payments.callback"
            else given_up(Delivery.objects.all())
        )
        known[model] = len(rows.values_list("pk", flat=True)[: MOST_COUNTED + 1])
    return known[model]
