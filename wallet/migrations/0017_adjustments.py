"""A table of the operators' acts, to which adjustments point."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0006_what_stays"),
        ("wallet", "0016_returns_as_told"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("withdrawal", "withdrawal"),
                            ("deposit", "deposit"),
                            ("credit", "credit by an operator"),
                            ("debit", "debit by an operator"),
                            ("payment", "payment for credit"),
                            ("sale", "payment for an item"),
                            ("payment_return", "return of a payment for credit"),
                            ("sale_return", "return of a payment for an item"),
                            ("top_up", "top-up"),
                            ("clawback", "credit taken back"),
                            ("set_aside", "credit set aside for a refund"),
                        ],
                        db_collation="C",
                        max_length=14,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("actor", models.CharField(max_length=80)),
                ("reason", models.CharField(blank=True, max_length=255)),
                ("at", models.DateTimeField()),
                (
                    "currency",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallet.currency",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "player",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="players.player",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("type__in", ["credit", "debit"])),
                        name="adjustment_is_a_credit_or_a_debit",
                    )
                ],
            },
        ),
        # Processes of the version before cannot adjust without an act any more. The new function is
        # installed after every migrate (wallet/sql/operate.sql).
        migrations.RunSQL("DROP FUNCTION IF EXISTS ledger_adjust", migrations.RunSQL.noop),
    ]
