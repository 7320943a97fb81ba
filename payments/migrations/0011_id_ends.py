"""Indexes the ends of ids, as lists show them; the platform goes on meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from lib.id_ends import IdEnd


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("payments", "0010_refused_refunds")]
    operations = [
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS order_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("order", models.Index(IdEnd("id"), name="order_by_id_end")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS refund_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("refund", models.Index(IdEnd("id"), name="refund_by_id_end")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS callback_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("callback", models.Index(IdEnd("id"), name="callback_by_id_end")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS delivery_by_id_end", migrations.RunSQL.noop),
        AddIndexConcurrently("delivery", models.Index(IdEnd("id"), name="delivery_by_id_end")),
    ]
