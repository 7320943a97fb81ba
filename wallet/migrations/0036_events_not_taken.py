"""Alerts about events that nobody takes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallet", "0035_failover_alerts"),
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
                    ("refund_refused", "a provider refused a refund"),
                    ("answers_lost", "a database that took over lacks answered calls"),
                    ("standby_behind", "no standby has what was answered"),
                    ("events_not_taken", "events are not taken"),
                ],
                db_collation="C",
                max_length=21,
            ),
        ),
    ]
