"""Providers, shops and event receivers: where players are sent, who may call us, and what we send where."""

from typing import Any

from django.conf import settings
from django.db import transaction

from lib.backoffice.languages import _
from payments.models import EventReceiver, Provider, Shop
from payments.providers.registry import PROVIDERS
from payments.pushes.operations import begin_anew, begin_at_end
from players.approvals.configuration import ConfigurationChange, ConfigurationPayload, Values, in_networks
from players.approvals.kinds import Execution, NotExecutable


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


class ReceiverChange(ConfigurationChange):
    """Where events are sent, and which."""

    name, title, permission = "change_receiver", _("change of an event receiver"), "players.change_endpoints"
    about, model = "payments.eventreceiver", EventReceiver
    fields = guarded = ("name", "url", "types")

    def words(self, name: str, values: Values) -> str:
        if name == "types" and not values.get(name):
            return _("all")
        return super().words(name, values)

    def says(self, payload: ConfigurationPayload) -> list[str]:
        begins = [_("It is sent what happens from then on, as soon as it has a secret.")]
        return [*super().says(payload), *(begins if payload.is_new else [])]

    def require_possible(self, row: Any) -> None:
        if settings.DATABASE_DISTRIBUTED:
            raise NotExecutable(_("There are no events where the database is divided over several machines."))

    def write(self, row: Any, after: Values, execution: Execution) -> None:
        if row._state.adding:  # noqa: SLF001 (documented)
            begin_at_end(row)
            row.save(force_insert=True)
        else:
            row.save(update_fields=[*self.set_fields(row, after), *begin_anew(row)])


PROVIDER_CHANGE, SHOP_CHANGE, RECEIVER_CHANGE = ProviderChange(), ShopChange(), ReceiverChange()
