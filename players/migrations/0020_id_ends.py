"""Indexes the ends of ids, as lists show them; the platform goes on meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from lib.id_ends import IdEnd


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("players", "0019_superusers")]
    operations = [
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS player_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("player", models.Index(IdEnd("id"), name="player_by_id_end")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS session_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("gamesession", models.Index(IdEnd("id"), name="session_by_id_end")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS approval_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("approval", models.Index(IdEnd("id"), name="approval_by_id_end")),
    ]
