"""An alert about acts of operators that are not chained."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallet", "0021_payout_limits"),
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
                ],
                db_collation="C",
                max_length=21,
            ),
        ),
    ]
