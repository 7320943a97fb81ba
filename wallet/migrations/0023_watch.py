"""What a game pays out in the course of time, and alerts about what people should hear of."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0018_audit_links"),
        ("wallet", "0022_acts_not_linked"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("wallet_difference", "audit: a wallet differs from its journal"),
                    ("ledger_difference", "audit: the ledger does not balance"),
                    ("checkpoint_difference", "a checkpoint does not match the ledger"),
                    ("game_forgets", "a game no longer knows most of its transactions"),
                    ("sweep_failed", "a job failed"),
                    ("settlement_failed", "a due transaction cannot be settled"),
                    ("credit_held", "a payment's credit could not be posted"),
                    ("refund_open", "a refund is unconfirmed for days"),
                    ("return_changed", "a refund failed after all, or a dispute was decided anew"),
                    ("delivery_given_up", "a paid order was not delivered"),
                    ("acts_not_linked", "acts of operators are not chained"),
                    ("money_by_hand", "much money was made by hand"),
                    ("deposits_unusual", "a game pays out far more than usual"),
                    ("access_changed", "an operator changed who may do what"),
                    ("lock_out", "log-ins of an operator were locked"),
                    ("callbacks_refused", "a provider's callbacks are refused"),
                ],
                db_collation="C",
                max_length=21,
            ),
        ),
        migrations.CreateModel(
            name="DepositSpan",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "game_id",
                        "currency_id",
                        "began_at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("amount", models.DecimalField(decimal_places=0, max_digits=40)),
                (
                    "currency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallet.currency",
                    ),
                ),
                (
                    "game",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="players.game",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]
