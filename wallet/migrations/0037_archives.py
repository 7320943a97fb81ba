"""Which months of the journal lie in files, how each wallet stood after them, and what they moved."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

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


def named(model: str) -> Any:
    """A row that another table has, and that no constraint holds: whoever audits must find it gone."""
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=model,
    )


def part(related_name: str) -> Any:
    return models.ForeignKey(
        db_constraint=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to="wallet.archivedpart",
    )


def account() -> Any:
    return models.CharField(choices=ACCOUNTS, db_collation="C", max_length=17, null=True)


class Migration(migrations.Migration):
    dependencies = [("players", "0029_answer_counts"), ("wallet", "0036_journal_parts")]
    operations = [
        migrations.CreateModel(
            name="ArchivedPart",
            fields=[
                (
                    "part",
                    models.CharField(db_collation="C", max_length=63, primary_key=True, serialize=False),
                ),
                ("began_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField()),
                ("wallets", models.PositiveBigIntegerField()),
                ("entries", models.PositiveBigIntegerField()),
                ("calls", models.PositiveBigIntegerField()),
                ("manifest_hash", models.CharField(max_length=64)),
                ("checkpoint", models.BigIntegerField()),
                ("archived_at", models.DateTimeField()),
                ("dropped_at", models.DateTimeField(null=True)),
            ],
            options={"default_permissions": (), "ordering": ["ended_at"]},
        ),
        migrations.CreateModel(
            name="ArchiveMark",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "player_id",
                        "wallet_id",
                        "entry_count",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
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
                ("part", part("marks")),
                ("player", named("players.player")),
                ("wallet", named("wallet.wallet")),
                ("currency", named("wallet.currency")),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="ArchivedMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("debit", account()),
                ("credit", account()),
                ("amount", models.DecimalField(decimal_places=0, max_digits=40)),
                ("entries", models.PositiveBigIntegerField()),
                ("part", part("movements")),
                ("currency", named("wallet.currency")),
            ],
            options={"default_permissions": ()},
        ),
    ]
