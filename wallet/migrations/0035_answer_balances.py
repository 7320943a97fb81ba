"""Keeps the balance that a repeated call is answered with its transaction: no entry is needed for it."""

from django.db import migrations, models

from lib.patient_migrations import Patiently

COLUMNS = ("opened_balance", "settled_balance")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0034_player_limits")]
    # Without a value in old rows, so that it takes no time: their answers are read from the journal.
    operations = [
        Patiently(
            migrations.RunSQL(
                "ALTER TABLE wallet_transaction "
                + ", ".join(f"ADD COLUMN IF NOT EXISTS {name} bigint" for name in COLUMNS),
                "ALTER TABLE wallet_transaction "
                + ", ".join(f"DROP COLUMN IF EXISTS {name}" for name in COLUMNS),
                state_operations=[
                    migrations.AddField("transaction", name, models.BigIntegerField(blank=True, null=True))
                    for name in COLUMNS
                ],
            )
        )
    ]
