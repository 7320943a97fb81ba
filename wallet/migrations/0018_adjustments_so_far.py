"""An act for each adjustment so far, in the name that the journal has."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wallet", "0017_adjustments")]

    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), reverse_sql=migrations.RunSQL.noop),
    ]
