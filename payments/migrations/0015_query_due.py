"""Payments whose provider is to be asked are found by an index; the platform goes on meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("payments", "0014_provider_queries")]
    operations = [
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS payment_query_due", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "payment",
            models.Index(
                fields=["query_due_at"], name="payment_query_due", condition=Q(query_due_at__isnull=False)
            ),
        ),
    ]
