"""Installs the triggers that keep orders, payments, callbacks and secrets as they were."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("wallet", "0006_payment_functions")]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), reverse_sql=migrations.RunSQL.noop)
    ]
