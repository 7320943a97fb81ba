"""Lets a self-exclusion have an end; the platform goes on meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("players", "0022_export_player")]
    operations = [
        migrations.AddField(
            model_name="player",
            name="excluded_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="player",
            name="status_set_by",
            field=models.CharField(
                choices=[("front", "web front"), ("operator", "operator"), ("platform", "the platform")],
                default="front",
                max_length=8,
            ),
        ),
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS player_excluded_until", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "player",
            models.Index(
                fields=["excluded_until"],
                name="player_excluded_until",
                condition=models.Q(excluded_until__isnull=False),
            ),
        ),
    ]
