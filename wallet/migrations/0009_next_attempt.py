"""Rows that workers lease name their next attempt alike."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("wallet", "0008_chart_of_postings")]
    operations = [
        migrations.RemoveIndex("inquiry", "inquiry_to_ask"),
        migrations.RemoveConstraint("inquiry", "inquiry_is_asked_doubted_or_closed"),
        migrations.RenameField("inquiry", "next_at", "next_attempt_at"),
        migrations.AddConstraint(
            "inquiry",
            models.CheckConstraint(
                condition=Q(next_attempt_at__isnull=False) | ~Q(doubt="") | Q(closed_at__isnull=False),
                name="inquiry_is_asked_doubted_or_closed",
            ),
        ),
        migrations.AddIndex(
            "inquiry",
            models.Index(
                fields=["next_attempt_at"],
                name="inquiry_to_ask",
                condition=Q(closed_at=None, next_attempt_at__isnull=False),
            ),
        ),
    ]
