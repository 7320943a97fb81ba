"""Alerts get a fingerprint of what was found; those of before are recognised by their text."""

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallet", "0027_corrections")]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="finding",
            field=models.CharField(
                blank=True, db_collation="C", db_default="", editable=False, max_length=64
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), migrations.RunSQL.noop),
    ]
