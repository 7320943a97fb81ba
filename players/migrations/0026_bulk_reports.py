"""Makes the reports of acts on many rows."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lib.ids


class Migration(migrations.Migration):
    dependencies = [("players", "0025_saved_views")]
    operations = [
        migrations.CreateModel(
            name="BulkReport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("title", models.CharField(max_length=80)),
                ("words", models.CharField(max_length=500)),
                ("list", models.CharField(max_length=60)),
                ("outcomes", models.JSONField()),
                ("back", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "report of an act on many rows",
                "verbose_name_plural": "reports of acts on many rows",
                "default_permissions": (),
                "indexes": [models.Index(fields=["operator", "-id"], name="bulk_report_by_operator")],
            },
        ),
    ]
