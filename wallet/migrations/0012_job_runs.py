"""Runs of what the platform does by itself are called job runs: most of them sweep nothing."""

from django.db import migrations

# Groups and operators keep what they may see.
PERMISSIONS = """
    UPDATE auth_permission SET
        codename = replace(codename, 'sweeprun', 'jobrun'), name = replace(name, 'sweep run', 'job run')
    WHERE codename ~ '_sweeprun$'
      AND content_type_id IN (SELECT id FROM django_content_type WHERE app_label = 'wallet')
"""
# As with `daily_totals`: a job that never ran would be late, and an open alert is cleared by the next run
# that succeeds, under the job's new name.
PURGES = """
    UPDATE wallet_jobrun SET task = 'purge_expired' WHERE task = 'keep_house';
    UPDATE wallet_alert SET subject = 'purge_expired'
    WHERE kind = 'sweep_failed' AND subject = 'keep_house' AND resolved_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0011_daily_totals")]
    operations = [
        migrations.RenameModel("SweepRun", "JobRun"),
        migrations.RunSQL(PERMISSIONS, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(PURGES, reverse_sql=migrations.RunSQL.noop),
    ]
