"""Installs the clock, and the triggers that keep players, games and their history."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("players", "0001_initial")]
    operations = [
        migrations.RunSQL((SQL / f"{name}.sql").read_text(), reverse_sql=migrations.RunSQL.noop)
        for name in ("clock", "guards")
    ]
