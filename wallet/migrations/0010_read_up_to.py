"""How far a rolling audit has read becomes a column; until now it stood in the note of its run."""

from django.db import migrations, models

FROM_NOTES = r"""
    UPDATE wallet_sweeprun
    SET read_up_to = substring(note FROM '^Read the journal up to (\S+)\. ')::timestamptz
    WHERE task = 'audit_recent' AND note ~ '^Read the journal up to \d{4}-\S+\. '
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0009_next_attempt")]
    operations = [
        migrations.AddField("sweeprun", "read_up_to", models.DateTimeField(blank=True, null=True)),
        migrations.RunSQL(FROM_NOTES, reverse_sql=migrations.RunSQL.noop),
    ]
