"""What waits for a person: of each kind how many, since when the oldest, and where its list is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from lib.backoffice.formatting import counted
from lib.backoffice.languages import _
from lib.backoffice.pages import view_permission
from lib.clock import now
from lib.ids import id_at
from payments.admin.attention import given_up, refused, to_look_at, unmatched
from payments.models import Callback, Delivery, Refund, RefusedCallback
from players.admin.approvals import waiting_for
from players.models import Approval
from wallet.admin.discrepancies import still_open
from wallet.admin.manual_review import in_doubt
from wallet.models import Alert, Discrepancy, Inquiry

# Of each kind so many are counted, and one more.
MOST = 1_000
# What nobody can take off its list is shown for so long.
LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: its rows for an operator, the time since when one waits, and its list's selection.

    `order` is that of an index with the oldest first; ids of version 7 are in the order of time.
    """

    label: str
    model: type[Model]
    rows: Callable[[Any], QuerySet[Any]]
    since: str
    selection: dict[str, str]
    order: str = "pk"


def lately(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those that were made in the last days."""
    return rows.filter(pk__gte=id_at(now() - LATELY))


KINDS = (
    Kind(
        _("Approvals that you can decide"),
        Approval,
        waiting_for,
        "requested_at",
        {"requests": "for_me"},
        "requested_at",
    ),
    Kind(
        _("Transactions in doubt"),
        Inquiry,
        lambda _: in_doubt(Inquiry.objects.all()),
        "doubt_since",
        {"state": "doubt"},
        "doubt_since",
    ),
    Kind(
        _("Open alerts"),
        Alert,
        lambda _: Alert.objects.filter(resolved_at=None),
        "raised_at",
        {"state": "open"},
        "raised_at",
    ),
    Kind(
        _("Open discrepancies with games"),
        Discrepancy,
        lambda _: still_open(Discrepancy.objects.all()),
        "first_seen_at",
        {"state": "open"},
        "first_seen_at",
    ),
    Kind(
        _("Callbacks that contradict, or pay twice"),
        Callback,
        lambda _: to_look_at(Callback.objects.all()),
        "received_at",
        {"outcome": "open"},
    ),
    Kind(
        _("Refused callbacks in the last 7 days"),
        RefusedCallback,
        lambda _: lately(RefusedCallback.objects.filter(verified_at=None)),
        "at",
        {},
    ),
    Kind(
        _("Paid orders that no game delivers"),
        Delivery,
        lambda _: given_up(Delivery.objects.all()),
        "created_at",
        {"state": "given_up"},
    ),
    Kind(
        _("Refunds that are not confirmed yet"),
        Refund,
        lambda _: Refund.objects.filter(next_attempt_at__isnull=False, state__in=Refund.OPEN),
        "created_at",
        {"state": "open"},
    ),
    Kind(
        _("Refunds that the provider refused"),
        Refund,
        lambda _: refused(Refund.objects.all()),
        "created_at",
        {"state": "refused"},
    ),
    Kind(
        _("Refunds without a payment"),
        Refund,
        lambda _: unmatched(Refund.objects.all()),
        "created_at",
        {"state": "unmatched"},
    ),
)


@dataclass(frozen=True, slots=True)
class Work:
    """Rows of one kind that wait, counted up to `MOST` + 1; `oldest` is None if there are none."""

    label: str
    number: int
    oldest: datetime | None
    address: str

    @property
    def counted(self) -> str:
        return counted(self.number, MOST)


def work(request: HttpRequest) -> list[Work]:
    """What this operator may see of it, by one query a kind."""
    return [waiting(request, kind) for kind in KINDS if request.user.has_perm(view_permission(kind.model))]


def waiting(request: HttpRequest, kind: Kind) -> Work:
    times = kind.rows(request.user).order_by(kind.order).values_list(kind.since, flat=True)
    found = list(times[: MOST + 1])
    name = kind.model._meta.label_lower.replace(".", "_")  # noqa: SLF001 (documented)
    address = reverse(f"admin:{name}_changelist", query=kind.selection or None)
    return Work(kind.label, len(found), found[0] if found else None, address)
