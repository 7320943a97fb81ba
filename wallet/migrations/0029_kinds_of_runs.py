"""Indexes the runs that operators look for among the many that had nothing to do; the platform goes on."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0028_alert_findings")]
    operations = [
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS run_busy", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "jobrun",
            models.Index(F("began_at").desc(), name="run_busy", condition=Q(looked_at__gt=0)),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS run_failed", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "jobrun",
            models.Index(F("began_at").desc(), name="run_failed", condition=Q(failed__gt=0) | ~Q(error="")),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS run_unfinished", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "jobrun",
            models.Index(F("began_at").desc(), name="run_unfinished", condition=Q(ended_at=None)),
        ),
    ]
