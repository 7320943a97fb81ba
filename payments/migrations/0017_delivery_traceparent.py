"""A delivery knows the trace that it came from. A column without a default rewrites no row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0016_approvals_of_players")]
    operations = [
        migrations.AddField(
            "delivery",
            "traceparent",
            models.CharField(max_length=55, null=True, blank=True, editable=False, db_collation="C"),
        ),
    ]
