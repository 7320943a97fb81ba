"""Indexes transactions by the games' ids and by the ends of ours within each day; the platform goes on.

Both are random: in an index of all times each new row touches a page of its own, which PostgreSQL must read,
and write to its log whole after each checkpoint. With the day first, new rows share the pages of today.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F

from lib.id_ends import IdEnd
from lib.patient_migrations import Patiently
from wallet.models.days import Day


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0035_failover_alerts")]
    operations = [
        # One that was cut off has left an index that is never used.
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS transaction_by_day_and_mm_id", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            "transaction",
            models.Index(Day("opened_at"), F("mm_transaction_id"), name="transaction_by_day_and_mm_id"),
        ),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS transaction_by_day_and_end", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            "transaction", models.Index(Day("opened_at"), IdEnd("id"), name="transaction_by_day_and_end")
        ),
        Patiently(migrations.RemoveIndex("transaction", "transaction_by_id_end")),
        # The last: the functions of before look for games' ids in it, until today's are installed at once.
        Patiently(migrations.RemoveIndex("transaction", "transaction_by_mm_id")),
    ]
