"""The work that waits for a person, on every page: open alerts and manual review. Each is looked up once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from lib.backoffice.formatting import MOST_COUNTED, counted
from wallet.admin.manual_review import in_doubt
from wallet.models import Alert, Inquiry


@dataclass(frozen=True, slots=True)
class Attention:
    """Open alerts by kind, and the transactions to decide, both counted up to `MOST_COUNTED` + 1."""

    alerts: tuple[str, ...]
    doubts: int

    @property
    def critical(self) -> tuple[str, ...]:
        return tuple(kind for kind in self.alerts if kind in Alert.CRITICAL)


def attention(request: HttpRequest) -> Attention:
    """The waiting work, as it was when this request asked first."""
    found: Attention | None = getattr(request, "wallet_attention", None)
    if found is None:
        kinds = Alert.objects.filter(resolved_at=None).order_by("kind").values_list("kind", flat=True)
        doubts = in_doubt(Inquiry.objects.all()).values_list("doubt", flat=True)
        found = Attention(tuple(kinds[: MOST_COUNTED + 1]), len(doubts[: MOST_COUNTED + 1]))
        request.wallet_attention = found  # type: ignore[attr-defined]
    return found


def banner(request: HttpRequest) -> dict[str, Any]:
    """For every page of the admin: the banner, red if an alert is critical. Nothing for who may see none."""
    if not request.user.is_staff or not request.user.has_perm("wallet.view_alert"):
        return {}
    alerts = attention(request)
    if not alerts.alerts:
        return {}
    address = reverse("admin:wallet_alert_changelist")
    return {
        "alert_banner": {"is_critical": bool(alerts.critical), "words": words(alerts), "address": address}
    }


def words(attention: Attention) -> str:
    """The number of open alerts, and the critical ones by name."""
    others = len(attention.alerts) - len(attention.critical)
    if not attention.critical:
        return f"{alerts_are_open(others)}: {listed(attention.alerts)}."
    more = f" {alerts_are_open(others)} as well." if others else ""
    return f"Critical: {listed(attention.critical)}.{more}"


def alerts_are_open(number: int) -> str:
    return f"{counted(number)} alert{'s are' if number != 1 else ' is'} open"


def listed(kinds: Iterable[str]) -> str:
    """Each kind once, with how often it is open."""
    kinds = list(kinds)
    labels = [(str(Alert.Kind(kind).label), kinds.count(kind)) for kind in dict.fromkeys(kinds)]
    return "; ".join(f"{label} ({counted(times)} times)" if times > 1 else label for label, times in labels)
