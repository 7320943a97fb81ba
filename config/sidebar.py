"""The admin's sidebar: which pages there are, for whom, in the order of a day's work."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

GROUPS = {
    "Money": {"wallet.transaction": "Transactions", "wallet.wallet": "Wallets", "wallet.apicall": "API calls", "wallet.discrepancy": "Discrepancies"},
    "Players": {"players.player": "Players", "players.gamesession": "Sessions"},
    "Set up": {"players.game": "Games", "players.credential": "Credentials", "wallet.currency": "Currencies"},
    "Access": {"players.operator": "Operators", "auth.group": "Groups"},
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups, with the pages that this operator may see."""
    groups = [(title, [item(model, name) for model, name in pages.items() if may_see(request, model)]) for title, pages in GROUPS.items()]
    return [{"title": title, "items": items} for title, items in groups if items]


def item(model: str, title: str) -> dict[str, Any]:
    return {"title": title, "link": reverse(f"admin:{model.replace('.', '_')}_changelist")}


def may_see(request: HttpRequest, model: str) -> bool:
    app, name = model.split(".")
    return any(request.user.has_perm(f"{app}.{act}_{name}") for act in ("view", "change"))


def style_sheet(request: HttpRequest) -> str:
    """The address of our own few styles."""
    return static("players/admin.css")
