"""What waits for a person, on every page: open alerts and transactions in doubt, each looked up once and never counted to the end."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from wallet.admin.inquiries import in_doubt
from wallet.models import Alert, Inquiry

# More than these are "99+".
MOST = 99


@dataclass(frozen=True, slots=True)
class Attention:
    """Open alerts by their kind, and how many transactions are in doubt, both up to one more than `MOST`."""

    alerts: tuple[str, ...]
    doubts: int

    @property
    def critical(self) -> tuple[str, ...]:
        return tuple(kind for kind in self.alerts if kind in Alert.CRITICAL)


def attention(request: HttpRequest) -> Attention:
    """What waits, as it stood when this request asked first."""
    found: Attention | None = getattr(request, "wallet_attention", None)
    if found is None:
        kinds = Alert.objects.filter(resolved_at=None).order_by("kind").values_list("kind", flat=True)
        doubts = in_doubt(Inquiry.objects.all()).values_list("doubt", flat=True)
        found = Attention(tuple(kinds[: MOST + 1]), len(doubts[: MOST + 1]))
        request.wallet_attention = found  # type: ignore[attr-defined]
    return found


def shown_number(number: int) -> str:
    return f"{MOST}+" if number > MOST else str(number)


def banner(request: HttpRequest) -> dict[str, Any]:
    """For every page of the admin: what the banner says, red where an alert is critical, or nothing."""
    if not request.user.is_authenticated or not request.user.is_staff:
        return {}
    alerts = attention(request)
    if not alerts.alerts:
        return {}
    may_look = any(request.user.has_perm(f"wallet.{act}_alert") for act in ("view", "change"))
    address = reverse("admin:wallet_alert_changelist") if may_look else ""
    return {
        "alert_banner": {"is_critical": bool(alerts.critical), "words": words(alerts), "address": address}
    }


def words(attention: Attention) -> str:
    """How many alerts are open, and what the critical ones are."""
    others = len(attention.alerts) - len(attention.critical)
    if not attention.critical:
        return f"{alerts_are_open(others)}: {listed(attention.alerts)}."
    more = f" {alerts_are_open(others)} besides." if others else ""
    return f"Critical: {listed(attention.critical)}.{more}"


def alerts_are_open(number: int) -> str:
    return f"{shown_number(number)} alert{'s are' if number != 1 else ' is'} open"


def listed(kinds: Iterable[str]) -> str:
    """Each kind once, with how often it is open."""
    kinds = list(kinds)
    labels = [(str(Alert.Kind(kind).label), kinds.count(kind)) for kind in dict.fromkeys(kinds)]
    return "; ".join(
        f"{label} ({shown_number(times)} times)" if times > 1 else label for label, times in labels
    )
