"""Payments are found by the reference that starting them gave, which the order's page shows."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    # The index is made while the platform serves.
    atomic = False

    dependencies = [("payments", "0008_named_permissions")]

    operations = [
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS payment_by_start", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "payment",
            models.Index(
                fields=["provider", "start_reference"],
                name="payment_by_start",
                condition=~Q(start_reference=""),
            ),
        ),
    ]
