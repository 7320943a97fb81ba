"""Installs what sweeps do in the ledger, and anew what settles (a sweep's late word is a discrepancy) and opens (a session may be cleared away)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql"


def install(name: str) -> migrations.RunSQL:
    return migrations.RunSQL((SQL / f"{name}.sql").read_text(), reverse_sql=migrations.RunSQL.noop)


class Migration(migrations.Migration):
    dependencies = [("wallet", "0003_sweeps")]
    operations = [install("open"), install("settle"), install("operate"), install("sweep")]
