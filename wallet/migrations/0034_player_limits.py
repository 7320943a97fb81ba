"""Players' limits, what is used of them, and their changes."""

from pathlib import Path
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import lib.ids


def key() -> tuple[str, Any]:
    field = models.UUIDField(default=lib.ids.new_id, editable=False, primary_key=True, serialize=False)
    return "id", field


def named(model: str, related_name: str = "+", **options: Any) -> Any:
    """A row that another table has, and that no constraint holds."""
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to=model,
        **options,
    )


def total() -> Any:
    return models.DecimalField(decimal_places=0, max_digits=40)


TOTALS = [
    (f"{period}_{what}", total())
    for period in ("day", "week", "month", "rolling")
    for what in ("spent", "won")
]


class Migration(migrations.Migration):
    dependencies = [("players", "0029_answer_counts"), ("wallet", "0033_events")]

    operations = [
        migrations.AddField(
            model_name="wallet",
            name="limited_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(
                condition=models.Q(("limited_at__isnull", False)),
                fields=["limited_at"],
                name="wallet_limited",
            ),
        ),
        migrations.CreateModel(
            name="PlayerLimit",
            fields=[
                key(),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("deposit", "paid in"),
                            ("spend", "spent in games"),
                            ("loss", "lost in games"),
                            ("single", "largest single withdrawal"),
                            ("balance", "largest balance"),
                            ("time", "time played"),
                        ],
                        db_collation="C",
                        max_length=7,
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "at any time"),
                            ("day", "day"),
                            ("week", "week"),
                            ("month", "month"),
                            ("rolling", "24 hours"),
                        ],
                        db_collation="C",
                        max_length=7,
                    ),
                ),
                (
                    "set_by",
                    models.CharField(
                        choices=[("player", "player"), ("operator", "operator")],
                        db_collation="C",
                        max_length=8,
                    ),
                ),
                ("amount", models.BigIntegerField(blank=True, null=True)),
                ("pending_amount", models.BigIntegerField(blank=True, null=True)),
                ("pending_at", models.DateTimeField(blank=True, null=True)),
                ("needs_confirmation", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField()),
                ("game", named("players.game", blank=True, null=True)),
                ("player", named("players.player")),
                ("wallet", named("wallet.wallet", "limits")),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("player", "wallet", "game", "kind", "period", "set_by"),
                        name="player_limit_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount", None), ("amount__gt", 0), _connector="OR"),
                            models.Q(("pending_amount", None), ("pending_amount__gt", 0), _connector="OR"),
                        ),
                        name="player_limit_is_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind__in", ["deposit", "spend", "loss"]),
                                ("period__in", ["day", "week", "month", "rolling"]),
                            ),
                            models.Q(("kind__in", ["single", "balance"]), ("period", "")),
                            models.Q(("kind", "time"), ("period", "day")),
                            _connector="OR",
                        ),
                        name="player_limit_has_its_period",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LimitUsage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "player_id",
                        "wallet_id",
                        "game_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                *TOTALS,
                ("tail_seq", models.BigIntegerField()),
                ("tail_at", models.DateTimeField(null=True)),
                ("game", named("players.game")),
                ("player", named("players.player")),
                ("wallet", named("wallet.wallet")),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="LimitChange",
            fields=[
                key(),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("set", "set"),
                            ("removed", "removed"),
                            ("requested", "asked for, and waits"),
                            ("confirmed", "confirmed"),
                            ("cancelled", "taken back"),
                        ],
                        db_collation="C",
                        max_length=9,
                    ),
                ),
                ("old_amount", models.BigIntegerField(blank=True, null=True)),
                ("new_amount", models.BigIntegerField(blank=True, null=True)),
                ("counts_at", models.DateTimeField(blank=True, null=True)),
                ("actor", models.CharField(max_length=80)),
                ("reason", models.CharField(blank=True, max_length=255)),
                ("at", models.DateTimeField()),
                ("limit", named("wallet.playerlimit", "changes")),
                ("player", named("players.player")),
                ("wallet", named("wallet.wallet", "limit_changes")),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["player", "-at"], name="limit_change_by_player")],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), migrations.RunSQL.noop),
    ]
