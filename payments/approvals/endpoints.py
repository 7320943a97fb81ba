"""Providers and shops: where players are sent, who may call us, and where we deliver."""

from typing import Any

from django.db import transaction

from lib.backoffice.languages import _
from payments.models import Provider, Shop
from payments.providers.registry import PROVIDERS
from players.approvals.configuration import ConfigurationChange, Values, in_networks
from players.approvals.kinds import Execution


class ProviderChange(ConfigurationChange):
    """Its name and its time-out need nobody else, and it is switched off by one, by an act of its own."""

    name, title, permission = "change_provider", _("change of a provider"), "players.change_endpoints"
    about, model = "payments.provider", Provider
    fields = (
        *("slug", "name", "scheme", "is_active", "currency", "page_url", "is_live", "timeout_seconds"),
        "allowed_networks",
    )
    guarded = ("is_active", "currency", "page_url", "is_live", "allowed_networks")

    def words(self, name: str, values: Values) -> str:
        if name == "allowed_networks":
            return in_networks(values.get(name) or [])
        return super().words(name, values)

    def write(self, row: Any, after: Values, execution: Execution) -> None:
        super().write(row, after, execution)
        transaction.on_commit(PROVIDERS.forget)


class ShopChange(ConfigurationChange):
    """Where a game is told to deliver, and where players may come back to."""

    name, title, permission = "change_shop", _("change of a shop"), "players.change_endpoints"
    about, model = "payments.shop", Shop
    fields = guarded = ("game", "order_url", "return_origins")


PROVIDER_CHANGE, SHOP_CHANGE = ProviderChange(), ShopChange()
