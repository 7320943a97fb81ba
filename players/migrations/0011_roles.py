"""Operators get the roles that cover what they were permitted, in place of permissions of their own."""

from typing import Any

from django.db import migrations

ROLES = {
    "finance": "add_transaction add_refund change_inquiry add_product change_product",
    "risk": "change_wallet change_alert",
    "support": "change_player change_gamesession change_delivery change_callback",
    "integration": "add_secret add_credential change_credential add_game change_game add_shop change_shop "
    "add_provider change_provider add_currency change_currency",
    "administrator": "add_operator change_operator",
}
OURS = ("players", "wallet", "payments")


def role_of(codename: str) -> str:
    """The role that covers an old permission; whoever could only look can look."""
    return next((role for role, names in ROLES.items() if codename in names.split()), "viewer")


def give_roles(apps: Any, editor: Any) -> None:
    operators = apps.get_model("players", "Operator").objects.using(editor.connection.alias)
    groups = apps.get_model("auth", "Group").objects.using(editor.connection.alias)
    for operator in operators.filter(is_superuser=False):
        own = operator.user_permissions.filter(content_type__app_label__in=OURS)
        codes = set(own.values_list("codename", flat=True))
        for group in operator.groups.all():
            ours = group.permissions.filter(content_type__app_label__in=OURS)
            codes |= set(ours.values_list("codename", flat=True))
        operator.groups.set(groups.get_or_create(name=role)[0] for role in sorted(map(role_of, codes)))
        operator.user_permissions.clear()


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0010_named_permissions"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    # What it does: tests/wallet/test_migrations.py. The permissions of the roles stand in config/roles.py.
    operations = [migrations.RunPython(give_roles, migrations.RunPython.noop)]
