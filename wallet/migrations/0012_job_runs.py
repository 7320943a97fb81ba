"""Runs of what the platform does by itself are called job runs: most of them sweep nothing."""

from django.db import migrations

# Groups and operators keep what they may see.
PERMISSIONS = """
    UPDATE auth_permission SET
        codename = replace(codename, 'sweeprun', 'jobrun'), name = replace(name, 'sweep run', 'job run')
    WHERE codename ~ '_sweeprun$'
      AND content_type_id IN (SELECT id FROM django_content_type WHERE app_label = 'wallet')
"""
# An open alert is cleared by the next run that succeeds, under the job's new name. Old runs keep the name
# that they ran under.
ALERTS = """
    UPDATE wallet_alert SET subject = 'purge_expired'
    WHERE kind = 'sweep_failed' AND subject = 'keep_house' AND resolved_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0011_daily_totals")]
    operations = [
        migrations.RenameModel("SweepRun", "JobRun"),
        migrations.RunSQL(PERMISSIONS, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(ALERTS, reverse_sql=migrations.RunSQL.noop),
    ]
