"""Django's joins in a distributed database: what belongs to a player is joined on the player's machine."""

from functools import partial
from typing import Any

from django.apps import apps
from django.db.models.lookups import Exact

from config.distribution.tables import PLAYER

# References between rows of one player.
TOGETHER = {
    "wallet.Transaction": ("wallet", "reverses"),
    "wallet.Entry": ("wallet", "transaction"),
    "wallet.ApiCall": ("transaction",),
    "wallet.Discrepancy": ("transaction", "correction"),
    "wallet.Inquiry": ("transaction",),
    "wallet.PlayerLimit": ("wallet",),
    "wallet.LimitUsage": ("wallet",),
    "wallet.LimitChange": ("wallet", "limit"),
}


def join_by_player() -> None:
    """From now on these references name the player besides: in joins, and where one row is looked up."""
    for model, names in TOGETHER.items():
        for name in names:
            field: Any = apps.get_model(model)._meta.get_field(name)  # noqa: SLF001
            field.get_extra_restriction = partial(same_player, field)
            field.get_extra_descriptor_filter = player_of


def same_player(field: Any, alias: str | None, related_alias: str | None) -> Exact | None:
    """The condition of a join, of the row that is referred to (`alias`) and the one that refers to it."""
    if alias is None or related_alias is None:
        return None
    there = field.remote_field.model._meta.get_field("player").get_col(alias)  # noqa: SLF001
    here = field.model._meta.get_field("player").get_col(related_alias)  # noqa: SLF001
    return Exact(there, here)


def player_of(instance: Any) -> dict[str, Any]:
    """The condition of a look-up of the one row that an instance refers to."""
    return {PLAYER: instance.player_id}
