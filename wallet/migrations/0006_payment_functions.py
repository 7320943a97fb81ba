"""Installs what payments move in the ledger, and anew what ends a transaction (credit that was set aside)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql"


def install(name: str) -> migrations.RunSQL:
    return migrations.RunSQL((SQL / f"{name}.sql").read_text(), reverse_sql=migrations.RunSQL.noop)


class Migration(migrations.Migration):
    dependencies = [("wallet", "0005_payment_types")]
    operations = [install("append"), install("post")]
