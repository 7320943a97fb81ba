"""How far the demonstration's clock is ahead of the true time: one row, which only grows."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    # It has what the trigger does.
    dependencies = [("players", "0002_guards")]

    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), "DROP TABLE demo_clock"),
    ]
