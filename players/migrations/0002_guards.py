"""Installs the triggers that keep players, games and their history."""

from pathlib import Path

from django.db import migrations

# A trigger needs its function to exist; what that does is installed after every migrate
# (players/sql/guards.sql).
REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE restrict_violation; END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("players", "0001_initial")]
    operations = [
        migrations.RunSQL(text, reverse_sql=migrations.RunSQL.noop)
        for text in (REFUSE_CHANGE, Path(__file__).with_suffix(".sql").read_text())
    ]
