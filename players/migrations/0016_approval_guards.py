"""Installs the triggers that hold the course of approvals."""

from pathlib import Path

from django.db import migrations

# A trigger needs its function to exist; what that does is installed after every migrate
# (players/sql/guards.sql).
GOES_ITS_WAY = """
CREATE FUNCTION approval_goes_its_way() RETURNS trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE restrict_violation; END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("players", "0015_approvals")]
    operations = [
        migrations.RunSQL(text, reverse_sql=migrations.RunSQL.noop)
        for text in (GOES_ITS_WAY, Path(__file__).with_suffix(".sql").read_text())
    ]
