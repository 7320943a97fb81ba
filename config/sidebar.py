"""The admin's sidebar: which pages there are, for whom, in the order of a day's work."""

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from lib.backoffice.formatting import counted
from lib.backoffice.languages import _
from lib.backoffice.pages import view_permission
from payments.admin.attention import WAITING, waiting
from players.admin.approvals import count_waiting
from wallet.admin.attention import attention
from wallet.admin.reports import allowed

GROUPS = {
    _("To do"): {
        "players.approval": _("Approvals"),
        "wallet.inquiry": _("Manual review"),
        "wallet.alert": _("Alerts"),
        "wallet.discrepancy": _("Discrepancies"),
        "payments.difference": _("Differences of files"),
    },
    _("Money"): {
        "wallet.transaction": _("Transactions"),
        "wallet.wallet": _("Wallets"),
        "wallet.apicall": _("API calls"),
        "all_reports": _("Reports"),
    },
    _("Payments"): {
        "payments.order": _("Orders"),
        "payments.delivery": _("Deliveries"),
        "payments.refund": _("Refunds"),
        "payments.callback": _("Callbacks"),
        "payments.refusedcallback": _("Refused callbacks"),
        "payments.reconciliationfile": _("Reconciliation files"),
    },
    _("Players"): {"players.player": _("Players"), "players.gamesession": _("Sessions")},
    _("Setup"): {
        "players.game": _("Games"),
        "players.credential": _("Credentials"),
        "integration_games": _("Integration health"),
        "wallet.currency": _("Currencies"),
        "wallet.payoutlimit": _("Payout limits"),
        "payments.product": _("Products"),
        "payments.shop": _("Shops"),
        "payments.provider": _("Providers"),
        "payments.eventreceiver": _("Event receivers"),
        "payments.reconciliationsource": _("Reconciliation sources"),
    },
    _("Operations"): {
        "wallet.jobrun": _("Job runs"),
        "players.platformswitch": _("Platform switches"),
        "wallet.checkpoint": _("Checkpoints"),
        "wallet.closedday": _("Daily totals"),
        "error_codes": _("Error codes"),
    },
    _("Access"): {
        "players.operator": _("Operators"),
        "auth.group": _("Roles"),
        "players.approvalrule": _("Approval rules"),
        "players.auditevent": _("Audit trail"),
    },
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups, with the pages that this operator may see."""
    groups = [
        (title, [item(request, model, name) for model, name in pages.items() if may_see(request, model)])
        for title, pages in GROUPS.items()
    ]
    return [{"title": title, "items": items} for title, items in groups if items]


def item(request: HttpRequest, model: str, title: str) -> dict[str, Any]:
    """A page of a model, or one of the site itself."""
    view = f"{model.replace('.', '_')}_changelist" if "." in model else model
    return {
        "title": title,
        "link": reverse(f"admin:{view}"),
        **badge(request, model),
    }


def badge(request: HttpRequest, model: str) -> dict[str, str]:
    """The number of rows that wait for a person there, if any do."""
    if model in WAITING or model == "players.approval":
        number = waiting(request, model) if model in WAITING else count_waiting(request)
        return {"badge": counted(number), "badge_variant": "warning"} if number else {}
    if model not in {"wallet.inquiry", "wallet.alert"}:
        return {}
    found = attention(request)
    number = found.doubts if model == "wallet.inquiry" else len(found.alerts)
    is_critical = model == "wallet.alert" and found.critical
    return (
        {"badge": counted(number), "badge_variant": "danger" if is_critical else "warning"} if number else {}
    )


def may_see(request: HttpRequest, model: str) -> bool:
    """Whether the operator may see a page; those of the site itself are for whoever has a role, but for
    reports, which are about money.
    """
    if model == "all_reports":
        return bool(allowed(request))
    if "." not in model:
        return bool(request.user.get_all_permissions())
    return request.user.has_perm(view_permission(apps.get_model(model)))


def icon(request: HttpRequest) -> str:
    """The address of the icon that the pages for players have too."""
    return static("payments/icon.svg")


def shortcut(request: HttpRequest) -> str:
    """The address of the script that leads to the search by Ctrl-K."""
    return static("players/find.js")


def list_script(request: HttpRequest) -> str:
    """The address of the script that copies ids."""
    return static("players/lists.js")


def style_sheet(request: HttpRequest) -> str:
    """The address of our own few styles."""
    return static("players/admin.css")


def times_script(request: HttpRequest) -> str:
    """The address of the script that shows times in the reader's zone."""
    return static("players/times.js")
