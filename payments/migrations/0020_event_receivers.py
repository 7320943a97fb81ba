# ruff: noqa: E501
"""Who is sent events, and with which secrets these are signed."""

import datetime

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import lib.ids
import payments.models.receivers

# As it was (0002), with the receiver.
FROZEN = """
    CREATE OR REPLACE TRIGGER secret_is_frozen BEFORE UPDATE ON payments_secret
    FOR EACH ROW WHEN (
        (OLD.provider_id, OLD.game_id, OLD.receiver_id, OLD.purpose, OLD.fingerprint)
        IS DISTINCT FROM
        (NEW.provider_id, NEW.game_id, NEW.receiver_id, NEW.purpose, NEW.fingerprint)
        OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
    ) EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0019_reconciliation"),
        ("players", "0032_liftable_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventReceiver",
            fields=[
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        db_collation="C",
                        help_text="Alerts and metrics call it by this name. It cannot be changed later.",
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\\Z", "Small letters, digits and hyphens."
                            )
                        ],
                        verbose_name="name",
                    ),
                ),
                (
                    "url",
                    models.URLField(
                        help_text="The address that events are sent to.",
                        max_length=500,
                        validators=[django.core.validators.URLValidator(schemes=["https", "http"])],
                        verbose_name="URL",
                    ),
                ),
                (
                    "types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=60, validators=[payments.models.receivers.validate_types]
                        ),
                        blank=True,
                        default=list,
                        help_text="Beginnings of the types that are sent, such as withdrawal. or limit., separated by commas. Empty: all of them.",
                        size=None,
                        verbose_name="types",
                    ),
                ),
                ("paused_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("lost_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("cursor_day", models.DateField(default=datetime.date(1, 1, 1), editable=False)),
                ("cursor_position", models.BigIntegerField(default=0, editable=False)),
                ("cursor_mark", models.CharField(blank=True, db_collation="C", editable=False, max_length=8)),
                ("batch_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("batch_end", models.BigIntegerField(blank=True, editable=False, null=True)),
                ("batch_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("attempts", models.PositiveIntegerField(default=0, editable=False)),
                ("failing_since", models.DateTimeField(blank=True, editable=False, null=True)),
                ("taken_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("attempted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("status", models.PositiveSmallIntegerField(blank=True, editable=False, null=True)),
                ("problem", models.CharField(blank=True, editable=False, max_length=120)),
                ("took_ms", models.PositiveIntegerField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name"],
                "default_permissions": ("view",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="secret",
            name="secret_has_one_owner_and_one_direction",
        ),
        migrations.AlterField(
            model_name="secret",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("callback", "signs callbacks to us"),
                    ("api", "what we call the provider with"),
                    ("delivery", "signs our deliveries"),
                    ("events", "signs events that we send"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="eventreceiver",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("batch_at", None), ("batch_end", None), ("batch_id", None)),
                    models.Q(
                        ("batch_at__isnull", False), ("batch_end__isnull", False), ("batch_id__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="receiver_batch_is_whole",
            ),
        ),
        migrations.AddField(
            model_name="secret",
            name="receiver",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="secrets",
                to="payments.eventreceiver",
            ),
        ),
        migrations.AddConstraint(
            model_name="secret",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("game__isnull", True),
                        ("provider__isnull", False),
                        ("purpose__in", ["callback", "api"]),
                        ("receiver__isnull", True),
                    ),
                    models.Q(
                        ("game__isnull", False),
                        ("provider__isnull", True),
                        ("purpose", "delivery"),
                        ("receiver__isnull", True),
                    ),
                    models.Q(
                        ("game__isnull", True),
                        ("provider__isnull", True),
                        ("purpose", "events"),
                        ("receiver__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="secret_has_one_owner_and_one_direction",
            ),
        ),
        migrations.RunSQL(FROZEN, reverse_sql=migrations.RunSQL.noop),
    ]
