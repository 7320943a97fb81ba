"""Which role may do what: the one table. It makes the groups, and whoever has a role is in its group.

Run after every migrate: a group of one of these names has exactly these permissions. A new permission of a
model belongs to no role until it stands here; what is asked is who needs it for his work, and what he could
do with it alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from lib.backoffice.languages import _
from lib.database_rights import is_fully_migrated
from players.models import Operator

OURS = ("players", "wallet", "payments")


def named(app: str, names: str) -> frozenset[str]:
    """Permissions of one app, from names separated by spaces."""
    return frozenset(f"{app}.{name}" for name in names.split())


def views(app: str, models: str) -> frozenset[str]:
    """The permissions to see pages of one app's models."""
    return frozenset(f"{app}.view_{model}" for model in models.split())


# What everybody who works here sees: players, their money and payments, and the work that waits.
VIEWER = (
    views("players", "player playernote gamesession game approval platformswitch")
    | views(
        "wallet",
        "wallet transaction apicall discrepancy inquiry alert currency payoutlimit jobrun checkpoint "
        "closedday",
    )
    | views("payments", "order delivery refund callback refusedcallback product shop provider eventreceiver")
    | views("payments", "reconciliationsource reconciliationfile difference")
)
# Who may come in, and with what.
ACCESS = views("players", "operator credential approvalrule") | views("auth", "group")
ROLES: Mapping[str, frozenset[str]] = {
    "viewer": VIEWER,
    "support": (
        VIEWER
        | named(
            "players",
            "change_player_status mark_test_player launch_test_session end_session add_note export_player "
            "share_views",
        )
        | named("payments", "retry_delivery resolve_callback verify_callback query_payment")
    ),
    "risk": (
        VIEWER
        | named("players", "change_player_status end_session add_note share_views stop_platform")
        | named("wallet", "freeze_wallet limit_wallet resolve_alert change_game_limits")
        | named("payments", "read_raw_callback")
    ),
    "finance": (
        VIEWER
        | named("players", "add_note export_player share_views")
        | named("wallet", "adjust_balance settle_transaction resolve_alert resolve_ledger_difference")
        | named(
            "payments",
            "refund_order accept_callback resolve_callback verify_callback query_payment change_catalogue "
            "manage_reconciliation upload_reconciliation decide_difference",
        )
    ),
    "integration": (
        VIEWER
        | views("players", "credential")
        | named(
            "players",
            "change_endpoints manage_credentials revoke_credential launch_test_session share_views "
            "stop_platform",
        )
        | named("wallet", "manage_currencies")
        | named(
            "payments",
            "manage_secrets change_catalogue retry_delivery pause_deliveries verify_callback "
            "read_raw_callback manage_reconciliation upload_reconciliation",
        )
    ),
    "administrator": (
        VIEWER
        | ACCESS
        | named(
            "players",
            "manage_operators manage_roles manage_approval_rules revoke_credential read_audit share_views",
        )
    ),
    "auditor": (
        VIEWER
        | ACCESS
        | named("players", "read_audit export export_player")
        | named("payments", "read_raw_callback")
    ),
}
# What each role is for, in a sentence.
PURPOSES: Mapping[str, str] = {
    "viewer": _("Looks at players, their money and payments, and changes nothing."),
    "support": _("Helps players: their status and sessions, and deliveries that a game did not take."),
    "risk": _("Stops what looks wrong: players, wallets, limits, alerts."),
    "finance": _("Moves money by hand: adjustments, settlements, refunds, prices."),
    "integration": _("Connects games and providers: addresses, credentials, secrets."),
    "administrator": _("Decides who works here and with which roles, and moves no money."),
    "auditor": _("Reads everything, the audit trail as well, and changes nothing."),
}


def make_roles(*, using: str, **kwargs: Any) -> None:
    """Makes the groups of all roles as the table says, after a migrate that came to the end.

    Other groups, permissions of single operators, and permissions that are no more go.
    """
    if not is_fully_migrated(using):
        return
    with transaction.atomic(using=using):
        Operator.user_permissions.through._default_manager.using(using).all().delete()  # noqa: SLF001 (documented)
        stale_permissions(using).delete()
        Group.objects.using(using).exclude(name__in=ROLES).delete()
        for role, names in ROLES.items():
            group, __ = Group.objects.using(using).get_or_create(name=role)
            group.permissions.set(permissions_of(names, using))


def permissions_of(names: Iterable[str], using: str = "default") -> list[Permission]:
    """The permissions of these names, such as wallet.adjust_balance. Raises `LookupError` for others."""
    wanted = set(names)
    known = Permission.objects.using(using).select_related("content_type")
    found = {f"{row.content_type.app_label}.{row.codename}": row for row in known}
    if missing := wanted - found.keys():
        raise LookupError(f"there is no permission {', '.join(sorted(missing))}")
    return [found[name] for name in sorted(wanted)]


def stale_permissions(using: str) -> Any:
    """Permissions of our models that the models no longer name."""
    named_by_models = Q(pk__in=[])
    for model in (model for app in OURS for model in apps.get_app_config(app).get_models()):
        options = model._meta  # noqa: SLF001 (documented)
        codes = [f"{act}_{options.model_name}" for act in options.default_permissions]
        codes += [code for code, __ in options.permissions]
        named_by_models |= Q(content_type__model=options.model_name, codename__in=codes)
    ours = Permission.objects.using(using).filter(content_type__app_label__in=OURS)
    return ours.exclude(named_by_models)
