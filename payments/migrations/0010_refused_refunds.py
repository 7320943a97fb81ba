"""The refunds that a provider refused are listed, and counted on the admin's first page."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    # The index is made while the platform serves.
    atomic = False

    dependencies = [("payments", "0009_payment_by_start")]

    operations = [
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS refund_refused", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "refund",
            models.Index(fields=["-id"], name="refund_refused", condition=Q(state="refused")),
        ),
    ]
