"""What waits for a person: of each kind how many, since when the oldest, and where its list is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from lib.backoffice.formatting import MOST_COUNTED, counted
from lib.backoffice.pages import view_permission
from payments.admin.attention import given_up, to_look_at, unmatched
from payments.models import Callback, Delivery, Refund
from players.admin.approvals import waiting_for
from players.models import Approval
from wallet.admin.manual_review import in_doubt
from wallet.models import Alert, Inquiry


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: its rows for an operator, the time since when one waits, and its list's selection."""

    label: str
    model: type[Model]
    rows: Callable[[Any], QuerySet[Any]]
    since: str
    selection: dict[str, str]


KINDS = (
    Kind("Approvals that you can decide", Approval, waiting_for, "requested_at", {}),
    Kind("Transactions in doubt", Inquiry, lambda _: in_doubt(Inquiry.objects.all()), "doubt_since", {}),
    Kind("Open alerts", Alert, lambda _: Alert.objects.filter(resolved_at=None), "raised_at", {}),
    Kind("Callbacks to review", Callback, lambda _: to_look_at(Callback.objects.all()), "received_at", {}),
    Kind(
        "Deliveries stopped or given up",
        Delivery,
        lambda _: given_up(Delivery.objects.all()),
        "created_at",
        {"state": "given_up"},
    ),
    Kind(
        "Refunds that are not confirmed yet",
        Refund,
        lambda _: Refund.objects.filter(next_attempt_at__isnull=False, state__in=Refund.OPEN),
        "created_at",
        {"state": "open"},
    ),
    Kind(
        "Refunds without a payment",
        Refund,
        lambda _: unmatched(Refund.objects.all()),
        "created_at",
        {"state": "unmatched"},
    ),
)


@dataclass(frozen=True, slots=True)
class Work:
    """Rows of one kind that wait, counted up to `MOST_COUNTED` + 1; `oldest` is None if there are none."""

    label: str
    number: int
    oldest: datetime | None
    address: str

    @property
    def counted(self) -> str:
        return counted(self.number)


def work(request: HttpRequest) -> list[Work]:
    """What this operator may see of it, by two queries a kind."""
    return [waiting(request, kind) for kind in KINDS if request.user.has_perm(view_permission(kind.model))]


def waiting(request: HttpRequest, kind: Kind) -> Work:
    """The oldest of those counted: if there are more, it is one of the oldest by the list's own order."""
    times = kind.rows(request.user).order_by(kind.since).values_list(kind.since, flat=True)
    found = list(times[: MOST_COUNTED + 1])
    name = kind.model._meta.label_lower.replace(".", "_")  # noqa: SLF001 (documented)
    address = reverse(f"admin:{name}_changelist", query=kind.selection or None)
    return Work(kind.label, len(found), found[0] if found else None, address)
