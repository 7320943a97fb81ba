"""The work that waits for a person, on every page: open alerts and manual review. Each is looked up once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from lib.backoffice.formatting import MOST_COUNTED, counted
from lib.backoffice.languages import _, ngettext_lazy
from players.admin.platform_switches import stops
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
    """For every page of the admin: what is stopped for everybody, and open alerts, red if one is critical.
    Nothing for who may see none of it.
    """
    if not request.user.is_staff:
        return {}
    found: dict[str, Any] = {}
    if request.user.has_perm("players.view_platformswitch") and (stopped := stops()):
        found["stops"] = stopped
    if request.user.has_perm("wallet.view_alert") and (alerts := attention(request)).alerts:
        address = reverse("admin:wallet_alert_changelist")
        is_critical = bool(alerts.critical)
        found["alert_banner"] = {"is_critical": is_critical, "words": words(alerts), "address": address}
    return found


def words(attention: Attention) -> str:
    """The number of open alerts, and the critical ones by name."""
    others = len(attention.alerts) - len(attention.critical)
    if not attention.critical:
        return f"{alerts_are_open(others)}: {listed(attention.alerts)}."
    critical = _("Critical: {alerts}.").format(alerts=listed(attention.critical))
    more = ngettext_lazy("{number} alert is open as well.", "{number} alerts are open as well.", others)
    return f"{critical} {more.format(number=counted(others))}" if others else critical


def alerts_are_open(number: int) -> str:
    words = ngettext_lazy("{number} alert is open", "{number} alerts are open", number)
    return words.format(number=counted(number))


def listed(kinds: Iterable[str]) -> str:
    """Each kind once, with how often it is open."""
    kinds = list(kinds)
    times = {str(Alert.Kind(kind).label): kinds.count(kind) for kind in dict.fromkeys(kinds)}
    return "; ".join(label if number == 1 else many(label, number) for label, number in times.items())


def many(label: str, number: int) -> str:
    return _("{label} ({number} times)").format(label=label, number=counted(number))
