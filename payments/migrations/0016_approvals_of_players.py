"""Requests of before get the player whose row they are about."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0015_query_due"),
        ("players", "0028_approval_player"),
        ("wallet", "0029_kinds_of_runs"),
    ]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), reverse_sql=migrations.RunSQL.noop),
    ]
