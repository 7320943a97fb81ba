"""An audit of the whole ledger is kept in parts, and what it finds right: the next one goes on from there."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import lib.ids

ACCOUNTS = [
    ("spendable", "spendable"),
    ("reserved", "reserved"),
    ("debt", "debt"),
    ("game_revenue", "game revenue"),
    ("game_payout", "game payout"),
    ("provider_clearing", "provider clearing"),
    ("issuance", "issuance"),
    ("adjustments", "adjustments"),
    ("write_off", "write-off"),
]


def key() -> tuple[str, Any]:
    field = models.UUIDField(default=lib.ids.new_id, editable=False, primary_key=True, serialize=False)
    return "id", field


def named(model: str) -> Any:
    """A row that another table has, and that no constraint holds: whoever audits must find it gone."""
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=model,
    )


def account() -> Any:
    return models.CharField(choices=ACCOUNTS, db_collation="C", max_length=17, null=True)


class Migration(migrations.Migration):
    dependencies = [("players", "0029_answer_counts"), ("wallet", "0031_call_hours")]
    operations = [
        migrations.CreateModel(
            name="AuditPass",
            fields=[
                key(),
                ("is_full", models.BooleanField()),
                ("base", models.UUIDField()),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(ended_at=None),
                        fields=("ended_at",),
                        name="audit_under_way_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditPart",
            fields=[
                key(),
                ("number", models.PositiveIntegerField()),
                ("question", models.CharField(blank=True, max_length=120)),
                ("first_player", models.UUIDField(null=True)),
                ("last_player", models.UUIDField(null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("wallets", models.PositiveBigIntegerField(default=0)),
                ("entries", models.PositiveBigIntegerField(default=0)),
                ("entries_read", models.PositiveBigIntegerField(default=0)),
                ("found", models.JSONField(default=dict)),
                (
                    "audit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="wallet.auditpass",
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="AuditMark",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "player_id",
                        "wallet_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("base", models.UUIDField()),
                ("spendable", models.BigIntegerField()),
                ("reserved", models.BigIntegerField()),
                ("announced", models.BigIntegerField()),
                ("debt", models.BigIntegerField()),
                ("entry_count", models.BigIntegerField()),
                ("head", models.BinaryField(max_length=32)),
                ("frozen_at", models.DateTimeField(null=True)),
                ("withdrawal_limit", models.BigIntegerField(null=True)),
                ("opened_at", models.DateTimeField()),
                ("pending", models.JSONField(default=list)),
                ("currency", named("wallet.currency")),
                ("player", named("players.player")),
                ("wallet", named("wallet.wallet")),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="AuditedMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("base", models.UUIDField()),
                ("day", models.DateField()),
                ("debit", account()),
                ("credit", account()),
                ("amount", models.DecimalField(decimal_places=0, max_digits=40)),
                ("entries", models.PositiveBigIntegerField()),
                ("currency", named("wallet.currency")),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("base", "day", "currency", "debit", "credit"),
                        name="audited_movement_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
