"""A provider can be asked what became of a payment; its answer is kept beside the callbacks."""

from django.db import migrations, models

SOURCES = [("callback", "callback"), ("query", "asked")]


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_accepted_callbacks")]
    operations = [
        # Rows of before, and of processes that are not yet new, came by a call.
        migrations.AddField(
            "callback",
            "source",
            models.CharField(max_length=8, choices=SOURCES, default="callback", db_default="callback"),
        ),
        migrations.AlterField("callback", "address", models.GenericIPAddressField(null=True, blank=True)),
        migrations.AlterModelOptions(
            "payment",
            {
                "default_permissions": (),
                "permissions": [("query_payment", "Can ask providers what became of payments")],
            },
        ),
        migrations.AddField("payment", "query_due_at", models.DateTimeField(null=True, blank=True)),
        migrations.AddField("payment", "queried_at", models.DateTimeField(null=True, blank=True)),
        migrations.AddField(
            "payment", "query_answer", models.CharField(max_length=255, blank=True, default="", db_default="")
        ),
    ]
