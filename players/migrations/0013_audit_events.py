"""Makes the audit trail, which triggers keep."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lib.ids


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0012_login_links"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "username",
                    models.CharField(blank=True, db_collation="C", max_length=150, verbose_name="operator"),
                ),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=150),
                        help_text="The roles that the operator had then.",
                        size=None,
                    ),
                ),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                (
                    "session",
                    models.CharField(
                        blank=True,
                        help_text="Names the operator's session; nobody can use it.",
                        max_length=16,
                    ),
                ),
                ("action", models.CharField(db_collation="C", max_length=64)),
                ("subject_type", models.CharField(blank=True, db_collation="C", max_length=80)),
                ("subject_id", models.CharField(blank=True, db_collation="C", max_length=150)),
                ("subject_name", models.CharField(blank=True, max_length=200, verbose_name="object")),
                ("before", models.JSONField(blank=True, null=True)),
                ("after", models.JSONField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=255)),
                ("note", models.TextField(blank=True)),
                ("approval_id", models.UUIDField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                            ("denied", "Denied"),
                        ],
                        db_collation="C",
                        max_length=7,
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "audit event",
                "verbose_name_plural": "audit trail",
                "permissions": [("read_audit", "Can read the audit trail"), ("export", "Can export lists")],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["subject_type", "subject_id", "-id"], name="audit_event_by_subject"),
                    models.Index(fields=["username", "-id"], name="audit_event_by_operator"),
                    models.Index(fields=["action", "-id"], name="audit_event_by_action"),
                    models.Index(fields=["outcome", "-id"], name="audit_event_by_outcome"),
                    models.Index(fields=["address", "-id"], name="audit_event_by_address"),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), reverse_sql=migrations.RunSQL.noop),
    ]
