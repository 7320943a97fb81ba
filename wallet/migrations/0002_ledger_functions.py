"""Installs the ledger: its functions, the call log, and the triggers that guard history."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql"


def install(name: str) -> migrations.RunSQL:
    return migrations.RunSQL((SQL / f"{name}.sql").read_text(), reverse_sql=migrations.RunSQL.noop)


class Migration(migrations.Migration):
    dependencies = [("wallet", "0001_initial"), ("players", "0002_guards")]
    operations = [
        install(name)
        for name in ("base", "call_log", "append", "open", "settle", "query", "operate", "guards")
    ]
