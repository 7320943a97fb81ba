"""Indexes the ends of ids, as lists show them; the platform goes on meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from lib.id_ends import IdEnd


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0024_write_off")]
    operations = [
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS transaction_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("transaction", models.Index(IdEnd("id"), name="transaction_by_id_end")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS wallet_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("wallet", models.Index(IdEnd("id"), name="wallet_by_id_end")),
    ]
