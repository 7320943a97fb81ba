"""Installs the triggers that keep orders, payments, callbacks and secrets as they were."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("wallet", "0006_payment_functions")]
    operations = [migrations.RunSQL((SQL / "guards.sql").read_text(), reverse_sql=migrations.RunSQL.noop)]
